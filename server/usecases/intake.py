"""Taking a request in: a new ticket, or one more call on the open ticket that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch_core import commands, levels, requests, tickets
from dispatch_core.errors import Conflict, NotFound
from dispatch_core.ids import (
    HouseholdId,
    IntakeReason,
    Level,
    OutageId,
    PhotoId,
    Place,
    TicketId,
    unix,
)
from dispatch_core.outages import Outage
from dispatch_core.requests import Assessment, Call, Door, Facts, Known, Proposal
from dispatch_core.tickets import Ticket
from server.ports import (
    CityPolicy,
    Decision,
    Household,
    Loaded,
    SecretPerson,
    SecretText,
    Unplaced,
    Wanted,
)
from server.usecases.places import check_photos, household_of, of_building, place_of
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of

STOPS = frozenset({"suspension", "temporary_stop", "resume"})
"""Kinds that have a way of their own as soon as the household is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveRequest:
    """Take in a request at a household, a building, a node or a coordinate ((lon, lat), WGS-84),
    else at the best that is known of its place.

    `ticket` is a new number, which is left unused if the request attaches; `level` is a person's
    word and final; `caller` and `words` come sealed under their pseudonym and digest, `said` is the
    keyed digest by which the same call sent twice is known.
    """

    ticket: TicketId
    proposal: Proposal
    city: CityPolicy
    source: str
    by: str
    level: Level | None = None
    level_reason: IntakeReason = "as_given"
    household: str | None = None
    building: str | None = None
    node: str | None = None
    spot: tuple[float, float] | None = None
    area: str | None = None
    best_known: Place | None = None
    unplaced: Unplaced | None = None
    """The typed address that found no door: asked of a person, unless the request attaches."""
    caller: SecretPerson | None = None
    words: SecretText | None = None
    said: str | None = None
    photos: Sequence[str] = ()
    reports: int = 1
    outage: OutageId | None = None
    accepted: bool = False
    separate: bool = False
    """A person insists on a ticket of its own."""

    @property
    def _door(self) -> Door | None:
        resident = self.caller.pseudonym if self.caller else None
        if self.household is None and resident is None:
            return None
        return Door(household=self.household, resident=resident, building=self.building)

    def wanted(self) -> Wanted:
        """The ticket's stream, its place, what its door has said before, and open outages."""
        outage = (named("outage", self.outage),) if self.outage else ()
        return Wanted(
            streams=(named("ticket", self.ticket), *outage),
            buildings=(self.building,) if self.building else (),
            nodes=(self.node,) if self.node else (),
            spots=(self.spot,) if self.spot else (),
            households=(self.household,) if self.household else (),
            doors=(self._door,) if self._door else (),
            outages=True,
            photos=self.photos,
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """The open tickets that the request may belong to."""
        return Wanted(streams=[named("ticket", name) for name in self._candidates(loaded)])

    def _candidates(self, loaded: Loaded) -> list[str]:
        door = self._full_door(loaded)
        if door is None or self.separate:
            return []
        seen = loaded.requests.get(self._door or door, ())
        return requests.candidates(door, self.proposal.kind, seen, self.city.requests)

    def _full_door(self, loaded: Loaded) -> Door | None:
        """The door with the household's building in it."""
        home = loaded.households.get(self.household) if self.household else None
        door = self._door
        if door is None or home is None:
            return door
        return Door(household=door.household, resident=door.resident, building=home.building.id)

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """One ticket, accepted at once if a seat has the caller on the line; or a repeat.

        Raises Conflict `use_suspensions`; NotFound `no_such_household`, `no_such_building`,
        `no_such_node`, `no_such_outage`, `no_such_photo`; Invalid `no_place`.
        """
        home = household_of(loaded, self.household) if self.household else None
        if home is not None:
            place = of_building(home.building)
        else:
            place = place_of(
                loaded, self.building, self.node, self.spot, self.area, self.best_known
            )
        self._check(loaded, home)
        check_photos(loaded, self.photos)
        found = self._belongs_to(loaded, place, now)
        if found is not None:
            return self._repeat(*found, place, now)
        return self._receive(loaded, home, place, now)

    def _check(self, loaded: Loaded, home: Household | None) -> None:
        kind = self.proposal.kind
        if home is not None and kind in STOPS and "kind_given" in self.proposal.reasons:
            raise Conflict(
                "use_suspensions",
                f"A {kind} of a known household is an application, not a ticket.",
                "Send it to POST /api/suspensions: it is checked and answered there.",
            )
        if self.outage is None:
            return
        outage: Outage | None = loaded.state(named("outage", self.outage))[0]
        if outage is None or outage.ended_at is not None:
            raise NotFound(
                "no_such_outage",
                f"There is no open outage {self.outage}.",
                "Leave the outage away, or name an open one.",
            )

    # ---------------------------------------------------------------- one more call
    def _call(self, place: Place, now: datetime) -> Call:
        resident = self.caller.pseudonym if self.caller else None
        return Call(
            household=self.household, resident=resident, place=place, said=self.said, at=unix(now)
        )

    def _belongs_to(
        self, loaded: Loaded, place: Place, now: datetime
    ) -> tuple[TicketId, Ticket] | None:
        call = self._call(place, now)
        for name in self._candidates(loaded):
            ticket: Ticket | None = loaded.state(named("ticket", name))[0]
            if ticket is None or ticket.state not in tickets.OPEN:
                continue
            if requests.belongs(call, known_of(ticket), self.city.requests):
                return TicketId(name), ticket
        return None

    def _repeat(self, name: TicketId, ticket: Ticket, place: Place, now: datetime) -> Decision:
        duplicate = requests.is_duplicate(
            self._call(place, now), known_of(ticket), self.city.requests
        )
        counted = ticket.reports - ticket.duplicates
        urged = None if duplicate else requests.raise_by_repeat(
            ticket.level, self.proposal, self.level, counted, counted + self.reports,
            self.city.requests, explained=ticket.outage is not None,
        )  # fmt: skip
        command = commands.Repeat(
            source=self.source,
            by=self.by,
            reports=self.reports,
            resident=self.caller.pseudonym if self.caller else None,
            words=self.words.words if self.words else None,
            said=self.said,
            photos=[PhotoId(p) for p in self.photos],
            duplicate=duplicate,
            accepted=self.accepted,
            raise_to=urged.level if urged else None,
            raise_reason=urged.reason if urged else "many_reports",
        )
        events = tickets.decide(ticket, command, now)
        said = f"; {urged.said} raises it to {urged.level}" if urged else ""
        twice = ", the same call sent again" if duplicate else ""
        return self._decision(
            appends={named("ticket", name): events},
            answer=answer_of(name, after(ticket, events, now), self.city, attached=True),
            status=200,
            grounds=f"reported again by {self.source}{twice}{said}",
        )

    # ---------------------------------------------------------------- a new ticket
    def _receive(
        self, loaded: Loaded, home: Household | None, place: Place, now: datetime
    ) -> Decision:
        stream = named("ticket", self.ticket)
        state, _ = loaded.state(stream)
        found = self._assess(loaded, home, place, now)
        level, reason, reasons = found.level, found.reason, list(found.reasons)
        if self.level is not None:
            level, reason = self.level, self.level_reason
            reasons = ["as_given", f"proposed:{found.level}", *reasons]
        events = tickets.decide(
            state,
            commands.ReceiveRequest(
                ticket=self.ticket,
                kind=self.proposal.kind,
                level=level,
                level_reason=reason,
                source=self.source,
                place=place,
                by=self.by,
                reports=self.reports,
                resident=self.caller.pseudonym if self.caller else None,
                words=self.words.words if self.words else None,
                outage=found.outage,
                accepted=self.accepted,
                household=HouseholdId(home.id) if home else None,
                green_channel=home.green_channel if home else False,
                photos=[PhotoId(p) for p in self.photos],
                reasons=reasons,
                said=self.said,
            ),
            now,
        )
        return self._decision(
            appends={stream: events},
            answer=answer_of(self.ticket, after(state, events, now), self.city),
            status=201,
            grounds=f"taken in by {self.source}; level {level}: {', '.join(reasons) or reason}",
            asks=(self.unplaced,) if self.unplaced else (),
        )

    def _assess(
        self, loaded: Loaded, home: Household | None, place: Place, now: datetime
    ) -> Assessment:
        door = self._full_door(loaded)
        seen = loaded.requests.get(self._door, ()) if self._door else ()
        past = (
            requests.repeated(door, self.proposal.kind, seen, unix(now), self.city.requests)
            if door
            else 0
        )
        under = loaded.outages.get(self._under(loaded, place) or "")
        found = requests.assess(
            self.proposal,
            Facts(
                green_channel=home.green_channel if home else False,
                repeated=past,
                outage=self.outage or under,
                reports=self.reports,
            ),
            self.city.requests,
        )
        if self.outage is not None and found.outage is None:
            # A person names the outage: it stands with the ticket even if it explains nothing.
            return Assessment(
                level=found.level, reason=found.reason, reasons=found.reasons, outage=self.outage
            )
        return found

    def _under(self, loaded: Loaded, place: Place) -> str | None:
        near = loaded.nearest.get(self.spot) if self.spot and place.building is None else None
        return near.id if near else place.building

    def _decision(self, **made: object) -> Decision:
        given = {
            "policy": f"{levels.POLICY.version} {self.city.version}",
            "texts": (self.words,) if self.words else (),
            "persons": (self.caller,) if self.caller else (),
            "source": "tickets",
        }
        return Decision(**{**given, **made})  # type: ignore[arg-type]


def known_of(ticket: Ticket) -> Known:
    """An open ticket as a call is compared with it."""
    return Known(
        household=ticket.household,
        resident=ticket.resident,
        place=ticket.place,
        said=ticket.said,
        heard_at=ticket.received_at if ticket.called_at is None else ticket.called_at,
    )
