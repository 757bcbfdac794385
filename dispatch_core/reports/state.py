"""Which 24 hours a morning report is of, and its state: frozen once, remarked upon afterwards."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import msgspec

from dispatch_core import events as e
from dispatch_core.errors import Conflict
from dispatch_core.events import Event

FROZEN_AT = time(7, 30)
"""Local time up to which the figures run."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen report and the remarks made on it since."""

    version: int
    frozen_at: int
    frozen: e.ReportFrozen
    remarks: list[e.ReportCorrected] = []


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Freeze the figures of a day; a second time makes nothing."""

    frozen: e.ReportFrozen


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Write a remark beside the figures."""

    corrected: e.ReportCorrected


def due(local: datetime) -> tuple[datetime, datetime]:
    """The 24 hours of the newest report that is due at a local time, as (from, until)."""
    until = datetime.combine(local.date(), FROZEN_AT, local.tzinfo)
    if local < until:
        until = datetime.combine(local.date() - timedelta(days=1), FROZEN_AT, local.tzinfo)
    start = datetime.combine(until.date() - timedelta(days=1), FROZEN_AT, local.tzinfo)
    return start, until


def decide(state: Report | None, command: Freeze | Remark, now: datetime) -> list[Event]:
    """The facts that a command makes: none where the day is frozen already.

    Raises:
        Conflict: `not_frozen_yet` for a remark on a report that does not exist.
    """
    del now
    if isinstance(command, Freeze):
        return [] if state is not None else [command.frozen]
    if state is None:
        raise Conflict("not_frozen_yet", "There is no report of this day.", "Choose another day.")
    return [command.corrected]


def apply(state: Report | None, event: Event, at: int) -> Report:
    """The report after one more fact. Raises ValueError for one that cannot be the next."""
    match event:
        case e.ReportFrozen() if state is None:
            return Report(version=1, frozen_at=at, frozen=event)
        case e.ReportCorrected() if state is not None:
            remarks = [*state.remarks, event]
            return msgspec.structs.replace(state, version=state.version + 1, remarks=remarks)
        case _:
            raise ValueError(f"{type(event).__name__} cannot be the next fact of a report")


def name_of(until: datetime) -> str:
    """The day of a report: that on whose morning it was frozen, e.g. `2026-01-14`."""
    return until.date().isoformat()
