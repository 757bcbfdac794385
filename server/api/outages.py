"""Outages opened, extended and ended by hand."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import commands
from dispatch_core.events import OutageCause
from dispatch_core.ids import OutageId
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.records import OutageTrace, Records
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.ports import SecretText, UseCase
from server.usecases.outages import ChangeOutage, OpenOutage, OutageAnswer

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, up to the year 9999."""


class OutageBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Heat is shut off at a plant, substation or building of the register."""

    node: Name
    cause: OutageCause
    expected_end_at: Time
    reason: Text | None = None


class OutageSeen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the outage that the caller saw."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class OutageExtension(OutageSeen, kw_only=True, forbid_unknown_fields=True):
    """Another expected end."""

    expected_end_at: Time
    reason: Text | None = None


class OutageList(msgspec.Struct, kw_only=True):
    """Outages, newest first."""

    items: list[OutageAnswer]


OUTAGE_EXAMPLE = {
    "id": "260114-004712",
    "version": 1,
    "name": "红旗大街 7 号换热站",
    "households": 1840,
}


def create_handlers(
    gate: Gate,
    commits: Commits,
    vault: Vault,
    records: Records,
    numbers: Numbers,
    clock: BusinessClock,
) -> list[BaseRouteHandler]:
    """Outages by hand."""

    async def submit(
        request: Request[Any, Any, Any], principal: Principal, route: str, use_case: UseCase
    ) -> Response[bytes]:
        key = idempotency_key(request)
        answer = await commits.submit(
            principal, route, key, body_hash(await request.body()), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    def sealed(principal: Principal, text: str | None) -> SecretText | None:
        return vault.words(principal.company, text) if text else None

    @post(
        "/api/outages",
        status_code=201,
        tags=["outages"],
        operation_class=described(
            OutageBody, {"node": "S07", "cause": "pump", "expected_end_at": 1768356000},
            OutageAnswer, OUTAGE_EXAMPLE, status="201",
        ),
    )  # fmt: skip
    async def open_outage(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Open an outage: what hangs on the node comes from the heat tree."""
        principal = await gate.principal(request)
        body = decode_body(await request.body(), OutageBody)
        reason = sealed(principal, body.reason)
        number = OutageId(await numbers.next(principal.company, clock.now()))
        return await submit(
            request,
            principal,
            "POST /api/outages",
            OpenOutage(
                outage=number,
                node=body.node,
                cause=body.cause,
                expected_end_at=body.expected_end_at,
                reason=reason,
            ),
        )

    @post(
        "/api/outages/{outage_id:str}/end",
        status_code=200,
        tags=["outages"],
        operation_class=described(OutageSeen, {"version": 1}, OutageAnswer, OUTAGE_EXAMPLE),
    )
    async def end_outage(request: Request[Any, Any, Any], outage_id: str) -> Response[bytes]:
        """Heat is back."""
        principal = await gate.principal(request)
        body = decode_body(await request.body(), OutageSeen)
        use_case = ChangeOutage(
            outage=OutageId(outage_id), command=commands.EndOutage(version=body.version)
        )
        return await submit(request, principal, f"POST /api/outages/{outage_id}/end", use_case)

    @post(
        "/api/outages/{outage_id:str}/extend",
        status_code=200,
        tags=["outages"],
        operation_class=described(
            OutageExtension,
            {"version": 1, "expected_end_at": 1768359600},
            OutageAnswer,
            OUTAGE_EXAMPLE,
        ),
    )
    async def extend_outage(request: Request[Any, Any, Any], outage_id: str) -> Response[bytes]:
        """Another end is expected."""
        principal = await gate.principal(request)
        body = decode_body(await request.body(), OutageExtension)
        reason = sealed(principal, body.reason)
        command = commands.ExtendOutage(
            version=body.version,
            expected_end_at=body.expected_end_at,
            reason=reason.words if reason else None,
        )
        return await submit(
            request,
            principal,
            f"POST /api/outages/{outage_id}/extend",
            ChangeOutage(outage=OutageId(outage_id), command=command, reason=reason),
        )

    @get("/api/outages/{outage_id:str}", tags=["outages"])
    async def outage(request: Request[Any, Any, Any], outage_id: str) -> OutageTrace:
        """One outage, everything that happened to it, and whether its chain holds."""
        principal = await gate.principal(request)
        return found(await records.outage(principal.company, outage_id), "outage", outage_id)

    @get("/api/outages", tags=["outages"])
    async def outages(request: Request[Any, Any, Any], *, ended: bool = False) -> OutageList:
        """Open outages, newest first; with `ended=true` the last 500 of all."""
        principal = await gate.principal(request)
        return OutageList(items=await records.outages(principal.company, ended=ended))

    return [open_outage, end_outage, extend_outage, outage, outages]
