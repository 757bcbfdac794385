"""What web processes ask the engine: a proposal, a price, what if. Nothing here changes anything
but the store of decisions."""

from __future__ import annotations

import msgspec

from dispatch_core import dispatch
from dispatch_core.dispatch import Change, Proposal
from dispatch_core.errors import Conflict, NotFound
from dispatch_core.ids import TicketId
from server.adapters import decision_pieces, plan_store
from server.adapters.dispatch_snapshots import Snapshots, Taken
from server.adapters.engine_calls import Answered, Call, PriceOf, ProposalOf, unavailable
from server.adapters.engine_store import EngineStore
from server.adapters.plan_store import Made
from server.jobs.planning_asks import AskPrice, AskProposals, AskWhatIf, Scored
from server.jobs.worker import Died, Worker

CPU_S, WITHIN_S = 5.0, 10.0
"""What an answer may take, of a processor and of time, before the child is ended; the caller may
have given up long before."""
WHAT_IF_STEPS = 2_500_000
"""Iterations times open tickets of each of a what-if's two plans, never more than a round's: both
take about half a second of CPU, and cost within half a percent of what a round's would."""
_encode = msgspec.msgpack.encode


class DispatchAnswers:
    """Answers one call at a time of each kind; the children compute."""

    def __init__(
        self, store: EngineStore, snapshots: Snapshots, worker: Worker, what_if: Worker
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._worker = worker
        self._what_if = what_if

    async def answer(self, call: Call) -> bytes:
        """MessagePack. Raises Refused."""
        try:
            match call.what:
                case "propose":
                    asked = msgspec.msgpack.decode(call.body, type=ProposalOf)
                    return _encode(await self._propose(call, asked.ticket))
                case "price":
                    return _encode(
                        await self._price(call, msgspec.msgpack.decode(call.body, type=PriceOf))
                    )
                case "what_if":
                    change = msgspec.msgpack.decode(call.body, type=Change)
                    return await self._change(call, change)
                case _:
                    raise NotFound("no_such_call", f"The engine knows no {call.what}.", "Upgrade.")
        except Died:
            raise unavailable() from None

    async def _propose(self, call: Call, ticket: TicketId) -> Answered:
        taken = await self._taken(call, ticket)
        asked = AskProposals(inputs=msgspec.Raw(taken.body), tickets=[ticket])
        done = await self._worker.ask("proposals", _encode(asked), cpu_s=CPU_S, within_s=WITHIN_S)
        proposal: Proposal = msgspec.msgpack.decode(done.body, type=list[Scored])[0].proposal
        decision = await self._keep(call, taken, "proposal", ticket, {"ticket": ticket}, proposal)
        return Answered(
            decision=decision, ticket_version=proposal.ticket_version, plan=taken.inputs.plan,
            policy=taken.inputs.policy_version,
            made_at=taken.inputs.at,
            proposal=proposal,
        )  # fmt: skip

    async def _price(self, call: Call, of: PriceOf) -> Answered:
        taken = await self._taken(call, of.ticket)
        asked = AskPrice(inputs=msgspec.Raw(taken.body), of=of)
        done = await self._worker.ask("price", _encode(asked), cpu_s=CPU_S, within_s=WITHIN_S)
        priced = msgspec.msgpack.decode(done.body, type=dispatch.Priced)
        decision = await self._keep(call, taken, "price", of.ticket, of, priced)
        return Answered(
            decision=decision, ticket_version=taken.tickets[of.ticket].version,
            plan=taken.inputs.plan, policy=taken.inputs.policy_version,
            made_at=taken.inputs.at, priced=priced,
        )  # fmt: skip

    async def _change(self, call: Call, change: Change) -> bytes:
        taken = await self._snapshots.take(call.company)
        most = taken.inputs.policy.rounds.iterations
        steps = min(most, WHAT_IF_STEPS // max(1, len(taken.inputs.tasks)))
        asked = AskWhatIf(
            inputs=msgspec.Raw(taken.body), change=change,
            iterations=steps,
        )  # fmt: skip
        done = await self._what_if.ask(
            "what_if", _encode(asked), cpu_s=CPU_S, within_s=2 * WITHIN_S
        )
        return done.body

    async def _taken(self, call: Call, ticket: TicketId) -> Taken:
        taken = await self._snapshots.take(call.company)
        if ticket not in taken.tickets:
            raise Conflict(
                "nothing_to_propose",
                f"Ticket {ticket} is not open, or no crew has to go there any more.",
                "Look at the ticket as it is now.",
            )
        return taken

    async def _keep(
        self, call: Call, taken: Taken, kind: plan_store.DecisionKind, ticket: TicketId,
        asked: object, answer: object,
    ) -> str:  # fmt: skip
        root, pieces = decision_pieces.cut(taken.inputs)
        made = Made(
            kind, ticket, taken.tickets[ticket].version, taken.inputs.plan,
            taken.inputs.policy_version, taken.inputs.at, root, asked, answer,
        ).stored()  # fmt: skip
        async with self._store.company(call.company) as tx:
            await plan_store.save_decisions(tx.connection, call.company, [made], pieces)
        return made.digest
