"""Contradictions in the records: the list, a scan on demand, and what is done about one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.contradictions import MendAction
from dispatch_core.ids import ContradictionKind
from server.adapters.contradictions import (
    Contradiction,
    ContradictionPage,
    Contradictions,
    Scan,
)
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class MendBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which contradiction is mended, and how."""

    season: Name
    kind: ContradictionKind
    household: Name
    action: MendAction
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None


class ScanBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing: the present season is scanned."""


SCAN_EXAMPLE = {
    "at": 1768345200, "season": "2025-2026", "took_ms": 412, "households": 60_000, "found": 31,
    "new": 4, "gone": 2, "by": "person:wang",
}  # fmt: skip
MEND_EXAMPLE = {
    "season": "2025-2026", "kind": "suspended_yet_billed", "household": "H-000123",
    "action": "tell_finance",
}  # fmt: skip


def create_handlers(gate: Gate, store: Contradictions) -> list[BaseRouteHandler]:
    """Reading, scanning, mending."""

    @get("/api/contradictions", tags=["contradictions"])
    async def listed(
        request: Request[Any, Any, Any],
        kind: str | None = None,
        season: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> ContradictionPage:
        """Contradictions that stand, each with its records and the ways to mend it; of the present
        season unless another is named."""
        principal = await gate.principal(request)
        return await store.page(principal.company, kind, season, limit, after)

    @post(
        "/api/contradictions/scan",
        status_code=200,
        tags=["contradictions"],
        operation_class=described(ScanBody, {}, Scan, SCAN_EXAMPLE),
    )
    async def scan(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Look through all records of the present season now; every night it is done by itself."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        body = await request.body()
        decode_body(body or b"{}", ScanBody)
        answer = await store.scan(principal, "POST /api/contradictions/scan", key, body_hash(body))
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @post(
        "/api/contradictions/mend",
        status_code=200,
        tags=["contradictions"],
        operation_class=described(
            MendBody, MEND_EXAMPLE, Contradiction, MEND_EXAMPLE | {"mending": "tell_finance"}
        ),
    )
    async def mend(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Record what is done about a contradiction and send word to the department; it ends when a
        later scan no longer finds it."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, MendBody)
        answer = await store.mend(
            principal,
            key,
            body_hash(raw),
            (body.season, body.kind, body.household),
            body.action,
            body.reason,
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [listed, scan, mend]
