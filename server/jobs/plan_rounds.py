"""The rolling plan: a child makes it every some seconds, and what still holds of it when it is done
comes into force."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from dispatch_core.dispatch import CrewDay, Plan
from dispatch_core.errors import Unavailable
from dispatch_core.events import CrewDayPlanned, Event, PlanFigures, PlannedVisit
from dispatch_core.ids import CrewId, TicketId, unix
from realtime.reader import Gone
from server.adapters import decision_pieces, dispatch_waiting, plan_store
from server.adapters.dispatch_snapshots import Snapshots, Taken
from server.adapters.dispatch_waiting import Present
from server.adapters.engine_store import EngineStore
from server.adapters.feed_reads import FeedReads
from server.adapters.lease import Lost
from server.adapters.plan_store import Made, PlanHead, StoredPlan
from server.jobs.planning_asks import AskPlan, Planned
from server.jobs.worker import Died, Worker

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
SPARE_CPU_S = 5.0
"""For reading the inputs and writing the answer."""
AFTER_LOSS_S = 5.0
LEAST_S, SHARE = 4.0, 3.0
"""After a round its company rests so long, and so many times the CPU that it took."""
LATE = 4.0
"""On a busy machine a second of CPU may take so many by the clock."""


@dataclass
class Pace:
    """When a company's next round is: by its own clock, which a rehearsal may let run faster, yet
    never more than a quarter of a processor's time goes into its rounds."""

    at: int = 0
    """Business time of the last one."""
    ended: float = float("-inf")
    not_before: float = float("-inf")
    lost_since: int | None = None
    """Business time since when rounds break off; None: the last one did not."""

    def due(self, now: int, every_s: int) -> bool:
        """Whether it is time, by either clock."""
        return abs(now - self.at) >= every_s or time.monotonic() - self.ended >= every_s


class PlanRounds:
    """Rounds of all companies, one after the other."""

    def __init__(
        self, store: EngineStore, reads: FeedReads, snapshots: Snapshots, worker: Worker
    ) -> None:
        self._store = store
        self._reads = reads
        self._snapshots = snapshots
        self._worker = worker
        self._pace: dict[int, Pace] = {}

    async def run(self) -> None:
        """Until cancelled. Raises lease.Lost when another core leads."""
        while True:
            try:
                companies = await self._reads.companies()
            except (Unavailable, Gone):
                companies = {}
            for company in companies:
                pace = self._pace.setdefault(company, Pace())
                if time.monotonic() < pace.not_before:
                    continue
                try:
                    await self._look(company, pace)
                except Lost:
                    raise
                except (Unavailable, Gone) as error:
                    log.warning("a round of the plan waits: %s", error)
                    pace.not_before = time.monotonic() + AFTER_LOSS_S
                except Exception as error:
                    log.warning(
                        "a round of the plan is lost; the next is in a moment: %s",
                        error,
                        exc_info=not isinstance(error, Died),
                    )
                    pace.not_before = time.monotonic() + AFTER_LOSS_S
                    await self._tell_lost(company, pace)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _tell_lost(self, company: int, pace: Pace) -> None:
        """Say, once, that the plan in force is the last one that could be made."""
        if pace.lost_since is not None:
            return
        try:
            async with self._store.company(company) as tx:
                head = await plan_store.plan_head(tx.connection, company)
                if head.stored is not None:
                    told = _figures(head.stored, head.version, lost_since=unix(tx.now))
                    await tx.tell([("figure:plan", told)])
                pace.lost_since = unix(tx.now)
        except (Unavailable, Gone) as error:
            log.warning("that a round is lost is told with the next one: %s", error)

    async def _look(self, company: int, pace: Pace) -> None:
        """A round, if it is time for one and there is something to plan."""
        async with self._store.company(company) as tx:
            rounds = (await tx.policy()).dispatch.rounds
            if not pace.due(unix(tx.now), rounds.every_s):
                return
            open_ = (await dispatch_waiting.look(tx.connection, company)).open
            head = await plan_store.plan_head(tx.connection, company)
            at = unix(tx.now)
        idle = head.stored is not None and not any(d.visits for d in head.stored.plan.days)
        if not open_ and (idle or head.version == 0) and pace.lost_since is None:
            return
        taken = await self._snapshots.take(company)
        asked = AskPlan(
            inputs=msgspec.Raw(taken.body), iterations=rounds.iterations, cpu_s=rounds.cpu_s
        )
        cpu_s = rounds.cpu_s + SPARE_CPU_S
        done = await self._worker.ask(
            "plan", msgspec.msgpack.encode(asked), cpu_s=cpu_s, within_s=cpu_s * LATE
        )
        planned = msgspec.msgpack.decode(done.body, type=Planned)
        await self._into_force(company, taken, planned, done.cpu_ms)
        pace.at, pace.ended, pace.lost_since = at, time.monotonic(), None
        pace.not_before = pace.ended + max(LEAST_S, SHARE * done.cpu_ms / 1000)

    async def _into_force(self, company: int, taken: Taken, planned: Planned, cpu_ms: int) -> None:
        root, pieces = decision_pieces.cut(taken.inputs)
        made = Made(
            "plan", None, None, taken.inputs.plan, taken.inputs.policy_version, taken.inputs.at,
            root, {"iterations": planned.iterations}, planned,
        ).stored()  # fmt: skip
        async with self._store.company(company) as tx:
            c = tx.connection
            before = await plan_store.plan_head(c, company)
            if before.version != taken.inputs.plan:
                return  # another core's plan came first
            present = await dispatch_waiting.present(c, company)
            plan = still_true(planned.plan, taken, present)
            version = before.version + 1
            held = [
                msgspec.structs.replace(
                    h,
                    visits=[
                        msgspec.structs.replace(v, tickets=left)
                        for v in h.visits
                        if (left := [t for t in v.tickets if _holds(t, taken, present)])
                    ],
                )
                for h in planned.held
            ]
            stored = StoredPlan(
                plan=plan, held=held, cpu_ms=cpu_ms, travel_because=taken.travel_because
            )
            await plan_store.save_decisions(c, company, [made], pieces)
            if not await plan_store.save_plan(c, company, version, made.digest, stored):
                return
            await tx.tell([*_days(before, plan, version), ("figure:plan", _figures(
                stored, version))])  # fmt: skip


def still_true(plan: Plan, taken: Taken, present: Mapping[TicketId, Present]) -> Plan:
    """The plan without the tickets that moved while it was made."""
    return msgspec.structs.replace(
        plan,
        days=[
            msgspec.structs.replace(
                day, visits=[v for visit in day.visits if (v := _left(visit, taken, present))]
            )
            for day in plan.days
        ],
        unplanned=[u for u in plan.unplanned if _holds(u.ticket, taken, present)],
    )


def _left(
    visit: PlannedVisit, taken: Taken, present: Mapping[TicketId, Present]
) -> PlannedVisit | None:
    left = [t for t in visit.tickets if _holds(t, taken, present)]
    return msgspec.structs.replace(visit, tickets=left) if left else None


def _holds(ticket: TicketId, taken: Taken, present: Mapping[TicketId, Present]) -> bool:
    was, now = taken.tickets.get(ticket), present.get(ticket)
    return (
        was is not None
        and now is not None
        and (was.state, was.level, was.crew, was.with_crew)
        == (now.state, now.level, now.crew, now.with_crew)
    )


def _days(before: PlanHead, plan: Plan, version: int) -> list[tuple[str, Event]]:
    """The days that are others than they were, and those of crews that have none any more."""
    old: dict[CrewId, CrewDay] = {d.crew: d for d in before.stored.plan.days} if (
        before.stored) else {}  # fmt: skip
    new = {day.crew: day for day in plan.days}
    new |= {crew: CrewDay(crew=crew, visits=[], breaks=[]) for crew in old if crew not in new}
    return [
        (f"crew:{crew}", CrewDayPlanned(plan=version, visits=day.visits, breaks=day.breaks))
        for crew, day in sorted(new.items())
        if old.get(crew) != day
    ]


def _figures(stored: StoredPlan, version: int, lost_since: int | None = None) -> PlanFigures:
    plan, f = stored.plan, stored.plan.figures
    return PlanFigures(
        plan=version,
        made_at=plan.made_at,
        visits=f.visits,
        unplanned=f.unplanned,
        late=f.late_red + f.late_yellow + f.late_blue,
        changed=f.changed,
        cap=f.cap,
        travel=plan.travel,
        travel_because=stored.travel_because,
        cpu_ms=stored.cpu_ms,
        iterations=f.iterations,
        lost_since=lost_since,
    )
