"""Spare-parts stores: entered, counted, and what crews take away."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import commands
from dispatch_core.ids import CrewId, StoreId, TicketId
from geo.datums import Datums
from server.adapters.accounts import Principal
from server.adapters.commits import Commits
from server.adapters.records import Records
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.spots import Name, Spot, to_wgs84
from server.ports import UseCase
from server.usecases.stores import IssueStoreParts, StockStoreParts, StoreAnswer

Pieces = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class StoreBody(Spot, kw_only=True, forbid_unknown_fields=True):
    """A store: all that lies there, part -> pieces; a part that is not named is not there."""

    name: Name
    parts: dict[Name, Pieces]


class IssueBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who takes what away; with `ticket` it is what was kept for it."""

    crew: Name
    parts: dict[Name, Pieces]
    ticket: Name | None = None


class StoreList(msgspec.Struct, kw_only=True):
    """Stores by id."""

    items: list[StoreAnswer]


EXAMPLE = {
    "name": "道里备件库", "lon": 126.62, "lat": 45.76, "datum": "wgs84",
    "parts": {"闸阀 DN80": 6, "放气阀": 40},
}  # fmt: skip
ANSWER = {"id": "W1", "version": 1, "free": {"闸阀 DN80": 6, "放气阀": 40}, "reserved": {}}


def create_handlers(
    gate: Gate, commits: Commits, records: Records, datums: Datums
) -> list[BaseRouteHandler]:
    """Entering, counting, issuing and reading stores."""

    async def submit(
        request: Request[Any, Any, Any], principal: Principal, route: str, use_case: UseCase
    ) -> Response[bytes]:
        key = idempotency_key(request)
        said = body_hash(await request.body())
        answer = await commits.submit(principal, route, key, said, use_case)
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @post(
        "/api/stores/{store_id:str}",
        status_code=200,
        tags=["stores"],
        operation_class=described(StoreBody, EXAMPLE, StoreAnswer, ANSWER),
    )
    async def stock_store(request: Request[Any, Any, Any], store_id: str) -> Response[bytes]:
        """Enter a store into the register, or count what lies there."""
        principal = await gate.principal(request)
        idempotency_key(request)
        b = decode_body(await request.body(), StoreBody)
        lon, lat = to_wgs84(b, datums)
        command = commands.StockStore(name=b.name, lon=lon, lat=lat, parts=dict(b.parts))
        use_case = StockStoreParts(store=StoreId(store_id), command=command)
        return await submit(request, principal, f"POST /api/stores/{store_id}", use_case)

    @post(
        "/api/stores/{store_id:str}/issue",
        status_code=200,
        tags=["stores"],
        operation_class=described(
            IssueBody, {"crew": "C07", "parts": {"闸阀 DN80": 1}, "ticket": "260114-004711"},
            StoreAnswer, ANSWER,
        ),
    )  # fmt: skip
    async def issue_parts(request: Request[Any, Any, Any], store_id: str) -> Response[bytes]:
        """A crew takes parts away: they lie on its van from then on."""
        principal = await gate.principal(request)
        idempotency_key(request)
        b = decode_body(await request.body(), IssueBody)
        command = commands.IssueParts(
            crew=CrewId(b.crew), parts=dict(b.parts),
            ticket=TicketId(b.ticket) if b.ticket else None,
        )  # fmt: skip
        use_case = IssueStoreParts(store=StoreId(store_id), command=command, by=principal.actor)
        return await submit(request, principal, f"POST /api/stores/{store_id}/issue", use_case)

    @get("/api/stores", tags=["stores"])
    async def stores(request: Request[Any, Any, Any]) -> StoreList:
        """Every store, with what is kept for which ticket."""
        principal = await gate.principal(request)
        return StoreList(items=await records.stores(principal.company))

    return [stock_store, issue_parts, stores]
