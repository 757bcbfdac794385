"""Where crews are by their last fixes, and when those on the way will arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from geo.travel import Places, TravelModel, between, late, metres

STANDING_S: Final = 60
STANDING_M: Final = 40.0
"""A crew that stayed within so much for so long stands."""
STANDING_MMPS: Final = 800
"""Said by the phone; counts where there is one fix alone."""

Place = tuple[int, int]
"""Longitude and latitude in WGS-84, millionths of a degree."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One fix of a crew."""

    lon_u: int
    lat_u: int
    fixed_at: int
    """By the phone's clock, Unix seconds."""
    heard_at: int
    """When it arrived, business time."""
    accuracy_m: int | None = None
    speed_mmps: int | None = None

    @property
    def place(self) -> Place:
        """Where it was taken."""
        return self.lon_u, self.lat_u

    def age_s(self, now: int) -> int:
        """How old it is; a phone's clock that is ahead makes nothing younger than its arrival."""
        return max(0, now - min(self.fixed_at, self.heard_at))


class CrewPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a crew is and will be."""

    crew: str
    state: str
    """off, free, dispatched, en_route or on_site."""
    ticket: str | None
    """The one it is furthest on."""
    fix: Fix | None
    age_s: int | None
    """Of the fix."""
    standing: bool
    place: Place | None
    """Where it counts from: its ticket when on site, else its fix."""
    arrives_at: int | None = None
    """At its ticket, for a crew on the way."""
    arrives_late_at: int | None = None
    """Nine of ten are there by then."""
    lost_since: int | None = None
    """Since when its position has been lost, as the watch told it."""


def crew_place(
    crew: str,
    state: str,
    ticket: str | None,
    ticket_place: Place | None,
    fixes: Sequence[Fix],
    now: int,
    model: TravelModel,
    lost_since: int | None = None,
) -> CrewPlace:
    """A crew's place from its latest fixes, oldest first, as of `now`.

    On site it is where its ticket is, whatever the phone says (basements). On the way its arrival
    counts from when the fix was taken; an arrival that should have been is now.
    """
    fix = fixes[-1] if fixes else None
    place = None if fix is None else fix.place
    arrives = arrives_late = None
    if state == "on_site" and ticket_place is not None:
        place = ticket_place
    elif state == "en_route" and ticket_place is not None and fix is not None:
        since = now - fix.age_s(now)
        way = between(model, fix.place, ticket_place, since)
        slow = int(late(model, np.array([way], np.int32), since)[0])
        arrives, arrives_late = max(now, since + way), max(now, since + slow)
    return CrewPlace(
        crew=crew,
        state=state,
        ticket=ticket,
        fix=fix,
        age_s=None if fix is None else fix.age_s(now),
        standing=standing(fixes),
        place=place,
        arrives_at=arrives,
        arrives_late_at=arrives_late,
        lost_since=lost_since,
    )


def standing(fixes: Sequence[Fix]) -> bool:
    """Whether the last fixes, oldest first, show a crew that stays; a single one tells by the speed
    that the phone says. Without any: no."""
    if not fixes:
        return False
    last = fixes[-1]
    recent = [f for f in fixes if last.fixed_at - 2 * STANDING_S <= f.fixed_at <= last.fixed_at]
    if last.fixed_at - recent[0].fixed_at < STANDING_S:
        return last.speed_mmps is not None and last.speed_mmps < STANDING_MMPS
    where: Places = np.array([f.place for f in recent], np.int32)
    return bool(metres(where[-1:], where).max() <= STANDING_M)
