"""The crews' plan in flat arrays: who visits what in which order, when, and how much slack is left.

Times are int32 seconds from an origin of the caller's choice, within +-HORIZON; tickets and crews
are row numbers; a place is a row number of the Travel. Nothing here reads a clock. A Plan is used
by one thread at a time. A visit that is late as planned (its hard window, the end of the shift) may
stay so late in whatever is tried, not become later.
"""

from typing import Self, final

import numpy as np
from numpy.typing import NDArray

_I32 = NDArray[np.int32]
_U64 = NDArray[np.uint64]

PLANNED: int
CONFIRMED: int
EN_ROUTE: int
ON_SITE: int
"""States of a visit (0 to 3). On site: never displaced, and nothing goes before it."""
NEVER: int
"""2**30: a due time that never comes, a start that there is not."""
HORIZON: int
"""2**26 s: every other time lies within it, 776 days either way."""

TICKET: np.dtype[np.void]
"""All int32:
place     where; -1: wherever the crew is then (a break)
service   seconds of work
earliest  hard window of the start of work, both ends within;
latest    NEVER: no end (a late visit may then start at any time before the shift ends)
due       start of work after this is late; NEVER: no clock
weight    weighted seconds that one second of lateness costs (0 to 10,000)
urgency   what one second of waiting counts in the score's `level` (0 to 10,000)
impact    household impact, thousandths of a degree-hour that one hour of waiting costs (>= 0)
level     0 red, 1 yellow, 2 blue, up to 7; a ticket may displace only a larger level
state     PLANNED, CONFIRMED, EN_ROUTE, ON_SITE
churn     what displacing the visit, or giving the ticket to another crew, counts (>= 0)
before    the crew that has been told so far, -1: none"""
CREW: np.dtype[np.void]
"""All int32:
place     where it is, or will be when it is free
free_at   from when it can leave there
home      where it must be at the end, -1: nowhere
end_at    by when it must be there; before free_at: no shift, takes nothing
fixed     how many visits at the head of its route stay there: nothing goes before them unless they
          are displaced"""

@final
class Travel:
    """Seconds between places."""

    @classmethod
    def of_matrix(cls, seconds: _I32) -> Self:
        """From a matrix int32 (L, L), origin by row, 0 to seven days; it is copied. Raises
        ValueError."""

    @classmethod
    def of_places(cls, places: _I32, speed_mmps: int, detour_pm: int) -> Self:
        """From places int32 (L, 2) and one speed, as assignment.travel_seconds computes it."""

    @property
    def places(self) -> int:
        """L, with what is spare."""

    def put(self, place: int, lon: int, lat: int) -> None:
        """Move a place (millionths of a degree); of_places only. Raises ValueError."""

    def put_seconds(self, place: int, out: _I32, back: _I32) -> None:
        """New seconds from a place to all (`out`, L) and from all to it (`back`, L); of_matrix
        only. Raises ValueError."""

    def seconds(self, origin: int, destination: int) -> int:
        """Of one pair. Raises ValueError for a place that there is not."""

@final
class Plan:
    """Routes of K crews over J rows of tickets; rows may be spare."""

    def __new__(
        cls,
        travel: Travel,
        tickets: NDArray[np.void],
        crews: NDArray[np.void],
        eligible: _U64,
    ) -> Self:
        """`tickets` TICKET (J), `crews` CREW (K), `eligible` uint64 (J, ceil(K / 64)) as
        assignment.pack gives it: where a displaced ticket may go. All are copied; routes are empty
        at first. Raises ValueError for figures out of range."""

    @property
    def tickets(self) -> int:
        """J."""

    @property
    def crews(self) -> int:
        """K."""

    def put_ticket(self, ticket: int, row: NDArray[np.void], eligible: _U64) -> None:
        """Replace one row (TICKET of shape (1,) or (), `eligible` (ceil(K / 64))); the route that
        holds it is timed anew. Raises ValueError."""

    def put_crew(self, crew: int, row: NDArray[np.void]) -> None:
        """Replace one crew's row and time its route anew. Raises ValueError."""

    def set_route(self, crew: int, tickets: _I32) -> None:
        """The crew's visits in order, at most 400. Raises ValueError for a ticket that another crew
        has or that stands twice; the route is then as it was."""

    def route(self, crew: int) -> _I32:
        """The crew's visits in order."""

    def starts(self, crew: int) -> _I32:
        """When work on each visit of the crew starts."""

    def crew_of(self, ticket: int) -> int:
        """Who has the ticket, -1: nobody."""

    def ends_at(self, crew: int) -> int:
        """When the crew is done, on its way home included."""

    def retime(self) -> None:
        """Time every route anew, after the Travel has changed."""
