"""Taking a service request in: the front door of every ticket."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Invalid
from dispatch_core.ids import IntakeReason, Level, OutageId, RequestKind, TicketId
from geo.datums import Coordinate, DatumRefused, to_wgs84
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.usecases.tickets import ReceiveRequest, TicketAnswer


class Spot(msgspec.Struct, kw_only=True):
    """Degrees, and the datum they are in: wgs84 or cgcs2000."""

    lon: float
    lat: float
    datum: str


class Caller(msgspec.Struct, kw_only=True):
    """Who asked; kept encrypted, apart from everything else."""

    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None


AREA = r"^(?!.*\d{7})[\w .'-]{2,40}$"


class ServiceRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request at a building or node of the register, or at a coordinate.

    `area` names the district, borough or postcode of a coordinate that no building is near; it
    stands on the wall and never names a person. `address` is what the caller said: it may name the
    flat, and is kept with the caller's sealed words.
    """

    kind: RequestKind
    level: Level = "blue"
    level_reason: IntakeReason = "as_given"
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern="^[a-z0-9_]+$")]
    building: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    coordinate: Spot | None = None
    node: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    area: Annotated[str, msgspec.Meta(max_length=40, pattern=AREA)] | None = None
    address: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    caller: Caller | None = None
    words: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None
    reports: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    outage: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    accepted: bool = False


EXAMPLE = {
    "kind": "leak",
    "level": "red",
    "source": "phone",
    "coordinate": {"lon": 126.6424, "lat": 45.7569, "datum": "wgs84"},
    "address": "经纬街 128 号 2 单元 502 室",
    "caller": {"name": "王先生", "phone": "100-0000-0000"},
    "words": "立管漏水，楼道里都是",
    "accepted": True,
}
ANSWER_EXAMPLE = {
    "id": "260114-004711",
    "version": 2,
    "state": "accepted",
    "level": "red",
    "kind": "leak",
}


def use_case_of(
    wish: ServiceRequest, principal: Principal, number: TicketId, vault: Vault
) -> ReceiveRequest:
    """The use case behind a request; resident data is sealed on the way.

    Raises:
        Invalid: by geo.datums' code, for a coordinate or datum that cannot be taken.
    """
    spot = None
    if wish.coordinate is not None:
        try:
            point = to_wgs84(
                Coordinate(wish.coordinate.lon, wish.coordinate.lat, wish.coordinate.datum)
            )
        except DatumRefused as refused:
            raise Invalid(
                refused.code, refused.detail, "Send degrees with the datum wgs84 or cgcs2000."
            ) from None
        spot = (point.lon, point.lat)
    caller = wish.caller
    person = vault.person(principal.company, caller.name, caller.phone) if caller else None
    pseudonym = person.pseudonym if person else None
    # The address as typed may name the flat: the crew needs it, the ticket keeps only the building.
    told = [text for text in (wish.words, wish.address) if text]
    return ReceiveRequest(
        ticket=number,
        kind=wish.kind,
        level=wish.level,
        level_reason=wish.level_reason,
        source=wish.source,
        by=principal.actor,
        building=wish.building,
        spot=spot,
        node=wish.node,
        area=wish.area,
        caller=person,
        words=vault.words(principal.company, "\n".join(told), pseudonym) if told else None,
        reports=wish.reports,
        outage=OutageId(wish.outage) if wish.outage else None,
        accepted=wish.accepted,
    )


def create_handlers(
    gate: Gate, commits: Commits, vault: Vault, numbers: Numbers, clock: BusinessClock
) -> list[BaseRouteHandler]:
    """`POST /api/requests`."""

    @post(
        "/api/requests",
        status_code=201,
        tags=["tickets"],
        operation_class=described(
            ServiceRequest, EXAMPLE, TicketAnswer, ANSWER_EXAMPLE, status="201"
        ),
    )
    async def take_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Take in a service request; answered when it is durable."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        body = await request.body()
        wish = decode_body(body, ServiceRequest)
        number = TicketId(await numbers.next(principal.company, clock.now()))
        answer = await commits.submit(
            principal,
            "POST /api/requests",
            key,
            body_hash(body),
            use_case_of(wish, principal, number, vault),
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [take_in]
