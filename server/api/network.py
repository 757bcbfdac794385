"""Outages by hand, crews, and the records behind the wall's marks."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import commands
from dispatch_core.errors import NotFound
from dispatch_core.events import OutageCause
from dispatch_core.ids import CrewId, OutageId, Trade
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.records import Records
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.ports import UseCase
from server.usecases.crews import ChangeCrew, CrewAnswer
from server.usecases.outages import ChangeOutage, OpenOutage, OutageAnswer

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class OutageBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Heat is shut off at a plant, substation or building of the register."""

    node: Name
    cause: OutageCause
    expected_end_at: int
    reason: Text | None = None


class OutageSeen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the outage that the caller saw."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class OutageExtension(OutageSeen, kw_only=True, forbid_unknown_fields=True):
    """Another expected end."""

    expected_end_at: int
    reason: Text | None = None


class OutageList(msgspec.Struct, kw_only=True):
    """Outages, newest first."""

    items: list[OutageAnswer]


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


class Buildings(msgspec.Struct, kw_only=True):
    """Buildings that resemble what was searched, best first."""

    items: list[dict[str, Any]]


OUTAGE_EXAMPLE = {
    "id": "260114-004712",
    "version": 1,
    "name": "红旗大街 7 号换热站",
    "households": 1840,
}
CREW_EXAMPLE = {
    "name": "道北二次网一班", "trades": ["secondary"], "certificates": ["welder"], "members": 3,
    "vehicle": "暖抢-001", "shift": "06:00-18:00",
}  # fmt: skip


def create_handlers(  # noqa: PLR0913 - a composition
    gate: Gate,
    commits: Commits,
    vault: Vault,
    records: Records,
    numbers: Numbers,
    clock: BusinessClock,
) -> list[BaseRouteHandler]:
    """Outages, crews, records."""

    async def submit(
        request: Request[Any, Any, Any], route: str, use_case: UseCase
    ) -> Response[bytes]:
        principal = await gate.principal(request)
        key = idempotency_key(request)
        answer = await commits.submit(
            principal, route, key, body_hash(await request.body()), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    async def sealed(request: Request[Any, Any, Any], text: str | None) -> Any:
        principal = await gate.principal(request)
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
        body = decode_body(await request.body(), OutageBody)
        reason = await sealed(request, body.reason)
        principal = await gate.principal(request)
        number = OutageId(await numbers.next(principal.company, clock.now()))
        return await submit(
            request,
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
        body = decode_body(await request.body(), OutageSeen)
        use_case = ChangeOutage(
            outage=OutageId(outage_id), command=commands.EndOutage(version=body.version)
        )
        return await submit(request, f"POST /api/outages/{outage_id}/end", use_case)

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
        body = decode_body(await request.body(), OutageExtension)
        reason = await sealed(request, body.reason)
        command = commands.ExtendOutage(
            version=body.version,
            expected_end_at=body.expected_end_at,
            reason=reason.words if reason else None,
        )
        return await submit(
            request,
            f"POST /api/outages/{outage_id}/extend",
            ChangeOutage(outage=OutageId(outage_id), command=command, reason=reason),
        )

    @get("/api/outages", tags=["outages"])
    async def outages(request: Request[Any, Any, Any], ended: bool = False) -> OutageList:  # noqa: FBT001, FBT002
        """Open outages, newest first; with `ended=true` the last 500 of all."""
        principal = await gate.principal(request)
        return OutageList(items=await records.outages(principal.company, ended=ended))

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
        b = decode_body(await request.body(), CrewBody)
        command = commands.RegisterCrew(
            crew=CrewId(crew_id), name=b.name, trades=b.trades, certificates=list(b.certificates),
            members=b.members, vehicle=b.vehicle, shift=b.shift,
        )  # fmt: skip
        return await submit(
            request, f"POST /api/crews/{crew_id}", ChangeCrew(crew=CrewId(crew_id), command=command)
        )

    @get("/api/crews", tags=["crews"])
    async def crews(request: Request[Any, Any, Any]) -> CrewList:
        """Every crew."""
        principal = await gate.principal(request)
        return CrewList(items=await records.crews(principal.company))

    @get("/api/crews/{crew_id:str}", tags=["crews"])
    async def crew(request: Request[Any, Any, Any], crew_id: str) -> CrewAnswer:
        """One crew."""
        principal = await gate.principal(request)
        return _found(await records.crew(principal.company, crew_id), "crew", crew_id)

    @get("/api/points/{point_id:str}", tags=["rooms"])
    async def point(request: Request[Any, Any, Any], point_id: str) -> dict[str, Any]:
        """A room-temperature point at its building, with its latest readings."""
        principal = await gate.principal(request)
        return _found(await records.point(principal.company, point_id), "point", point_id)

    @get("/api/nodes/{node_id:str}", tags=["network"])
    async def node(request: Request[Any, Any, Any], node_id: str) -> dict[str, Any]:
        """A plant or substation with its latest readings."""
        principal = await gate.principal(request)
        return _found(await records.node(principal.company, node_id), "node", node_id)

    @get("/api/communities/{community_id:str}", tags=["sentiment"])
    async def community(request: Request[Any, Any, Any], community_id: str) -> dict[str, Any]:
        """A community with its latest mentions, without their words."""
        principal = await gate.principal(request)
        return _found(
            await records.community(principal.company, community_id), "community", community_id
        )

    @get("/api/buildings", tags=["register"])
    async def buildings(
        request: Request[Any, Any, Any], words: Annotated[str, msgspec.Meta(max_length=200)]
    ) -> Buildings:
        """Buildings whose address resembles the words."""
        principal = await gate.principal(request)
        return Buildings(items=await records.building_search(principal.company, words))

    return [
        open_outage, end_outage, extend_outage, outages, register_crew, crews, crew, point, node,
        community, buildings,
    ]  # fmt: skip


def _found(found: T | None, what: str, name: str) -> T:
    if found is None:
        raise NotFound(f"no_such_{what}", f"There is no {what} {name}.", "Check its identifier.")
    return found
