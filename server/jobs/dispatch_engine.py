"""The engine of dispatch where the core leads: keeps a proposal beside every ticket that waits, and
lets the policy confirm what it may; what it computes, child processes compute."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from dispatch_core import tickets
from dispatch_core.commands import MarkUnproposed, ProposedAgain
from dispatch_core.errors import Refused, Unavailable
from dispatch_core.events import Event, ProposalWithdrawn
from dispatch_core.ids import TicketId, unix
from realtime.reader import Gone
from server.adapters import decision_pieces, decision_reads, dispatch_waiting, plan_store
from server.adapters.dispatch_snapshots import Snapshots, Taken
from server.adapters.dispatch_waiting import Look
from server.adapters.engine_store import ACTOR, EngineStore, EngineTransaction
from server.adapters.feed_reads import FeedReads
from server.adapters.lease import Lost
from server.adapters.plan_store import KnownProposal, Made, StoredDecision
from server.jobs import escalation
from server.jobs.dispatch_state import Memory, Standing
from server.jobs.planning_asks import AskProposals, Scored
from server.jobs.worker import Died, Worker
from server.ports import Loaded
from server.usecases.dispatching import DispatchTicket, Stale

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.3
PAUSE_PART, PAUSE_MOST_S = 4.0, 3.0
"""After a look this many times as long as it took, to this limit: with thousands of open tickets a
look takes most of a second, and the intake is not to pay for it."""
AT_ONCE = 200
"""Tickets without a proposal that are scored in one look; the rest have their turn at the next."""
RENEW_EVERY_S, RENEWED = 3.0, 40
"""So many others are scored again, and so often: the plan and the crews move all the time."""
CPU_S, WITHIN_S = 5.0, 10.0
"""What one look's proposals may take, of a processor and of time, before the child is ended."""
AWAY_S = 10.0
"""A red ticket that the engine could not score for so long is told of as one without a proposal."""


class Proposals:
    """Proposals of all companies."""

    def __init__(
        self, store: EngineStore, reads: FeedReads, snapshots: Snapshots, worker: Worker
    ) -> None:
        self._store = store
        self._reads = reads
        self._snapshots = snapshots
        self._worker = worker
        self._memory: dict[int, Memory] = {}

    async def run(self) -> None:
        """Until cancelled. Raises lease.Lost when another core leads."""
        while True:
            began = time.monotonic()
            try:
                companies = await self._reads.companies()
            except (Unavailable, Gone):
                companies = {}
            for company in companies:
                memory = self._memory.setdefault(company, Memory(company))
                try:
                    await self._look(memory)
                except Lost:
                    raise
                except (Unavailable, Gone, Died) as error:
                    memory.forget()
                    log.warning("proposals wait: %s", error)
                except Exception:
                    memory.forget()
                    log.exception("proposals are looked at again in a moment")
                    await asyncio.sleep(1.0)
            took = time.monotonic() - began
            await asyncio.sleep(max(LOOK_EVERY_S - took, min(PAUSE_MOST_S, PAUSE_PART * took)))

    async def _look(self, memory: Memory) -> None:
        async with self._store.company(memory.company) as tx:
            if not memory.loaded:
                await self._load(tx, memory)
            seen = await dispatch_waiting.look(tx.connection, memory.company)
            policy = (await tx.policy()).version
            at = unix(tx.now)
        for ticket in seen.waiting:
            memory.seen_at.setdefault(ticket, time.monotonic())
        gone = [t for t in memory.seen_at if t not in seen.waiting]
        gone += [t for t in memory.standing if t not in seen.waiting and t not in gone]
        if gone:
            await self._withdraw(memory, gone)
        now = time.monotonic()
        due, old = memory.due(seen.waiting, seen.crews, seen.plan, policy, now)
        due = due[:AT_ONCE]
        if not due and old and now - memory.renewed_at > RENEW_EVERY_S:
            due = old[:RENEWED]
            memory.renewed_at = now
        try:
            if due:
                await self._score(memory, due)
        finally:
            await self._reds(memory, seen, at)

    async def _load(self, tx: EngineTransaction, memory: Memory) -> None:
        """What was proposed before this core led, or before a transaction was rolled back."""
        known = await plan_store.known_proposals(tx.connection, memory.company)
        found = await decision_reads.load_seen(
            tx.connection, memory.company, {k.decision for k in known}
        )
        for k in known:
            proposal = found[k.decision].proposal if k.decision in found else None
            if proposal is not None:
                memory.put(Standing(k, proposal), float("-inf"))
            else:
                memory.seen_at.setdefault(k.ticket, time.monotonic())
        memory.loaded = True

    async def _withdraw(self, memory: Memory, gone: Sequence[TicketId]) -> None:
        async with self._store.company(memory.company) as tx:
            await plan_store.drop_proposals(tx.connection, memory.company, gone)
            had = [t for t in gone if t in memory.standing]
            await tx.tell([(f"ticket:{ticket}", ProposalWithdrawn()) for ticket in had])
        for ticket in gone:
            memory.drop(ticket)

    # ---------------------------------------------------------------- scoring
    async def _score(self, memory: Memory, due: Sequence[TicketId]) -> None:
        taken = await self._snapshots.take(memory.company)
        now = taken.tickets
        there = [t for t in due if t in now and dispatch_waiting.waits(now[t].state, now[t].level)]
        if not there:
            return
        asked = AskProposals(inputs=msgspec.Raw(taken.body), tickets=there)
        done = await self._worker.ask(
            "proposals", msgspec.msgpack.encode(asked), cpu_s=CPU_S, within_s=WITHIN_S
        )
        scored = msgspec.msgpack.decode(done.body, type=list[Scored])
        root, pieces = decision_pieces.cut(taken.inputs)
        standing: list[Standing] = []
        new: list[StoredDecision] = []
        told: list[tuple[str, Event]] = []
        autos: list[tuple[Standing, str]] = []
        async with self._store.company(memory.company) as tx:
            c = tx.connection
            still = await dispatch_waiting.still_waiting(c, memory.company, there)
            for s in scored:
                p = s.proposal
                if still.get(p.ticket) != p.ticket_version:
                    continue  # it moved meanwhile: the next look sees it as it is
                had = memory.standing.get(p.ticket)
                if had is not None and had.same(p) and s.auto is None:
                    known = had.known._replace(plan=p.plan)
                    standing.append(Standing(known, had.proposal, scored=p))
                    continue
                decision = made_of(p.ticket, p, taken, root).stored()
                known = KnownProposal(p.ticket, p.ticket_version, p.plan, decision.digest)
                standing.append(Standing(known, p))
                new.append(decision)
                told.append((f"ticket:{p.ticket}", p.told(decision.digest)))
                if s.auto is not None:
                    autos.append((standing[-1], s.auto))
            if new:
                await plan_store.save_decisions(c, memory.company, new, pieces)
            await plan_store.save_proposals(c, memory.company, [s.known for s in standing])
            await tx.tell(told)
        for one in standing:
            memory.put(one, time.monotonic())
        for one, grounds in autos:
            await self._confirm(memory, one, grounds)

    async def _confirm(self, memory: Memory, standing: Standing, grounds: str) -> None:
        """The policy confirms a proposal, unless somebody was quicker or it is out of date."""
        p = standing.proposal
        best = p.choices[0]
        async with self._store.company(memory.company) as tx:
            wish = DispatchTicket(
                ticket=p.ticket, version=p.ticket_version, crew=best.crew, by=ACTOR,
                decision=standing.known.decision, auto=grounds, city=await tx.policy(),
            )  # fmt: skip
            heads: dict[str, tuple[Any, int]] = {}
            loaded = Loaded(
                heads,
                decisions=await decision_reads.load_seen(
                    tx.connection, memory.company, {standing.known.decision}
                ),
                plan=await plan_store.plan_version(tx.connection, memory.company),
            )
            for wanted in (wish.wanted, lambda: wish.more(loaded)):
                streams = [s for s in wanted().streams if s not in heads]
                states = await tx.heads(streams)
                if len(states) < len(streams):
                    return  # in use elsewhere; the next look proposes anew
                heads |= {stream: (state, 0) for stream, state in states.items()}
            try:
                decision = wish.decide(loaded, tx.now)
            except Stale:
                return
            except Refused as refused:
                log.info("%s does not confirm itself: %s", p.ticket, refused)
                return
            for stream, events in decision.appends.items():
                tx.append(stream, events, grounds=decision.grounds, policy=decision.policy)
            await plan_store.keep(tx.connection, memory.company, decision.keeps)
            await tx.flush()
            await tx.tell(decision.told)

    # ---------------------------------------------------------------- red alert
    async def _reds(self, memory: Memory, seen: Look, at: int) -> None:
        """A red ticket without a proposal for too long is told of, once; and when it has one."""
        reds = [t for t, w in seen.waiting.items() if w.level == "red"]
        without = {t for t in reds if not self._proposed(memory, t)}
        memory.had_at.update((t, at) for t in reds if t not in without)
        doubtful = [
            t
            for t in reds
            if memory.unproposed.get(t) is not (t in without)
            and (t in without or memory.unproposed.get(t) is not False)
            and (t in memory.standing or self._away(memory, t))
        ]
        if not doubtful:
            return
        async with self._store.company(memory.company) as tx:
            policy = await tx.policy()
            rounds = policy.dispatch.rounds
            said = 0
            told: dict[TicketId, bool] = {}
            streams = {f"ticket:{t}": t for t in doubtful}
            for stream, state in (await tx.heads(streams)).items():
                ticket = streams[stream]
                if state is None:
                    continue
                since = max(state.heard_at, memory.had_at.get(ticket, 0))
                if ticket not in without:
                    events = tickets.decide(state, ProposedAgain(), tx.now)
                    told[ticket] = False
                elif unix(tx.now) - since >= rounds.red_proposal_within_s:
                    has = memory.standing.get(ticket)
                    left_out = has.proposal.left_out if has else {}
                    mark = MarkUnproposed(
                        since=since, rules=left_out, settled_s=rounds.red_settled_s
                    )
                    events = tickets.decide(state, mark, tx.now)
                    told[ticket] = True
                else:
                    continue
                if events:
                    tx.append(
                        stream, events, grounds="whether a crew can be proposed",
                        policy=policy.version,
                    )  # fmt: skip
                    said += len(events)
                if events and ticket in without:
                    await escalation.carry_up(tx, stream)
            if said:
                await tx.flush()
        memory.unproposed.update(told)

    @staticmethod
    def _proposed(memory: Memory, ticket: TicketId) -> bool:
        standing = memory.standing.get(ticket)
        return standing is not None and bool(standing.proposal.choices)

    @staticmethod
    def _away(memory: Memory, ticket: TicketId) -> bool:
        return time.monotonic() - memory.seen_at.get(ticket, time.monotonic()) > AWAY_S


def made_of(ticket: TicketId, proposal: object, taken: Taken, root: bytes) -> Made:
    """A proposal as it is stored."""
    return Made(
        "proposal", ticket, taken.tickets[ticket].version, taken.inputs.plan,
        taken.inputs.policy_version, taken.inputs.at, root, {"ticket": ticket}, proposal,
    )  # fmt: skip
