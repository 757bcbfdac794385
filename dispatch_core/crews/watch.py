"""What time alone makes true of a crew: its position lost or back, a stop over."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.crews.state import POLICY, Crew, Policy
from dispatch_core.events import CrewBack, Event, PositionLost, PositionRegained
from dispatch_core.ids import unix


def watch(
    crew: Crew, last_fix_at: int | None, now: datetime, policy: Policy = POLICY
) -> list[Event]:
    """Whether the crew's position has been lost or regained since the last look.

    `last_fix_at` is the latest accepted fix, Unix seconds. A crew off duty owes no fixes.
    """
    at = unix(now)
    if crew.position_lost_since is not None:
        if last_fix_at is not None and last_fix_at > crew.position_lost_since:
            return [PositionRegained(name=crew.name, lost_s=max(0, at - crew.position_lost_since))]
        return []
    if not crew.on_duty:
        return []
    since = max(last_fix_at or 0, crew.shift_started_at or 0)
    return [PositionLost(name=crew.name, since=since)] if at - since >= policy.silent_s else []


def stop_over(crew: Crew, now: datetime, by: str) -> list[Event]:
    """The crew is back once the time that was given for its stop has come."""
    stopped = crew.stopped
    if stopped is None or stopped.until_at is None or stopped.until_at > unix(now):
        return []
    return [CrewBack(name=crew.name, by=by)]
