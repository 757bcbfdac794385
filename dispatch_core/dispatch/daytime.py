"""Times of the city's day as Unix seconds: windows, nights, shifts and breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dispatch_core.dispatch.policy import minutes_of
from dispatch_core.events import Pause

DAY = 86_400


class Window(NamedTuple):
    """From a time to another, both within."""

    begins: int
    ends: int


def midnight(at: int, utc_offset_s: int) -> int:
    """When the city's day of `at` began."""
    return (at + utc_offset_s) // DAY * DAY - utc_offset_s


def is_between(at: int, utc_offset_s: int, begins: str, ends: str) -> bool:
    """Whether `at` lies in a part of the day, `begins` within, `ends` not; over midnight too."""
    now = (at + utc_offset_s) % DAY
    first, last = minutes_of(begins) * 60, minutes_of(ends) * 60
    return first <= now < last if first <= last else now >= first or now < last


def next_window(at: int, utc_offset_s: int, begins: str, ends: str, lasts_s: int = 0) -> Window:
    """When something of `lasts_s` may start so that it lies whole within a part of the day (not
    over midnight): today's rest, else tomorrow's."""
    today = midnight(at, utc_offset_s)
    for start in (today, today + DAY):
        last = start + minutes_of(ends) * 60 - lasts_s
        if last >= at:
            return Window(max(at, start + minutes_of(begins) * 60), last)
    return Window(today + DAY + minutes_of(begins) * 60, today + DAY + minutes_of(ends) * 60)


def shift_at(text: str, at: int, utc_offset_s: int) -> Window | None:
    """The shift `HH:MM-HH:MM` that runs at `at`, else the next one; None where the text is none."""
    first, dash, last = text.partition("-")
    try:
        begins, ends = minutes_of(first.strip()) * 60, minutes_of(last.strip()) * 60
    except ValueError:
        return None
    if not dash or begins == ends:
        return None
    today = midnight(at, utc_offset_s)
    for start in (today - DAY, today, today + DAY):
        shift = Window(start + begins, start + ends + (DAY if ends < begins else 0))
        if shift.ends > at:
            return shift
    return None


class Rest(NamedTuple):
    """A break that is still to come: when it may begin, and how long it lasts."""

    begins: int
    ends: int
    lasts: int


def breaks_of(
    pauses: list[Pause], shift: Window, at: int, utc_offset_s: int, taken: Sequence[int] = ()
) -> list[Rest]:
    """The breaks of a shift that can still be taken whole, earliest first; one whose times are none
    is left away, and so is one that was `taken`: begun then."""
    found, had = [], list(taken)
    for pause in pauses:
        try:
            after, before = minutes_of(pause.after) * 60, minutes_of(pause.before) * 60
        except ValueError:
            continue
        if not 0 < pause.minutes <= DAY // 60:
            continue
        first = midnight(shift.begins, utc_offset_s)
        for day in dict.fromkeys((first, first + DAY)):
            last = day + before + (DAY if before < after else 0)
            own = next((t for t in had if day + after <= t <= last), None)
            if own is not None:
                had.remove(own)
                break
            begins = max(day + after, shift.begins, at)
            ends = min(last, shift.ends - pause.minutes * 60)
            if begins <= ends:
                found.append(Rest(begins, ends, pause.minutes * 60))
                break
    return sorted(found)
