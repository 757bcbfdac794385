"""Suspensions in the core: visits planned per riser, deadlines of the loop, and departments that
have been told."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_core import suspensions
from dispatch_core.events import Event, StopWithdrawn
from dispatch_core.ids import DEPARTMENTS, ApplicationId, unix
from dispatch_core.suspensions import Heating, MakeKnown, Schedule, Visit, visits
from dispatch_core.suspensions.visits import Plan, Waiting
from server.adapters.engine_store import ACTOR, EngineTransaction
from server.adapters.households import load_households
from server.adapters.message_store import NotNow, Told
from server.adapters.suspension_work import Unvisited, open_visits, to_check, unvisited
from server.ports import CityPolicy, Household
from server.usecases.places import of_building


async def plan_visits(tx: EngineTransaction) -> int:
    """Approved applications get their visit: one that is open on their riser, or a new one.
    Returns how many facts."""
    found = await unvisited(tx)
    if not found:
        return 0
    policy = await tx.policy()
    heads: dict[str, Heating | None] = await tx.heads({f"heating:{u.household}" for u in found})
    # Where it is by now: an import may have put right which door the number belongs to.
    homes = await load_households(tx.connection, {u.household for u in found})
    waiting = [
        w
        for u in found
        if (w := _waiting(u, heads.get(f"heating:{u.household}"), homes.get(u.household)))
    ]
    there = await open_visits(tx, {w.building for w in waiting})
    plans = visits.plan(waiting, there)
    states: dict[str, Visit | None] = await tx.heads({f"visit:{p.visit}" for p in plans})
    said = 0
    for plan in plans:
        stream = f"visit:{plan.visit}"
        if stream in states:  # else it is in use elsewhere: the next round
            said += _put(tx, plan, states[stream], heads, policy)
    return said


def _waiting(found: Unvisited, heating: Heating | None, home: Household | None) -> Waiting | None:
    a = heating.application(found.application) if heating else None
    if heating is None or a is None or a.state != "approved" or a.visit is not None:
        return None
    if home is None:
        return None
    return Waiting(
        application=a.id, household=heating.household,
        direction="open" if a.action == "resume" else "close",
        building=home.building.id, unit=home.unit, risers=home.risers,
        place=of_building(home.building), due_at=a.visit_due_at or a.applied_at, visits=a.visits,
    )  # fmt: skip


def _put(
    tx: EngineTransaction,
    plan: Plan,
    visit: Visit | None,
    heads: dict[str, Heating | None],
    policy: CityPolicy,
) -> int:
    if visit is not None and visit.made_at is not None:
        return 0  # made since it was found open
    group = plan.applications
    facts: list[Event] = [visits.planned(group)] if visit is None else visits.joined(visit, group)
    tx.append(
        f"visit:{plan.visit}", facts, grounds="approved applications on the same riser",
        policy=policy.version,
    )  # fmt: skip
    due_at = min(w.due_at for w in group) if visit is None else visit.due_at
    for one in group:
        stream = f"heating:{one.household}"
        command = Schedule(
            application=one.application, version=None, by=ACTOR, visit=plan.visit, due_at=due_at
        )
        made = suspensions.decide(heads[stream], command, policy.suspension, unix(tx.now))
        tx.append(stream, made, grounds=f"visit {plan.visit}", policy=policy.version)
        facts += made
    return len(facts)


async def watch(tx: EngineTransaction) -> int:
    """Deadlines of the loop that have passed, and temporary stops that are over.
    Returns how many facts."""
    streams = await to_check(tx)
    if not streams:
        return 0
    policy = await tx.policy()
    heads: dict[str, Heating | None] = await tx.heads(streams)
    made = {
        stream: suspensions.watch(heating, policy.suspension, policy.version, unix(tx.now))
        for stream, heating in heads.items()
        if heating is not None
    }
    leaving = {
        stream: found
        for stream, events in made.items()
        if (found := _leaving(heads[stream], events)) is not None
    }
    calls: dict[str, Visit | None] = await tx.heads({visit for visit, _ in leaving.values()})
    said = 0
    for stream, events in made.items():
        if stream in leaving:
            visit, application = leaving[stream]
            if visit not in calls:
                continue  # in use elsewhere: the next round
            said += _leave(tx, visit, application, calls, policy)
        if events:
            tx.append(stream, events, grounds="a clock reached its time", policy=policy.version)
            said += len(events)
    return said


def _leaving(heating: Heating | None, events: Sequence[Event]) -> tuple[str, ApplicationId] | None:
    """(stream of its visit, application) of one that ends before its valve was set."""
    for event in events:
        if heating is None or not isinstance(event, StopWithdrawn):
            continue
        a = heating.application(event.application)
        if a is not None and a.visit is not None:
            return f"visit:{a.visit}", a.id
    return None


def _leave(
    tx: EngineTransaction,
    stream: str,
    application: ApplicationId,
    calls: dict[str, Visit | None],
    policy: CityPolicy,
) -> int:
    visit = calls[stream]
    facts = visits.left(visit, application, ACTOR) if visit else []
    tx.append(stream, facts, grounds="the application ended", policy=policy.version)
    for fact in facts:
        visit = visits.apply(visit, fact, unix(tx.now))
    calls[stream] = visit
    return len(facts)


async def delivered(tx: EngineTransaction, messages: Sequence[Told]) -> int:
    """Departments that a gateway has reached know of the valve that the message told them of.
    Returns how many facts; raises NotNow if a household is in use elsewhere."""
    reached = [
        m
        for m in messages
        if m.state == "delivered" and m.kind == "valve_set" and m.about.startswith("heating:")
    ]
    if not reached:
        return 0
    policy = await tx.policy()
    streams = {m.about for m in reached}
    heads: dict[str, Heating | None] = await tx.heads(streams)
    if streams - heads.keys():
        raise NotNow
    said = 0
    for m in sorted(reached, key=lambda m: m.message_id):
        heating = heads[m.about]
        department = next((d for d in DEPARTMENTS if d == m.target), None)
        awaiting = next(
            (
                a
                for a in (heating.applications if heating else [])
                if (a.state, a.completed_at) == ("completed", m.written_at)
                and department in a.awaited
                and department not in a.known
            ),
            None,
        )
        if heating is None or department is None or awaiting is None:
            continue
        command = MakeKnown(application=awaiting.id, version=None, by=m.by, department=department)
        made = suspensions.decide(heating, command, policy.suspension, unix(tx.now))
        tx.append(m.about, made, grounds=f"delivered to {department}", policy=policy.version)
        for event in made:
            heating = suspensions.apply(heating, event, unix(tx.now))
        heads[m.about] = heating
        said += len(made)
    return said
