"""A request as callers send it, and the use case that it becomes: words heard, place looked up,
residents sealed."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec

from dispatch_core.errors import Invalid, TooLarge
from dispatch_core.ids import (
    CommunityId,
    IntakeReason,
    Level,
    OutageId,
    Place,
    Precision,
    RequestKind,
    TicketId,
)
from dispatch_core.requests import Proposal, address_pieces, propose
from geo.datums import Coordinate, DatumRefused, Datums
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressAnswer, AddressBooks, Query
from server.adapters.cities import Cities
from server.adapters.clock import BusinessClock
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.ports import CityPolicy, Unplaced
from server.usecases.case_request import ReceiveRequestWithCase
from server.usecases.cases import ReceiveCase
from server.usecases.intake import ReceiveRequest

MOST_WORDS = 10_000
FARTHEST_DEG = 4.0
"""From the middle of the company's city, north and east: no network reaches so far."""


class Spot(msgspec.Struct, kw_only=True):
    """Degrees and the datum they are in, wgs84 or cgcs2000, and gcj02 or bd09 where the installer
    allows them; or metres, easting as lon, in a zone of CGCS2000 such as epsg:4551. A coordinate
    without datum is refused."""

    lon: float
    lat: float
    datum: str = ""


class Caller(msgspec.Struct, kw_only=True):
    """Who asked; kept encrypted, apart from everything else."""

    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None


AREA = r"^(?!.*\d{7})[\w .'-]{2,40}$"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
PhotoName = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class CaseOf(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The case of an origin that the request comes with, e.g. hotline_12345; `received_at`: when
    the origin took it in."""

    origin: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,40}$")]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    received_at: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None


class ServiceRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request at a household, building or node of the register, at a typed address or at a
    coordinate: the first of these that is given and found.

    Without `kind` the words speak for it, without `level` the city's policy decides. `area` names
    the district, borough or postcode of a coordinate that no building is near; it stands on the
    wall and never names a person. `address` is what the caller said: it may name the flat, and is
    kept with the caller's sealed words. `separate`: a ticket of its own, though one is open.
    """

    kind: RequestKind | None = None
    level: Level | None = None
    level_reason: IntakeReason = "as_given"
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+\Z")]
    household: Name | None = None
    building: Name | None = None
    coordinate: Spot | None = None
    node: Name | None = None
    area: Annotated[str, msgspec.Meta(max_length=40, pattern=AREA)] | None = None
    address: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    caller: Caller | None = None
    words: str | None = None
    photos: Annotated[list[PhotoName], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    reports: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    outage: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    accepted: bool = False
    separate: bool = False
    case: CaseOf | None = None


class Where(NamedTuple):
    """A place as it was found: at most one of the first four, or what is best known."""

    household: str | None = None
    building: str | None = None
    node: str | None = None
    spot: tuple[float, float] | None = None
    best_known: Place | None = None
    found: AddressAnswer | None = None
    """The address book's answer, where an address was typed."""


def checked(text: str | None, what: str) -> None:
    """Raises Invalid `control_characters` for what no keyboard types."""
    if text and any((ch < " " and ch not in "\n\r\t") or ch == "\x7f" for ch in text):
        raise Invalid(
            "control_characters",
            f"{what} holds control characters.",
            "Send plain text; line breaks are welcome.",
        )


def check_words(words: str | None) -> None:
    """Raises TooLarge `words_too_long`, Invalid `control_characters`."""
    if words is not None and len(words) > MOST_WORDS:
        raise TooLarge(
            "words_too_long",
            f"The words have {len(words):,} characters.",
            f"Send at most {MOST_WORDS:,}; a recording's whole text does not belong into a ticket.",
        )
    checked(words, "words")


class Wishes:
    """Makes use cases of what callers send."""

    def __init__(
        self,
        vault: Vault,
        datums: Datums,
        policies: Policies,
        clock: BusinessClock,
        books: AddressBooks,
        cities: Cities,
    ) -> None:
        self._vault = vault
        self._datums = datums
        self._policies = policies
        self._clock = clock
        self._books = books
        self._cities = cities
        self._middles: dict[int, Place | None] = {}

    async def use_case(
        self, principal: Principal, wish: ServiceRequest, number: TicketId
    ) -> ReceiveRequest:
        """The use case behind a request; resident data is sealed on the way.

        Raises:
            Invalid: `kind_missing`, `control_characters`, by geo.datums' code for a coordinate that
                cannot be taken. TooLarge: `words_too_long`. Unavailable.
        """
        _check(wish)
        city = await self._policies.at(principal.company, self._clock.now())
        heard = propose(wish.words or "", city.requests, wish.kind)
        where = await self.where(principal.company, wish)
        return self.made(principal, wish, number, heard, city, where)

    async def command(
        self, principal: Principal, wish: ServiceRequest, number: TicketId
    ) -> ReceiveRequest | ReceiveRequestWithCase:
        """As `use_case`, with the case that the request may come with."""
        request = await self.use_case(principal, wish, number)
        if wish.case is None:
            return request
        case = ReceiveCase(
            origin=wish.case.origin,
            number=wish.case.number,
            received_at=wish.case.received_at,
            city=request.city,
            request=request,
        )
        return ReceiveRequestWithCase(case=case)

    def made(
        self,
        principal: Principal,
        wish: ServiceRequest,
        number: TicketId,
        heard: Proposal,
        city: CityPolicy,
        where: Where,
    ) -> ReceiveRequest:
        """The use case of a request that was heard and found."""
        company, caller = principal.company, wish.caller
        person = self._vault.person(company, caller.name, caller.phone) if caller else None
        pseudonym = person.pseudonym if person else None
        # The address as typed may name the flat: the crew needs it, the ticket keeps the building.
        told = "\n".join(text for text in (wish.words, wish.address) if text)
        who = pseudonym or where.household
        asks = where.best_known is not None and where.found is not None and wish.address
        return ReceiveRequest(
            ticket=number,
            proposal=heard,
            city=city,
            level=wish.level,
            level_reason=wish.level_reason,
            source=wish.source,
            by=principal.actor,
            household=where.household,
            building=where.building,
            node=where.node,
            spot=where.spot,
            area=wish.area,
            best_known=where.best_known,
            unplaced=Unplaced(f"ticket:{number}", asks, where.found) if asks else None,
            caller=person,
            words=self._vault.words(company, told, pseudonym) if told else None,
            said=self._vault.said(company, who, f"{wish.kind or ''} {told}") if who else None,
            photos=wish.photos,
            reports=wish.reports,
            outage=OutageId(wish.outage) if wish.outage else None,
            accepted=wish.accepted,
            separate=wish.separate,
        )

    async def spoken(self, company: int, words: str) -> AddressAnswer | None:
        """The place that a caller's words name, if the address book finds one in them."""
        pieces = address_pieces(words)
        if not pieces:
            return None
        answers = await self._books.resolve(company, [Query(text=piece) for piece in pieces])
        sure = [a for a in answers if a.verdict == "matched"]
        unsure = [a for a in answers if a.verdict == "ambiguous"]
        return max(sure or unsure, key=lambda a: a.score, default=None)

    async def where(self, company: int, wish: ServiceRequest) -> Where:
        """The place that a request names, in the order of its fields' trust."""
        if wish.household is not None:
            return Where(household=wish.household)
        if wish.building is not None:
            return Where(building=wish.building)
        if wish.node is not None:
            return Where(node=wish.node)
        found = None
        if wish.address and wish.address.strip():
            [found] = await self._books.resolve(company, [Query(text=wish.address)])
            if found.verdict == "matched" and found.household:
                return Where(household=found.household, found=found)
            if found.verdict == "matched" and found.building:
                return Where(building=found.building.id, found=found)
        if wish.coordinate is not None:
            return Where(spot=await self._spot(company, wish.coordinate), found=found)
        if found is None and wish.area is None:
            return Where()
        middle = await self._middle(company)
        return Where(best_known=best_known(found, wish.area, middle), found=found)

    async def _spot(self, company: int, spot: Spot) -> tuple[float, float]:
        try:
            point = self._datums.to_wgs84(Coordinate(spot.lon, spot.lat, spot.datum))
        except DatumRefused as refused:
            raise Invalid(refused.code, refused.detail, refused.what_to_do) from None
        middle = await self._middle(company)
        far = middle is not None and (
            max(abs(point.lon - middle.lon), abs(point.lat - middle.lat)) > FARTHEST_DEG
        )
        if far or point.lon == 0 == point.lat:
            raise Invalid(
                "coordinate_elsewhere",
                "The coordinate lies in the sea at 0, 0 or far from the company's city.",
                "Check it, or leave it out where the place is not known.",
            )
        return point.lon, point.lat

    async def _middle(self, company: int) -> Place | None:
        """The middle of the company's city, as a place of which nothing else is known."""
        if company not in self._middles:
            city = await self._cities.city(company)
            self._middles[company] = city and Place(
                building=None, lon=city.center[0], lat=city.center[1], address=city.name,
                community=None, district=None, precision="none",
            )  # fmt: skip
        return self._middles[company]


def best_known(found: AddressAnswer | None, area: str | None, middle: Place | None) -> Place | None:
    """A place below a building: the middle of the street, community or city, by a name of the
    register and never by what was typed; None where not even the city is known."""
    spot = found.street_spot if found else None
    if found is None or spot is None:
        if middle is None or area is None:
            return middle
        return msgspec.structs.replace(middle, address=area, precision="area")
    precision: Precision = found.precision if found.precision in _BELOW else "area"
    named = found.area or area or found.district or (middle.address if middle else "")
    return Place(
        building=None,
        lon=spot[0],
        lat=spot[1],
        address=named,
        community=CommunityId(found.community) if found.community else None,
        community_name=found.area if precision == "community" else None,
        district=found.district,
        precision=precision,
    )


_BELOW = frozenset({"street", "community"})


def _check(wish: ServiceRequest) -> None:
    """Raises Invalid `kind_missing`, `control_characters`; TooLarge `words_too_long`."""
    check_words(wish.words)
    for what in ("household", "building", "node", "area", "address", "outage"):
        checked(getattr(wish, what), what)
    if wish.case is not None:
        checked(wish.case.number, "the case's number")
    if wish.caller is not None:
        checked(wish.caller.name, "the caller's name")
        checked(wish.caller.phone, "the caller's phone")
    if wish.kind is None and not (wish.words and wish.words.strip()):
        raise Invalid(
            "kind_missing",
            "The request says neither a kind nor any words.",
            "Give the caller's words, or choose a kind.",
        )
