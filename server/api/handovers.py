"""Handover between shifts: what it would be now, drawing it up, signing it."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import handovers
from dispatch_core.events import HandoverDrawn, HandoverSide
from dispatch_core.handovers import Draw, Sign
from dispatch_core.ids import HandoverId
from server.adapters.accounts import Role
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.handover_reads import HandoverReads
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.usecases.handovers import ChangeHandover, HandoverAnswer

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")


class DrawBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the leaving shift adds in its own words."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None


class SignBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which side signs; `version` is the handover as the signer saw it."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    side: HandoverSide


class HandoverList(msgspec.Struct, frozen=True, kw_only=True):
    """Handovers, newest first."""

    items: list[HandoverAnswer]


class Writing(NamedTuple):
    """What drawing up and signing need."""

    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock


EXAMPLE = {"id": "20260114-0758", "version": 1, "by": "wang", "signed": {}, "complete": False}


def create_handlers(gate: Gate, reads: HandoverReads, writing: Writing) -> list[BaseRouteHandler]:
    """Look, draw up, sign."""
    commits, vault, policies, clock = writing

    @get("/api/handovers", tags=["handovers"])
    async def listed(request: Request[Any, Any, Any], limit: int = 20) -> HandoverList:
        """The latest handovers."""
        principal = await gate.person(request, *DESK)
        return HandoverList(items=await reads.page(principal.company, max(1, limit)))

    @get("/api/handovers/preview", tags=["handovers"])
    async def preview(request: Request[Any, Any, Any]) -> HandoverDrawn:
        """The list as it stands now; nothing is written."""
        principal = await gate.person(request, *DESK)
        return await reads.draw(principal.company, principal.actor, None)

    @get("/api/handovers/{handover_id:str}", tags=["handovers"])
    async def one(request: Request[Any, Any, Any], handover_id: str) -> HandoverAnswer:
        """One handover, with its note."""
        principal = await gate.person(request, *DESK)
        answer = await reads.one(principal.company, handover_id)
        return found(answer, "handover", handover_id)

    @post(
        "/api/handovers",
        status_code=201,
        tags=["handovers"],
        operation_class=described(
            DrawBody, {"note": "文化街泵房备用泵已送修"}, HandoverAnswer, EXAMPLE, status="201"
        ),
    )
    async def draw(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Draw up the list as it stands now, to be signed by both shifts."""
        principal = await gate.person(request, *DESK)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, DrawBody)
        now = clock.now()
        policy = await policies.at(principal.company, now)
        note = vault.words(principal.company, body.note) if body.note else None
        drawn = await reads.draw(principal.company, principal.actor, note.words if note else None)
        use_case = ChangeHandover(
            handover=HandoverId(handovers.name_of(now.astimezone(ZoneInfo(policy.timezone)))),
            command=Draw(drawn=drawn),
            note=note,
        )
        answer = await commits.submit(
            principal, "POST /api/handovers", key, body_hash(raw), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @post(
        "/api/handovers/{handover_id:str}/sign",
        status_code=200,
        tags=["handovers"],
        operation_class=described(
            SignBody, {"version": 1, "side": "leaving"}, HandoverAnswer, EXAMPLE
        ),
    )
    async def sign(request: Request[Any, Any, Any], handover_id: str) -> Response[bytes]:
        """Sign for the leaving or the coming shift; each side is a person of its own."""
        principal = await gate.person(request, *DESK)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, SignBody)
        use_case = ChangeHandover(
            handover=HandoverId(handover_id),
            command=Sign(version=body.version, side=body.side, by=principal.actor),
        )
        answer = await commits.submit(
            principal, f"POST /api/handovers/{handover_id}/sign", key, body_hash(raw), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [listed, preview, one, draw, sign]
