"""What time alone makes true of a household's heating."""

from __future__ import annotations

from dispatch_core.events import (
    Event,
    StopApplied,
    StopApproved,
    StopLate,
    StopOver,
    StopWithdrawn,
)
from dispatch_core.ids import ApplicationId
from dispatch_core.suspensions.decide import BY_POLICY
from dispatch_core.suspensions.policy import Policy
from dispatch_core.suspensions.state import UNDECIDED, Application, Heating

SYSTEM = "system"


def watch(heating: Heating, policy: Policy, version: str, now: int) -> list[Event]:
    """Deadlines of the loop that have passed, and temporary stops that have ended.

    A stop that ends applies for the opening by itself, unless the household has asked for
    something else meanwhile.
    """
    made: list[Event] = []
    for a in heating.applications:
        if a.check_at is None or a.check_at > now:
            continue
        if a.in_force and a.stop_until is not None and a.stop_until <= now:
            made += _ended(heating, a, policy, version, now)
        elif a.state == "approved" and a.visit_due_at is not None:
            made.append(
                StopLate(application=a.id, action=a.action, what="visit", due_at=a.visit_due_at)
            )
        elif a.state == "completed" and a.known_by is not None:
            made.append(
                StopLate(application=a.id, action=a.action, what="known", due_at=a.known_by)
            )
    return made


def _ended(heating: Heating, a: Application, policy: Policy, version: str, now: int) -> list[Event]:
    over = StopOver(application=a.id, action=a.action, stop_until=a.stop_until or now)
    if a.state in UNDECIDED:  # its valve was never shut
        gone = StopWithdrawn(application=a.id, action=a.action, by=SYSTEM, reason=None)
        return [over, gone]
    if not heating.rests_on(a):
        return [over]
    replaced: list[Event] = []
    other = heating.undecided
    if other is not None:
        if other.action != "resume" or other.state == "approved":
            return []  # looked at again: if that comes to nothing, the flat is still to be opened
        # Its heat is due by now, whatever a person would have found.
        replaced = [
            StopWithdrawn(application=other.id, action=other.action, by=SYSTEM, reason=None)
        ]
    name = ApplicationId(f"{a.id}-end")
    return [
        over,
        *replaced,
        StopApplied(
            application=name, action="resume", household=heating.household, season=a.season,
            place=heating.place, risers=heating.risers, resident=a.resident, source=SYSTEM,
            photos=[], words=None, stop_from=None, stop_until=None, checks=[], asked_at=now,
            policy=version,
        ),
        StopApproved(
            application=name, action="resume", by=BY_POLICY, took_s=0,
            visit_due_at=now + policy.visit_within_s, visit_from=now,
            # What the temporary stop left to be paid stands as it was said then.
            base_fee_fen=a.base_fee_fen, base_fee_pct=a.base_fee_pct, reason=None,
        ),
    ]  # fmt: skip
