"""A person finds the door: the ticket moves there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dispatch_core import commands, evidence, levels, requests, tickets
from dispatch_core.errors import Conflict, Invalid
from dispatch_core.ids import HouseholdId, Place, Precision, TicketId
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, Placed, Wanted
from server.usecases.on_site import check_owed, evidence_of
from server.usecases.places import household_of, of_building, place_of
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of

PRECISE: frozenset[Precision] = frozenset({"flat", "unit", "building"})
"""A place that is known so well is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTicket:
    """Move a ticket to a household or a building; `version` None: as it is now."""

    ticket: TicketId
    by: str
    city: CityPolicy
    version: int | None = None
    household: str | None = None
    building: str | None = None
    asked: bool = False
    """The address queue answers its question itself."""

    def wanted(self) -> Wanted:
        """The ticket's stream, the work on site, and the door."""
        return Wanted(
            streams=(named("ticket", self.ticket), named("evidence", self.ticket)),
            buildings=(self.building,) if self.building else (),
            households=(self.household,) if self.household else (),
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact.

        Raises NotFound `no_such_household`, `no_such_building`, `no_such_ticket`; Invalid
        `no_place`; Conflict `version_conflict`, `wrong_state`, `site_visited`,
        `evidence_would_shrink`.
        """
        stream = named("ticket", self.ticket)
        ticket: Ticket | None = loaded.state(stream)[0]
        home = household_of(loaded, self.household) if self.household else None
        if home is not None and self.building not in {None, home.building.id}:
            raise Invalid(
                "household_elsewhere",
                f"The household {home.id} is not in building {self.building}.",
                "Give the household alone, or the building alone.",
            )
        place = of_building(home.building) if home else place_of(
            loaded, self.building, None, None, None
        )  # fmt: skip
        command = commands.ChangePlace(
            version=self.version,
            place=place,
            by=self.by,
            household=HouseholdId(home.id) if home else None,
            green_channel=home.green_channel if home else False,
        )
        events = tickets.decide(ticket, command, now)
        if ticket is not None:
            self._check_site(loaded, ticket, place)
            check_owed(loaded, self.ticket, ticket, after(ticket, events, now), self.city)
        return Decision(
            appends={stream: events},
            answer=answer_of(self.ticket, after(ticket, events, now), self.city),
            grounds="a person found the door",
            policy=levels.POLICY.version,
            placed=None if self.asked else Placed(
                stream, place.building, self.household, self.by
            ),
        )  # fmt: skip

    def _check_site(self, loaded: Loaded, ticket: Ticket, place: Place) -> None:
        """What a crew did at one place is no evidence of another. Raises Conflict
        `site_visited`."""
        if not evidence.begun(evidence_of(loaded, self.ticket), ticket.reopened):
            return
        if not self._same_place(ticket.place, place):
            raise Conflict(
                "site_visited", "A crew was already at the earlier place.",
                "Cancel this ticket with a reason and open one at the right place.",
                ticket.present(),
            )  # fmt: skip

    def _same_place(self, old: Place, new: Place) -> bool:
        """Whether the door lies where the ticket was: in its building; where it had none, within
        the fence of its coordinate, or anywhere if only an area was known."""
        if old.building is not None:
            return old.building == new.building
        near = requests.apart_m(old, new) <= self.city.evidence.fence.within_m
        return near or old.precision not in PRECISE
