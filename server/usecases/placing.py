"""A person finds the door: the ticket moves there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dispatch_core import commands, levels, tickets
from dispatch_core.errors import Invalid
from dispatch_core.ids import HouseholdId, TicketId
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, Placed, Wanted
from server.usecases.places import household_of, of_building, place_of
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of


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
        """The ticket's stream and the door."""
        return Wanted(
            streams=(named("ticket", self.ticket),),
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
        `no_place`; Conflict `version_conflict`, `wrong_state`.
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
        return Decision(
            appends={stream: events},
            answer=answer_of(self.ticket, after(ticket, events, now), self.city),
            grounds="a person found the door",
            policy=levels.POLICY.version,
            placed=None if self.asked else Placed(
                stream, place.building, self.household, self.by
            ),
        )  # fmt: skip
