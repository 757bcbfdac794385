"""A place in the crews' days for a ticket, with what gives way to it and what it delays."""

from __future__ import annotations

from typing import NamedTuple

from dispatch_core.dispatch.sheet import Sheet
from ext import insertion, visits

LATE_STEP_S = 60


class Moved(NamedTuple):
    """A visit that begins at another time, or with another crew, for the ticket's sake."""

    row: int
    level: int
    was: int
    """When it would have begun."""
    crew: int
    """Who has it then, -1: nobody."""
    start: int
    """When it then begins; NEVER where nobody has it."""

    @property
    def counted(self) -> int:
        """Its level, so that one more urgent counts more than all others of a few."""
        return 1 << 4 * (7 - self.level)


class Found(NamedTuple):
    """A crew, or two, with a place in their day for the ticket."""

    crew: int
    option: insertion.Option
    via: bool
    """By way of a store."""
    gone: tuple[Moved, ...]
    """What gives way."""
    late: tuple[Moved, ...]
    """What keeps its crew and begins after its clock, and did not."""
    mate: int = -1
    other: insertion.Option | None = None
    """The second crew's."""

    @property
    def in_time(self) -> bool:
        """Work starts before the earliest clock runs out."""
        return self.option.late <= 0

    @property
    def options(self) -> tuple[insertion.Option, ...]:
        """Of one crew or both."""
        return (self.option,) if self.other is None else (self.option, self.other)

    @property
    def order(self) -> tuple[int, ...]:
        """The best is the least: steps of lateness, who gives way, what it costs, then ids."""
        late = max(o.late for o in self.options)
        return (
            -(-late // LATE_STEP_S) if late > 0 else 0,
            sum(g.counted for g in self.gone),
            sum(g.counted for g in self.gone if g.crew < 0),
            sum(o.total for o in self.options),
            self.crew,
            self.mate,
        )


def found_of(sheet: Sheet, option: insertion.Option, *, via: bool) -> Found:
    """What the kernel found for one crew."""
    return Found(
        option.crew,
        option,
        via,
        gone=tuple(gives_way(sheet, d.ticket, d.was, d.to_crew, d.start) for d in option.displaced),
        late=tuple(
            Moved(d.ticket, int(sheet.rows["level"][d.ticket]), d.was, d.crew, d.start)
            for d in option.delayed
            if d.late_before <= 0 < d.late
        ),
    )


def gives_way(sheet: Sheet, row: int, was: int, crew: int, start: int) -> Moved:
    """A ticket that gives way; it is nobody's where its new time is outside its own window or the
    shift: the kernel lets what is late already stay as late."""
    board, level = sheet.board, int(sheet.rows["level"][row])
    if crew >= 0:
        timing = sheet.window(row)
        ends = start + int(sheet.rows["service"][row])
        early = start < board.after(timing.earliest)
        late = timing.latest is not None and start > board.after(timing.latest)
        if not early and not late and ends <= board.crews[crew].end_at:
            return Moved(row, level, was, crew, start)
    return Moved(row, level, was, -1, visits.NEVER)
