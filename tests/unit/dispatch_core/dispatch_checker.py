"""Whether an answer keeps every hard rule: judged from the inputs alone, with none of the product's
own rules, so that a mistake in those is not made twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dispatch_core.dispatch import Inputs, Plan, Proposal, Task, Team
from dispatch_core.events import Choice, PlannedVisit
from geo.travel import between

RANK = {"red": 0, "yellow": 1, "blue": 2}
STAYS_THOUGH = {"stopped": ("on_site",), "over": ("on_site", "en_route", "confirmed")}


def clock(inputs: Inputs, at: int) -> str:
    """HH:MM:SS by the city's clock."""
    local = datetime.fromtimestamp(at, UTC) + timedelta(seconds=inputs.utc_offset_s)
    return local.strftime("%H:%M:%S")


def at_night(inputs: Inputs) -> bool:
    rules, now = inputs.policy.rules, clock(inputs, inputs.at)
    return now >= rules.night_from + ":00" or now < rules.night_until + ":00"


def broken_by_register(inputs: Inputs, team: Team, task: Task) -> str | None:  # noqa: C901
    """What forbids the crew the ticket whenever it would begin."""
    work, rules = task.work, inputs.policy.rules
    if task.place is None and (task.level != "red" or task.area is None):
        return "no_place"
    if task.district in inputs.closed_districts and task.district is not None:
        return "district_closed"
    hurry = task.danger or (task.level == "red" and rules.others_when_red)
    if work.owner != "company" and not hurry:
        return "fault_owner"
    if work.trade not in team.trades:
        return "trade"
    for certificate in work.certificates:
        if certificate not in team.certificates:
            return "certificate"
    if work.skill > team.skill:
        return "skill"
    for permit in work.permits:
        good = [
            p for p in task.permits
            if p.permit == permit and inputs.at < p.valid_until
            and (permit == "hot_work" or p.gas_at is not None)
        ]  # fmt: skip
        if not good and rules.permit_before[task.level] == "dispatch":
            return "permit"
        named = bool(good) and max(good, key=lambda p: p.valid_until).guard
        few = team.members < rules.guard_members
        if permit == "confined_space" and few and not named:
            return "guard"
    if any(thing not in team.equipment for thing in work.vehicle):
        return "vehicle"
    if team.territory and task.district is not None and task.district not in team.territory:
        merged = rules.night_territories
        served = merged == "all" or any(
            task.district in group and any(d in group for d in team.territory) for group in merged
        )
        if not (at_night(inputs) and served):
            return "territory"
    if task.pinned is not None and team.crew != task.pinned and team.crew != task.with_crew:
        return "pinned_elsewhere"
    return None


def broken_by_state(inputs: Inputs, team: Team, ahead_s: int) -> str | None:
    """What keeps the crew from any new ticket."""
    on_site = any(h.stage == "on_site" for h in team.in_hand)
    if team.stopped:
        return "crew_stopped"
    if not team.on_duty:
        return None if ahead_s and "-" in team.shift else "off_duty"
    if team.shift_ends_at is None:
        return "no_shift"
    if team.shift_ends_at <= inputs.at:
        return "shift_end"
    if not on_site:
        if team.place is None and team.base is None:
            return "position_lost"
        if team.place is not None and (team.fix_age_s or 0) >= inputs.position_exclude_s:
            return "position_lost"
    return None


def broken_by_time(
    inputs: Inputs, task: Task, starts_in: tuple[int, int], ends: int, lasts: int
) -> str | None:
    """What forbids work that starts between two times and is over by a third."""
    rules, (first, last) = inputs.policy.rules, starts_in
    agreed = task.appointed_until is not None
    if task.pinned_at is not None:
        return None if first <= max(task.pinned_at, inputs.at) <= last else "pinned_at"
    if agreed and not (task.level == "red" and task.appointed_until < inputs.at):
        begins = task.appointed_from or 0
        return None if last >= begins and first <= task.appointed_until else "appointment"
    if task.work.home_visit and task.level != "red" and not task.night_agreed and not agreed:
        if clock(inputs, last) < rules.home_from + ":00":
            return "home_hours"
        if clock(inputs, ends) > rules.home_until + ":00" or lasts > ends - first:
            return "home_hours"
        if clock(inputs, ends) < clock(inputs, first):
            return "home_hours"
    return None


def check_proposal(inputs: Inputs, proposal: Proposal) -> None:
    """Every choice keeps every rule, and nobody gives way who must not."""
    task = next(t for t in inputs.tasks if t.ticket == proposal.ticket)
    teams = {t.crew: t for t in inputs.teams}
    assert [r.crew for r in proposal.rules] == sorted(teams)
    assert sum(proposal.left_out.values()) == sum(r.rule is not None for r in proposal.rules)
    rules = {r.crew: r.rule for r in proposal.rules}
    assert len({c.crew for c in proposal.choices}) == len(proposal.choices) <= 3
    for choice in proposal.choices:
        crews = [choice.crew] + ([choice.with_crew] if choice.with_crew else [])
        assert len(set(crews)) == len(crews) >= task.work.crews
        for crew in crews:
            team = teams[crew]
            assert rules[crew] is None
            if task.ticket not in {h.ticket for h in team.in_hand}:
                assert broken_by_register(inputs, team, task) is None
                assert len(team.in_hand) < inputs.policy.rules.in_hand_max
            assert broken_by_state(inputs, team, 0) is None
            _check_times(inputs, team, task, choice)
        _check_displaced(inputs, task, choice)
    first = proposal.safe_first
    if first is not None:
        assert (first.with_crew is not None) == (task.work.crews == 2)
        assert any(d.ticket in on_site(inputs) for d in first.displaced)
        _check_displaced(inputs, task, first, leaves=True)
        assert all(c.start_at > first.start_at for c in proposal.choices)


def on_site(inputs: Inputs) -> set[str]:
    """The tickets that a crew works on."""
    return {h.ticket for t in inputs.teams for h in t.in_hand if h.stage == "on_site"}


def _check_times(inputs: Inputs, team: Team, task: Task, choice: Choice) -> None:
    assert inputs.at <= choice.arrive_at <= choice.start_at < choice.end_at
    in_hand = task.ticket in {h.ticket for h in team.in_hand}
    begun = in_hand and task.state in {"confirmed", "handling"}
    lasts = choice.end_at - choice.start_at
    if not in_hand:
        assert lasts == task.work.minutes * 60 or task.state == "handling"
        starts = (choice.start_at, choice.start_at)
        rule = broken_by_time(inputs, task, starts, choice.end_at, lasts)
        assert rule is None or task.state == "handling", rule
    over = inputs.policy.rules.red_beyond_shift_s if task.level == "red" else 0
    assert team.shift_ends_at is not None
    assert begun or choice.end_at <= team.shift_ends_at + over
    assert choice.total == sum(choice.score.values())


def _check_displaced(inputs: Inputs, task: Task, choice: Choice, *, leaves: bool = False) -> None:
    policy = inputs.policy.displacing
    tasks = {t.ticket: t for t in inputs.tasks}
    assert len(choice.displaced) <= policy.most
    assert not choice.displaced or task.level == "red"
    named = [choice.crew] + ([choice.with_crew] if choice.with_crew else [])
    busy = {crew: [(choice.start_at, choice.end_at)] for crew in named}
    for gone in choice.displaced:
        other = tasks[gone.ticket]
        assert RANK[other.level] > RANK[task.level]
        assert other.level in policy.levels
        assert leaves or other.state != "handling"
        assert gone.ticket != task.ticket
        if gone.crew is None:
            continue
        team = next(t for t in inputs.teams if t.crew == gone.crew)
        assert gone.start_at is not None
        if gone.ticket not in {h.ticket for h in team.in_hand}:
            assert broken_by_register(inputs, team, other) is None
            assert broken_by_state(inputs, team, inputs.policy.rounds.ahead_s) is None
        lasts = other.work.minutes * 60
        times = (gone.start_at, gone.start_at)
        if other.state == "handling":  # some of the work is done
            lasts = inputs.policy.overrun_s
        over = gone.start_at + lasts
        assert broken_by_time(inputs, other, times, over, lasts) is None
        if team.on_duty:
            assert over <= (team.shift_ends_at or 0)
        assert all(over <= a or gone.start_at >= b for a, b in busy.get(gone.crew, []))
        busy.setdefault(gone.crew, []).append((gone.start_at, over))


def check_plan(inputs: Inputs, plan: Plan) -> None:
    """Nothing is lost, everything is where it may be, and no more has changed than may."""
    tasks = {t.ticket: t for t in inputs.tasks}
    teams = {t.crew: t for t in inputs.teams}
    where: dict[str, list[tuple[str, int]]] = {}
    for day in plan.days:
        _check_day(
            inputs, teams[day.crew], day.visits, [(b.from_at, b.until_at) for b in day.breaks]
        )
        for visit in day.visits:
            for ticket in visit.tickets:
                where.setdefault(ticket, []).append((day.crew, visit.start_at))
    out = {u.ticket for u in plan.unplanned}
    assert out | set(where) == set(tasks)
    assert not out & set(where)
    assert all(u.reasons for u in plan.unplanned)
    for ticket, placed in where.items():
        holders = [t for t in inputs.teams if ticket in {h.ticket for h in t.in_hand}]
        two = tasks[ticket].work.crews == 2 or len(holders) == 2
        begun = any(
            h.stage != "dispatched" for t in holders for h in t.in_hand if h.ticket == ticket
        )
        assert len(placed) == (2 if two else 1) or (two and begun)
        assert len({at for _, at in placed}) == 1 or tasks[ticket].state == "handling"
    _check_kept(inputs, where)
    _check_churn(inputs, plan, where)


def _check_day(
    inputs: Inputs, team: Team, visits: list[PlannedVisit], breaks: list[tuple[int, int]]
) -> None:
    tasks = {t.ticket: t for t in inputs.tasks}
    at, place = inputs.at, team.place or team.base
    in_hand = {h.ticket: h.stage for h in team.in_hand}
    needed: dict[str, int] = {}
    for visit in visits:
        lead = tasks[visit.tickets[0]]
        assert at <= visit.leave_at <= visit.start_at < visit.end_at
        to = lead.place or lead.area
        if place is not None and to is not None and visit.state != "on_site":
            way = between(
                inputs.travel.model, (place.lon_u, place.lat_u),
                (to.lon_u, to.lat_u), inputs.at,
            )  # fmt: skip
            assert visit.start_at - visit.leave_at >= way
        for begins, ends in breaks:
            assert visit.end_at <= begins or visit.start_at >= ends
        _check_visit(inputs, team, visit, in_hand)
        for ticket in visit.tickets:
            if ticket not in in_hand:
                for part, n in tasks[ticket].work.parts.items():
                    needed[part] = needed.get(part, 0) + n
        at, place = visit.end_at, to
    if team.parts is not None and not inputs.stores:
        spoken: dict[str, int] = {}
        for ticket in in_hand:
            for part, n in tasks[ticket].work.parts.items() if ticket in tasks else []:
                spoken[part] = spoken.get(part, 0) + n
        for part, n in needed.items():
            assert n <= max(0, team.parts.get(part, 0) - spoken.get(part, 0))


def _check_visit(inputs: Inputs, team: Team, visit: PlannedVisit, in_hand: dict[str, str]) -> None:
    tasks = {t.ticket: t for t in inputs.tasks}
    ahead = inputs.policy.rounds.ahead_s
    for n, ticket in enumerate(visit.tickets):
        task = tasks[ticket]
        if in_hand.get(ticket, "dispatched") != "dispatched":
            continue
        if ticket not in in_hand:
            assert broken_by_register(inputs, team, task) is None
            assert broken_by_state(inputs, team, ahead) is None
            if team.on_duty:
                over = inputs.policy.rules.red_beyond_shift_s if task.level == "red" else 0
                assert visit.end_at <= (team.shift_ends_at or 0) + over
        elif broken_by_state(inputs, team, ahead) is not None:
            continue
        last = visit.start_at if n == 0 else visit.end_at
        rule = broken_by_time(
            inputs, task, (visit.start_at, last), visit.end_at, 0 if n else task.work.minutes * 60
        )
        assert rule is None, rule
        if "confined_space" in task.work.permits and task.permits:
            assert len(visit.tickets) > 1 or any(
                visit.start_at <= p.valid_until or p.valid_until <= inputs.at for p in task.permits
            )


def _check_kept(inputs: Inputs, where: dict[str, list[tuple[str, int]]]) -> None:
    """What people gave to a crew stays with it as long as the crew can work."""
    for team in inputs.teams:
        stays: tuple[str, ...] = ("dispatched", "confirmed", "en_route", "on_site")
        if team.stopped:
            stays = STAYS_THOUGH["stopped"]
        elif team.shift_ends_at is not None and team.shift_ends_at <= inputs.at:
            stays = STAYS_THOUGH["over"]
        for held in team.in_hand:
            if held.stage in stays and held.ticket in where:
                assert team.crew in {crew for crew, _ in where[held.ticket]}


def _check_churn(inputs: Inputs, plan: Plan, where: dict[str, list[tuple[str, int]]]) -> None:
    teams = {t.crew: t for t in inputs.teams}
    tasks = {t.ticket: t for t in inputs.tasks}
    given = {h.ticket for t in inputs.teams for h in t.in_hand}
    had: dict[str, str] = {}
    for held in inputs.held:
        for slot in held.visits:
            for ticket in slot.tickets:
                task, team = tasks.get(ticket), teams.get(held.crew)
                if task is None or team is None or ticket in given or task.work.crews == 2:
                    continue
                if broken_by_register(inputs, team, task) is None and (
                    broken_by_state(inputs, team, 1) is None
                ):
                    had.setdefault(ticket, held.crew)
    changed = [t for t, crew in had.items() if t in where and where[t][0][0] != crew]
    churn = inputs.policy.churn
    assert len(changed) <= max(churn.cap_min, len(had) * churn.cap_pm // 1_000)
    assert set(plan.changed) <= set(changed)
