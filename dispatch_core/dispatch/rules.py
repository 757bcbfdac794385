"""The hard rules: what keeps a ticket from all crews, a crew from all tickets, one from the other.

Each answers a rule's code or None. Times are judged where a visit is placed; here stands what no
place in a plan can mend.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from dispatch_core.dispatch.daytime import Window, is_between, next_window, shift_at
from dispatch_core.dispatch.inputs import Inputs, Permitted, Task, Team
from dispatch_core.ids import PermitKind, RuleCode

ORDER: Final[tuple[RuleCode, ...]] = (
    "no_place", "district_closed", "fault_owner", "trade", "certificate", "skill", "guard",
    "vehicle", "territory", "crew_stopped", "off_duty", "no_shift", "position_lost",
    "pinned_elsewhere", "permit", "parts", "full", "on_site", "appointment", "home_hours",
    "shift_end", "break", "second_crew", "out_of_time", "after_plan", "no_crew",
)  # fmt: skip
"""Of several broken rules the first of these is told: what lasts longest comes first."""
BIT: Final[dict[RuleCode, int]] = {rule: 1 << n for n, rule in enumerate(ORDER)}


def told(mask: int) -> RuleCode | None:
    """The rule that is told of a mask of broken ones."""
    return ORDER[(mask & -mask).bit_length() - 1] if mask else None


# ------------------------------------------------------------ the ticket


def of_ticket(task: Task, inputs: Inputs) -> RuleCode | None:
    """What keeps every crew from a ticket."""
    rules = inputs.policy.rules
    if task.target is None:
        return "no_place"
    if task.district is not None and task.district in inputs.closed_districts:
        return "district_closed"
    urgent = task.danger or (task.level == "red" and rules.others_when_red)
    if task.work.owner != "company" and not urgent:
        return "fault_owner"
    if rules.permit_before[task.level] == "dispatch" and permit_missing(task, inputs.at):
        return "permit"
    if timing(task, inputs).passed:
        return timing(task, inputs).by
    return None


def waits_for(task: Task, inputs: Inputs) -> RuleCode | None:
    """What a ticket waits for: a permit that is owed before the work begins, parts on order, or a
    place that a van can be sent to."""
    if task.place is None:
        return "no_place"
    if permit_missing(task, inputs.at):
        return "permit"
    return "parts" if task.parts_at is not None else None


def permit_missing(task: Task, at: int) -> bool:
    """Whether a permit is owed that was not written, has run out, or has no gas reading."""
    return any(valid_permit(task, kind, at) is None for kind in task.work.permits)


def valid_permit(task: Task, kind: PermitKind, at: int) -> Permitted | None:
    """The permit of a kind that holds longest; a confined space's has a gas reading."""
    held = [
        p for p in task.permits
        if p.permit == kind and p.valid_until > at
        and (kind != "confined_space" or p.gas_at is not None)
    ]  # fmt: skip
    return max(held, key=lambda p: p.valid_until, default=None)


class Timing(NamedTuple):
    """When work on a ticket may start."""

    earliest: int
    latest: int | None
    """None: whenever."""
    by: RuleCode
    """What sets the latest start."""
    passed: bool
    """It cannot be kept any more by anybody."""


def timing(task: Task, inputs: Inputs) -> Timing:
    """The hard window for the start of work: agreed, locked, by the hours for homes, permitted. A
    locked start that has passed locks the crew alone; a permit must hold when work starts."""
    at, rules = inputs.at, inputs.policy.rules
    lasts = task.work.minutes * 60
    earliest, latest, by = at, None, "out_of_time"
    if task.state == "handling":
        return Timing(at, None, "out_of_time", passed=False)
    by_day = task.work.home_visit and task.level != "red" and not task.night_agreed
    if task.pinned_at is not None and task.pinned_at >= at:
        earliest, latest, by = task.pinned_at, task.pinned_at, "out_of_time"
    elif task.appointed_until is not None:
        earliest = max(at, task.appointed_from or at)
        latest, by = task.appointed_until, "appointment"
        if task.level == "red" and latest < at:
            latest = None
        elif by_day:
            hours = next_window(
                earliest, inputs.utc_offset_s, rules.home_from, rules.home_until, lasts
            )
            earliest = hours.begins
            if hours.ends < latest or earliest > latest:
                latest, by = min(latest, hours.ends), "home_hours"
    elif by_day:
        window = next_window(at, inputs.utc_offset_s, rules.home_from, rules.home_until, lasts)
        earliest, latest, by = window.begins, window.ends, "home_hours"
    ends = [p.valid_until for k in task.work.permits if (p := valid_permit(task, k, at))]
    if ends and (latest is None or min(ends) < latest):
        latest, by = min(ends), "permit"
    code: RuleCode = by  # type: ignore[assignment]
    earliest = max(at, earliest)
    return Timing(earliest, latest, code, passed=latest is not None and latest < earliest)


# ------------------------------------------------------------ the crew


def of_crew(team: Team, inputs: Inputs, *, ahead_s: int = 0) -> RuleCode | None:
    """What keeps a crew from every ticket; with `ahead_s`, one whose shift begins within that time
    is not off duty."""
    if team.stopped:
        return "crew_stopped"
    shift = shift_of(team, inputs)
    if shift is None:
        return "no_shift"
    if not team.on_duty and (ahead_s == 0 or shift.begins > inputs.at + ahead_s):
        return "off_duty"
    if shift.ends <= inputs.at:
        return "shift_end"
    if is_lost(team, inputs):
        return "position_lost"
    return None


def shift_of(team: Team, inputs: Inputs) -> Window | None:
    """The shift that a crew is on, else its next one; None where nobody has given one."""
    if not team.on_duty:
        return shift_at(team.shift, inputs.at, inputs.utc_offset_s)
    if team.shift_ends_at is None:
        return None
    running = shift_at(team.shift, inputs.at, inputs.utc_offset_s)
    begins = running.begins if running is not None else inputs.at
    return Window(min(begins, inputs.at), team.shift_ends_at)


def is_lost(team: Team, inputs: Inputs) -> bool:
    """Whether nobody knows where a crew is; one on site is there, one off duty at its base."""
    if any(h.stage == "on_site" for h in team.in_hand):
        return False
    if not team.on_duty or team.place is None:
        return team.base is None
    return (team.fix_age_s or 0) >= inputs.position_exclude_s


def is_doubtful(team: Team, inputs: Inputs) -> bool:
    """Whether a crew's last fix is so old that its arrival is discounted."""
    return team.on_duty and (team.fix_age_s or 0) >= inputs.position_discount_s


# ------------------------------------------------------------ one and the other


def of_pair(task: Task, team: Team, inputs: Inputs, begins: int) -> RuleCode | None:
    """What the crew lacks that the work asks for, by the register; `begins`: the earliest start."""
    work = task.work
    if work.trade not in team.trades:
        return "trade"
    if not set(work.certificates) <= set(team.certificates):
        return "certificate"
    if team.skill < work.skill:
        return "skill"
    if "confined_space" in work.permits and not _guarded(task, team, inputs):
        return "guard"
    if not set(work.vehicle) <= set(team.equipment):
        return "vehicle"
    if not in_territory(task.district, team.territory, inputs, begins):
        return "territory"
    return None


def _guarded(task: Task, team: Team, inputs: Inputs) -> bool:
    permit = valid_permit(task, "confined_space", inputs.at)
    return team.members >= inputs.policy.rules.guard_members or (
        permit is not None and permit.guard
    )


def is_night(inputs: Inputs, at: int) -> bool:
    """Whether the territories are merged at a time."""
    rules = inputs.policy.rules
    return is_between(at, inputs.utc_offset_s, rules.night_from, rules.night_until)


def in_territory(district: str | None, territory: list[str], inputs: Inputs, begins: int) -> bool:
    """Whether a crew serves a district; by night, groups of them are one. What counts is the
    earliest that the work can begin: what waits for the morning waits for the district's crew."""
    if not territory or district is None or district in territory:
        return True
    if not is_night(inputs, begins):
        return False
    rules = inputs.policy.rules
    if rules.night_territories == "all":
        return True
    return any(
        district in group and not set(group).isdisjoint(territory)
        for group in rules.night_territories
    )


def pinned_elsewhere(task: Task, team: Team) -> bool:
    """Whether a person locked the ticket to another crew."""
    return task.pinned is not None and team.crew not in {task.pinned, task.with_crew}


def missing_parts(task: Task, team: Team, spoken_for: dict[str, int]) -> int | None:
    """Kinds of part that are not on the crew's van, of what its other tickets leave; None where
    nobody has said what lies on it and the work needs some."""
    if not task.work.parts:
        return 0
    if team.parts is None:
        return None
    return sum(
        team.parts.get(part, 0) - spoken_for.get(part, 0) < n for part, n in task.work.parts.items()
    )
