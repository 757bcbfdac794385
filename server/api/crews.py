"""Crews: the register's entry, what lies on the van, stopped and back, and how they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from dispatch_core import commands
from dispatch_core.events import Pause
from dispatch_core.ids import CrewId, StopReason, Trade
from geo.datums import Datums
from server.adapters.commits import Commits
from server.adapters.records import Records
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.api.spots import Name, Spot, to_wgs84
from server.usecases.crews import ChangeCrew, CrewAnswer

Names = Annotated[list[Name], msgspec.Meta(max_length=100)]
Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, up to the year 9999."""


class CrewBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A crew's data; `shift` is its daily shift by the company's clock, e.g. 06:00-18:00.

    From `skill` on, what is left away stays as it is.
    """

    name: Name
    trades: list[Trade]
    certificates: list[Name] = []
    members: Annotated[int, msgspec.Meta(ge=2, le=20)]
    vehicle: Name
    shift: Annotated[
        str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")
    ]
    skill: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    territory: Names | None = None
    """Districts it serves by day; an empty list: the whole city."""
    base: Spot | None = None
    breaks: Annotated[list[Pause], msgspec.Meta(max_length=4)] | None = None
    """Each begun between two times of the day, e.g. after 11:00, before 13:00, 40 minutes."""
    equipment: Names | None = None
    """What the van carries for good, e.g. pump, generator."""


class StockBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All that lies on the van now, part -> pieces; a part that is not named is not there."""

    parts: dict[Name, Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]]


class StopBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the crew can take no work, and until when if that is known (Unix seconds)."""

    reason_code: StopReason
    until_at: Time | None = None


class BackBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing more is to be said."""


class CrewList(msgspec.Struct, kw_only=True):
    """Crews by id."""

    items: list[CrewAnswer]


CREW_EXAMPLE = {
    "name": "道北二次网一班", "trades": ["secondary"], "certificates": ["welder"], "members": 3,
    "vehicle": "暖抢-001", "shift": "06:00-18:00", "skill": 4, "territory": ["道里区"],
    "base": {"lon": 126.62, "lat": 45.76, "datum": "wgs84"},
    "breaks": [{"after": "11:00", "before": "13:00", "minutes": 40}], "equipment": ["pump"],
}  # fmt: skip
ANSWER = {"id": "C07", "version": 1, "state": "off"}


class Command(NamedTuple):
    """A command on a crew: its body, what it makes of it and of who says so, and an example."""

    body: type
    make: Callable[[Any, str], commands.StockCrew | commands.StopCrew | commands.CrewBackToWork]
    example: dict[str, Any]
    summary: str


COMMANDS: dict[str, Command] = {
    "stock": Command(
        StockBody, lambda b, by: commands.StockCrew(parts=dict(b.parts), by=by),
        {"parts": {"闸阀 DN80": 2}}, "What lies on the van now",
    ),
    "stop": Command(
        StopBody,
        lambda b, by: commands.StopCrew(reason_code=b.reason_code, until_at=b.until_at, by=by),
        {"reason_code": "breakdown"},
        "The crew can take no work for now; it keeps what it has in hand",
    ),
    "back": Command(
        BackBody, lambda _, by: commands.CrewBackToWork(by=by), {}, "A stopped crew works again"
    ),
}  # fmt: skip


def create_handlers(
    gate: Gate, commits: Commits, records: Records, datums: Datums
) -> list[BaseRouteHandler]:
    """Entering, commanding and reading crews."""

    @post(
        "/api/crews/{crew_id:str}",
        status_code=200,
        tags=["crews"],
        operation_class=described(CrewBody, CREW_EXAMPLE, CrewAnswer, ANSWER),
    )
    async def register_crew(request: Request[Any, Any, Any], crew_id: str) -> Response[bytes]:
        """Enter a crew into the register, or change its data."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        b = decode_body(await request.body(), CrewBody)
        base = None
        if b.base is not None:
            lon, lat = to_wgs84(b.base, datums)
            base = commands.Base(lon=lon, lat=lat)
        command = commands.RegisterCrew(
            crew=CrewId(crew_id), name=b.name, trades=b.trades, certificates=list(b.certificates),
            members=b.members, vehicle=b.vehicle, shift=b.shift, skill=b.skill,
            territory=b.territory, base=base, breaks=b.breaks, equipment=b.equipment,
        )  # fmt: skip
        answer = await commits.submit(
            principal,
            f"POST /api/crews/{crew_id}",
            key,
            body_hash(await request.body()),
            ChangeCrew(crew=CrewId(crew_id), command=command),
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    def handler(name: str, of: Command) -> HTTPRouteHandler:
        @post(
            f"/api/crews/{{crew_id:str}}/{name}",
            status_code=200,
            tags=["crews"],
            summary=of.summary,
            name=f"crew-{name}",
            operation_class=described(of.body, of.example, CrewAnswer, ANSWER),
        )
        async def command(request: Request[Any, Any, Any], crew_id: str) -> Response[bytes]:
            """Where all is so already, nothing is written."""
            principal = await gate.principal(request)
            key = idempotency_key(request)
            body = await request.body()
            made = of.make(decode_body(body, of.body), principal.actor)
            use_case = ChangeCrew(crew=CrewId(crew_id), command=made)
            route = f"POST /api/crews/{crew_id}/{name}"
            answer = await commits.submit(principal, route, key, body_hash(body), use_case)
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return command

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

    return [register_crew, *(handler(name, of) for name, of in COMMANDS.items()), crews, crew]
