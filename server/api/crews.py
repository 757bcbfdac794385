"""Crews: the register's entry, and how they stand."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import commands
from dispatch_core.ids import CrewId, Trade
from server.adapters.commits import Commits
from server.adapters.records import Records
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.usecases.crews import ChangeCrew, CrewAnswer

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class CrewBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A crew's data; `shift` is its daily shift by the company's clock, e.g. 06:00-18:00."""

    name: Name
    trades: list[Trade]
    certificates: list[Name] = []
    members: Annotated[int, msgspec.Meta(ge=2, le=20)]
    vehicle: Name
    shift: Annotated[
        str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")
    ]


class CrewList(msgspec.Struct, kw_only=True):
    """Crews by id."""

    items: list[CrewAnswer]


CREW_EXAMPLE = {
    "name": "道北二次网一班", "trades": ["secondary"], "certificates": ["welder"], "members": 3,
    "vehicle": "暖抢-001", "shift": "06:00-18:00",
}  # fmt: skip


def create_handlers(gate: Gate, commits: Commits, records: Records) -> list[BaseRouteHandler]:
    """Entering and reading crews."""

    @post(
        "/api/crews/{crew_id:str}",
        status_code=200,
        tags=["crews"],
        operation_class=described(
            CrewBody, CREW_EXAMPLE, CrewAnswer, {"id": "C07", "version": 1, "state": "off"}
        ),
    )
    async def register_crew(request: Request[Any, Any, Any], crew_id: str) -> Response[bytes]:
        """Enter a crew into the register, or change its data."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        b = decode_body(await request.body(), CrewBody)
        command = commands.RegisterCrew(
            crew=CrewId(crew_id), name=b.name, trades=b.trades, certificates=list(b.certificates),
            members=b.members, vehicle=b.vehicle, shift=b.shift,
        )  # fmt: skip
        answer = await commits.submit(
            principal,
            f"POST /api/crews/{crew_id}",
            key,
            body_hash(await request.body()),
            ChangeCrew(crew=CrewId(crew_id), command=command),
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @get("/api/crews", tags=["crews"])
    async def crews(request: Request[Any, Any, Any]) -> CrewList:
        """Every crew."""
        principal = await gate.principal(request)
        return CrewList(items=await records.crews(principal.company))

    @get("/api/crews/{crew_id:str}", tags=["crews"])
    async def crew(request: Request[Any, Any, Any], crew_id: str) -> CrewAnswer:
        """One crew."""
        principal = await gate.principal(request)
        return found(await records.crew(principal.company, crew_id), "crew", crew_id)

    return [register_crew, crews, crew]
