"""What a case must be warned of as time passes."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.cases.state import RUNNING, Case, apply
from dispatch_core.events import CaseNear, CasePassed, Event
from dispatch_core.ids import unix


def watch(case: Case, now: datetime) -> list[Event]:
    """The warnings that have become true by `now` and are not committed yet, oldest first."""
    at = unix(now)
    events: list[Event] = []
    for clock in sorted(RUNNING[case.state], key=case.deadline):
        deadline, said = case.deadline(clock), case.warned.get(clock, "no")
        event: CaseNear | CasePassed
        if deadline <= at and said != "passed":
            event = CasePassed(
                origin=case.origin,
                number=case.number,
                state=case.state,
                clock=clock,
                deadline=deadline,
            )
        elif at < deadline <= at + case.clocks.near_s and said == "no":
            event = CaseNear(
                origin=case.origin,
                number=case.number,
                state=case.state,
                clock=clock,
                deadline=deadline,
            )
        else:
            continue
        case = apply(case, event, at)
        events.append(event)
    return events


def next_look(case: Case) -> int | None:
    """When `watch` can next have something to say (Unix seconds); None while it never will."""
    times = []
    for clock in RUNNING[case.state]:
        said = case.warned.get(clock, "no")
        if said != "passed":
            near = case.clocks.near_s if said == "no" else 0
            times.append(case.deadline(clock) - near)
    return min(times, default=None)
