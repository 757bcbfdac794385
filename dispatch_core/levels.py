"""Response levels and the four named clocks of a ticket: which of them run, and which is due next.

First contact, respond and solved start when a ticket is received; on site starts when a crew
confirms, as the field counts it. Which clocks run follows from the state alone; a reopened ticket
starts respond and solved again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dispatch_core.events import Clocks, Due, Warned
from dispatch_core.ids import Clock, Level, TicketState

MINUTE = 60
HOUR = 3600


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long each clock gives, in seconds. The version is recorded with every decision."""

    version: str = "levels-1"
    red_s: int = 30 * MINUTE
    yellow_s: int = 2 * HOUR
    blue_s: int = 24 * HOUR
    first_contact_s: int = 30 * MINUTE
    on_site_s: int = HOUR
    solved_s: int = 24 * HOUR
    near_s: int = 15 * MINUTE
    silent_dispatched_s: int = 30 * MINUTE
    silent_confirmed_s: int = 2 * HOUR
    silent_handling_s: int = 4 * HOUR
    silent_past_arrival_s: int = 30 * MINUTE
    """After the planned arrival without a check-in; a van that moves is still heard of."""

    def respond_s(self, level: Level) -> int:
        """Seconds to respond at this level."""
        return {"red": self.red_s, "yellow": self.yellow_s, "blue": self.blue_s}[level]

    def silent_s(self, state: TicketState) -> int | None:
        """Seconds without a word after which contact is lost; None where no crew owes a word."""
        return {
            "dispatched": self.silent_dispatched_s,
            "confirmed": self.silent_confirmed_s,
            "handling": self.silent_handling_s,
        }.get(state)


POLICY = Policy()

RUNNING: dict[TicketState, tuple[Clock, ...]] = {
    "received": ("first_contact", "respond", "solved"),
    "accepted": ("respond", "solved"),
    "dispatched": ("respond", "solved"),
    "confirmed": ("on_site", "solved"),
    "handling": ("solved",),
    "verifying": (),
    "closed": (),
    "cancelled": (),
}

ESCALATED: dict[Level, tuple[Clock, ...]] = {
    "red": ("first_contact", "respond", "on_site", "solved"),
    "yellow": ("respond", "on_site", "solved"),
    "blue": ("solved",),
}
"""Which passed deadlines are carried to the duty manager."""

SEVERITY: dict[Level, int] = {"red": 0, "yellow": 1, "blue": 2}


def start(level: Level, at: int, policy: Policy = POLICY) -> Clocks:
    """The clocks of a ticket received, or reopened, at `at`."""
    return Clocks(
        first_contact=at + policy.first_contact_s,
        respond=at + policy.respond_s(level),
        on_site=None,
        solved=at + policy.solved_s,
    )


def respond_after_change(
    clocks: Clocks, started_at: int, level: Level, *, raised: bool, at: int, policy: Policy = POLICY
) -> int:
    """The deadline to respond after a change of level at `at`.

    A raised level gives its full time from the change, but never more than there was; a lowered
    one counts from the clock's start.
    """
    if raised:
        return min(clocks.respond, at + policy.respond_s(level))
    return started_at + policy.respond_s(level)


def running(state: TicketState, clocks: Clocks) -> list[tuple[int, Clock]]:
    """The clocks that run in this state as (deadline, clock), earliest first."""
    deadlines: dict[Clock, int | None] = {
        "first_contact": clocks.first_contact,
        "respond": clocks.respond,
        "on_site": clocks.on_site,
        "solved": clocks.solved,
    }
    found = [(at, clock) for clock in RUNNING[state] if (at := deadlines[clock]) is not None]
    return sorted(found)


def due(state: TicketState, clocks: Clocks, warned: Mapping[Clock, Warned]) -> Due | None:
    """The earliest running clock; None when no clock runs."""
    found = running(state, clocks)
    if not found:
        return None
    at, clock = found[0]
    return Due(clock=clock, at=at, warned=warned.get(clock, "no"))
