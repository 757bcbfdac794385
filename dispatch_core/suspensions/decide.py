"""Decides on applications: by policy when they come, by persons and visits afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_core.errors import Conflict, Invalid, NotFound, Refused
from dispatch_core.events import (
    Event,
    StopApplied,
    StopApproved,
    StopClosed,
    StopMadeKnown,
    StopReferred,
    StopRefused,
    StopRepeated,
    StopScheduled,
    StopWithdrawn,
    ValveSet,
)
from dispatch_core.ids import PhotoId, StopKind, Words
from dispatch_core.suspensions import checks, fees
from dispatch_core.suspensions.commands import (
    ApplicationCommand,
    Apply,
    Approve,
    GiveBack,
    MakeKnown,
    Refuse,
    Schedule,
    SetValve,
    Terms,
    Withdraw,
)
from dispatch_core.suspensions.policy import Policy
from dispatch_core.suspensions.state import POSSIBLE, SHUT, Application, Heating, present

BY_POLICY = "policy"
"""Who answered, when no person did."""
NEEDS: dict[type[ApplicationCommand], str] = {
    Approve: "approve", Refuse: "refuse", Withdraw: "withdraw", SetValve: "valve",
    MakeKnown: "known", Schedule: "valve", GiveBack: "valve",
}  # fmt: skip
"""Which step of POSSIBLE a command is."""


def receive(
    heating: Heating | None, command: Apply, policy: Policy, version: str, now: int
) -> list[Event]:
    """The facts of an application: a repeat of an open one is counted, another is checked and
    answered at once where the policy can.

    Raises Invalid `season_over`, `season_not_open`, `stop_days_missing`, `stop_days_not_wanted`,
    `stop_in_the_past`, `stop_ends_before_it_begins`, `stop_outside_season`; Conflict
    `another_application_open`.
    """
    undecided = heating.undecided if heating else None
    open_one = undecided or (heating.carried_out(command.season) if heating else None)
    asked = (command.action, command.season)
    if heating and open_one and (open_one.action, open_one.season) == asked:
        return _repeat(heating, open_one, command, policy, now)
    if undecided is not None:
        raise Conflict(
            "another_application_open",
            f"The household's application {undecided.id} ({undecided.action}) is still open.",
            "Withdraw it first, or wait until its valve is set.",
            present(undecided),
        )
    _check_season(command, policy)
    _check_days(command, policy, now)
    made = checks.make(_facts(heating, command, command.photos), policy)
    name, action = command.application, command.action
    applied = StopApplied(
        application=name, action=action, household=command.household, season=command.season,
        place=command.place, risers=command.risers, resident=command.applicant.pseudonym,
        source=command.source, photos=command.photos, words=command.words,
        stop_from=command.stop_from, stop_until=command.stop_until, checks=made,
        asked_at=command.asked_at, policy=version,
    )  # fmt: skip
    took_s = max(0, now - command.asked_at)
    decided, against = checks.outcome(made, policy)
    answer: Event
    match decided:
        case "refuse":
            answer = StopRefused(
                application=name, action=action, by=BY_POLICY, took_s=took_s, because=against,
                reason=None,
            )  # fmt: skip
        case "refer":
            answer = StopReferred(application=name, action=action, because=against)
        case "approve":
            answer = approval(applied, policy, command.terms, by=BY_POLICY, took_s=took_s, now=now)
    return [applied, answer]


def _facts(heating: Heating | None, command: Apply, photos: Sequence[PhotoId]) -> checks.Facts:
    days = command.terms.stop_days
    return checks.Facts(
        action=command.action,
        today=command.terms.today,
        applicant=command.applicant,
        flat=command.flat,
        standing=heating.standing(command.season) if heating else "heated",
        valve=heating.valve if heating else "unknown",
        stop_days=(days[1] - days[0]).days if days else None,
        photos=photos,
    )


def _repeat(
    heating: Heating, a: Application, command: Apply, policy: Policy, now: int
) -> list[Event]:
    """One more of an open application. If it waits for a person only because something was missing,
    and this one brings it, the policy approves; a repeat never makes an answer worse."""
    photos = [p for p in command.photos if p not in a.photos]
    made = checks.make(_facts(heating, command, [*a.photos, *photos]), policy)
    asked_for_same = (a.stop_from, a.stop_until) == (command.stop_from, command.stop_until)
    complete = (
        a.state == "referred"
        and "visit_missed" not in a.because
        and asked_for_same
        and checks.outcome(made, policy)[0] == "approve"
    )
    repeated = StopRepeated(
        application=a.id, action=a.action, times=a.times + 1, source=command.source,
        photos=photos, words=command.words, checks=made if complete else None,
    )  # fmt: skip
    if not complete:
        return [repeated]
    took_s = max(0, now - a.applied_at)
    return [repeated, approval(a, policy, command.terms, by=BY_POLICY, took_s=took_s, now=now)]


def approval(
    a: StopApplied | Application,
    policy: Policy,
    terms: Terms,
    *,
    by: str,
    took_s: int,
    now: int,
    reason: Words | None = None,
) -> StopApproved:
    """An approval with the promised day of the visit and what is owed for the season."""
    due, begins = now + policy.visit_within_s, now
    if a.action == "temporary_stop" and a.stop_from is not None and a.stop_from > due:
        due, begins = a.stop_from, a.stop_from - policy.visit_within_s
    cold = terms.stop_days or (terms.cold_from, terms.today)
    pct = fees.share_pct(a.action, policy, cold)
    return StopApproved(
        application=a.application if isinstance(a, StopApplied) else a.id,
        action=a.action, by=by, took_s=took_s, visit_due_at=due, visit_from=begins,
        base_fee_fen=fees.fee_fen(terms.area_m2, pct, policy), base_fee_pct=pct, reason=reason,
    )  # fmt: skip


def decide(
    heating: Heating | None,
    command: ApplicationCommand,
    policy: Policy,
    now: int,
    terms: Terms | None = None,
) -> list[Event]:
    """The facts that a command on an application makes; an approval needs `terms`.

    Raises NotFound `no_such_application`; Conflict `wrong_state`, `version_conflict`; Invalid
    `reason_needed`, `valve_does_not_fit`, `not_awaited`.
    """
    a = heating.application(command.application) if heating else None
    if a is None:
        raise no_such_application(command.application)
    if isinstance(command, MakeKnown) and (command.department in a.known or a.state == "closed"):
        return []
    _admit(a, command)
    took_s = a.took_s if a.took_s is not None else max(0, now - a.applied_at)
    match command:
        case Approve():
            return [_approve(a, command, policy, terms, took_s, now)]
        case Refuse():
            if not command.because and command.reason is None:
                raise _reason_needed("A refusal says why.", "Give codes, or a written reason.")
            return [
                StopRefused(
                    application=a.id, action=a.action, by=command.by, took_s=took_s,
                    because=command.because, reason=command.reason,
                )
            ]  # fmt: skip
        case Withdraw():
            return [
                StopWithdrawn(
                    application=a.id, action=a.action, by=command.by, reason=command.reason
                )
            ]
        case SetValve():
            return _set_valve(a, command, policy, now)
        case MakeKnown():
            return _make_known(a, command, now)
        case Schedule():
            return [
                StopScheduled(
                    application=a.id, action=a.action, visit=command.visit, due_at=command.due_at
                )
            ]
        case GiveBack():
            return [StopReferred(application=a.id, action=a.action, because=["visit_missed"])]


def _admit(a: Application, command: ApplicationCommand) -> None:
    if command.version is not None and not a.decided <= command.version <= a.version:
        raise Conflict(
            "version_conflict",
            f"The application has changed: it is at version {a.version}.",
            "Look at the application as it is now and decide again.",
            present(a),
        )
    step = NEEDS[type(command)]
    if step not in POSSIBLE[a.state]:
        possible = ", ".join(POSSIBLE[a.state]) or "nothing"
        raise Conflict(
            "wrong_state",
            f"The application is {a.state}: {step} is not possible now.",
            f"Possible now: {possible}.",
            present(a),
        )


def no_such_application(name: str) -> Refused:
    """The refusal for a number that no application has."""
    return NotFound("no_such_application", f"There is no application {name}.", "Check its number.")


def _reason_needed(detail: str, what_to_do: str) -> Invalid:
    return Invalid("reason_needed", detail, what_to_do)


def _approve(
    a: Application, command: Approve, policy: Policy, terms: Terms | None, took_s: int, now: int
) -> StopApproved:
    if terms is None:
        raise ValueError("an approval needs its terms")
    failed = [c.code for c in a.checks if c.verdict == "fail" and c.code in a.because]
    if failed and command.reason is None:
        raise _reason_needed(
            f"These checks failed: {', '.join(failed)}.", "Write why it is approved all the same."
        )
    return approval(a, policy, terms, by=command.by, took_s=took_s, now=now, reason=command.reason)


def fits(action: StopKind, valve: str) -> bool:
    """Whether a valve stands as an application wants it."""
    return valve == "open" if action == "resume" else valve in SHUT


def _set_valve(a: Application, command: SetValve, policy: Policy, now: int) -> list[Event]:
    if not fits(a.action, command.valve):
        wanted = "open" if a.action == "resume" else "closed or sealed"
        raise Invalid(
            "valve_does_not_fit",
            f"The application {a.id} ({a.action}) wants the valve {wanted}, not {command.valve}.",
            "Report what was found as a miss, or withdraw the application.",
        )
    made: list[Event] = [
        ValveSet(
            application=a.id, action=a.action, valve=command.valve, by=command.by, visit=a.visit,
            seal=command.seal, known_by=now + policy.known_within_s,
            departments=policy.departments,
        )
    ]  # fmt: skip
    if set(policy.departments) <= {"service"}:
        made.append(_closed(a, now))
    return made


def _make_known(a: Application, command: MakeKnown, now: int) -> list[Event]:
    if command.department not in a.awaited:
        raise Invalid(
            "not_awaited",
            f"{command.department} need not know of this valve by policy.",
            f"Awaited: {', '.join(a.awaited)}.",
        )
    made: list[Event] = [
        StopMadeKnown(
            application=a.id, action=a.action, department=command.department, by=command.by
        )
    ]
    if {*a.known, command.department} >= set(a.awaited):
        made.append(_closed(a, now))
    return made


def _closed(a: Application, now: int) -> StopClosed:
    return StopClosed(application=a.id, action=a.action, took_s=max(0, now - a.applied_at))


def _check_season(command: Apply, policy: Policy) -> None:
    today = command.terms.today.isoformat()
    if today > policy.season_until:
        raise Invalid(
            "season_over",
            f"The heating season {command.season} ended on {policy.season_until}.",
            "Apply for the coming season once its applications are open.",
        )
    if today < policy.applications_from:
        raise Invalid(
            "season_not_open",
            f"Applications for {command.season} are taken from {policy.applications_from} on.",
            "Apply then.",
        )


def _check_days(command: Apply, policy: Policy, now: int) -> None:
    start, end, days = command.stop_from, command.stop_until, command.terms.stop_days
    if command.action != "temporary_stop":
        if start is not None or end is not None:
            raise Invalid(
                "stop_days_not_wanted",
                f"A {command.action} has no stop_from and stop_until.",
                "Leave them away, or apply for a temporary_stop.",
            )
        return
    if start is None or end is None or days is None:
        raise Invalid(
            "stop_days_missing",
            "A temporary stop needs its first moment without heat and its end.",
            "Give stop_from and stop_until in Unix seconds.",
        )
    if end <= start:
        raise Invalid(
            "stop_ends_before_it_begins", "stop_until is not after stop_from.", "Check both."
        )
    if days[0] < command.terms.today or end <= now:
        raise Invalid(
            "stop_in_the_past", f"stop_from lies on {days[0]}.", "Give today or a day to come."
        )
    if days[0].isoformat() < policy.season_from or days[1].isoformat() > policy.season_until:
        raise Invalid(
            "stop_outside_season",
            f"Heat flows from {policy.season_from} to {policy.season_until}.",
            "Choose days within the season.",
        )
