"""A person gives a ticket to a crew, on a proposal, on a price, or by hand; one that is out of date
is scored again first."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Conflict, Refused, Unavailable
from dispatch_core.ids import CrewId, RedispatchReason, TicketId
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.decision_reads import DecisionReads
from server.adapters.engine_calls import Answered, PriceOf, ProposalOf
from server.adapters.engine_client import EngineClient
from server.adapters.idempotency import Answer
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.problems import MEDIA_TYPE, problem_of
from server.api.ticket_commands import Seen as SeenVersion
from server.api.ticket_commands import Text
from server.ports import Seen
from server.usecases.dispatching import DispatchTicket, GivesWay, Stale, choice_in
from server.usecases.refusing import Refuse
from server.usecases.ticket_answer import TicketAnswer

ROUNDS = 4
"""So often is a proposal scored again before a person is asked; in between another plan came."""
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class GivesWayBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A ticket that gives way, with the version that was seen."""

    ticket: Id
    version: Annotated[int, msgspec.Meta(ge=1)]


class DispatchBody(SeenVersion, kw_only=True, forbid_unknown_fields=True):
    """Which crew, and the proposal or price that the person saw; without one it is by hand. A
    reason is owed for another crew than the best, and when another crew has the ticket."""

    crew: Id
    with_crew: Id | None = None
    decision: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    reason_code: RedispatchReason | None = None
    reason: Text | None = None
    displace: Annotated[list[GivesWayBody], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    made_safe: bool = False


class Confirming(NamedTuple):
    """What a confirmation needs."""

    commits: Commits
    engine: EngineClient
    decisions: DecisionReads
    vault: Vault
    policies: Policies
    clock: BusinessClock


def create_handlers(gate: Gate, of: Confirming) -> list[BaseRouteHandler]:
    """`POST /api/tickets/{id}/dispatch`."""

    @post(
        "/api/tickets/{ticket_id:str}/dispatch",
        status_code=200,
        tags=["tickets"],
        summary="A person gives the ticket to a crew",
        name="ticket-dispatch",
        operation_class=described(
            DispatchBody, {"version": 2, "crew": "C07"}, TicketAnswer,
            {"id": "260114-004711", "version": 3, "state": "dispatched", "crew": "C07"},
        ),
    )  # fmt: skip
    async def dispatch(request: Request[Any, Any, Any], ticket_id: str) -> Response[bytes]:
        """409 with the present state if the ticket is not as the caller saw it; 409
        `proposal_changed` with the new proposal if the crew is no longer as good as it was."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        body = await request.body()
        b = decode_body(body, DispatchBody)
        city = await of.policies.at(principal.company, of.clock.now())
        reason = of.vault.words(principal.company, b.reason) if b.reason else None
        use_case = DispatchTicket(
            ticket=TicketId(ticket_id),
            version=b.version,
            crew=CrewId(b.crew),
            with_crew=CrewId(b.with_crew) if b.with_crew else None,
            by=principal.actor,
            reason_code=b.reason_code,
            reason=reason,
            decision=b.decision,
            displace=[GivesWay(TicketId(d.ticket), d.version) for d in b.displace],
            made_safe=b.made_safe,
            city=city,
        )
        answer = await confirmed(of, principal, key, body_hash(body), use_case)
        media = "application/json" if answer.status == 200 else MEDIA_TYPE
        return Response(answer.body, status_code=answer.status, media_type=media)

    return [dispatch]


async def confirmed(
    of: Confirming, by: Principal, key: str, hashed: bytes, use_case: DispatchTicket
) -> Answer:
    """Commit; a stale proposal is scored again, and goes ahead while its crew is as good as it was
    when the person saw it. A request that is sent again meanwhile gets the same answer: a refusal
    after that is kept under the key, which no other try holds then.

    Raises Refused, where nothing was decided or an earlier answer stands.
    """
    city = use_case.city or await of.policies.at(by.company, of.clock.now())
    first: Seen | None = None
    route = f"POST /api/tickets/{use_case.ticket}/dispatch"
    for _ in range(ROUNDS):
        try:
            return await of.commits.submit(by, route, key, hashed, use_case)
        except Stale:
            if first is None:
                first = await of.decisions.seen(by.company, use_case.decision or "")
        refusal: Refused
        try:
            again = await _scored(of.engine, by.company, use_case)
        except Unavailable:
            raise  # nothing was decided
        except Refused as refused:
            refusal = refused
        else:
            if first and as_good(first, again, use_case, city.dispatch.rounds.stale_tolerance_s):
                use_case = use_case.on(again.decision)
                continue
            refusal = _changed(again)
        return await of.commits.submit(by, route, key, hashed, _kept(refusal))
    raise Conflict(
        "busy", "The plan changes all the time.", "Send the same request again in a moment."
    )


async def _scored(engine: EngineClient, company: int, wish: DispatchTicket) -> Seen:
    """The crew scored again: among the best, else by its price."""
    found = await engine.ask(company, "propose", ProposalOf(ticket=wish.ticket), Answered)
    seen = seen_of(wish.ticket, found)
    if choice_in(seen, wish.crew) is not None:
        return seen
    of = PriceOf(ticket=wish.ticket, crew=wish.crew, with_crew=wish.with_crew)
    priced = seen_of(wish.ticket, await engine.ask(company, "price", of, Answered))
    return priced if choice_in(priced, wish.crew) is not None else seen


def seen_of(ticket: TicketId, found: Answered) -> Seen:
    """What the engine answered, as a use case sees it."""
    return Seen(
        decision=found.decision, ticket=ticket, ticket_version=found.ticket_version,
        plan=found.plan, policy=found.policy, made_at=found.made_at, proposal=found.proposal,
        priced=found.priced,
    )  # fmt: skip


def as_good(was: Seen, now: Seen, wish: DispatchTicket, tolerance_s: int) -> bool:
    """Whether a crew, scored again, is what the person agreed to: hardly dearer against the best
    than it was, hardly later beyond the time that went by, not before a time that was asked for,
    and nobody gives way or becomes late who was not named."""
    before = choice_in(was, wish.crew, safe=wish.made_safe)
    after = choice_in(now, wish.crew, safe=wish.made_safe)
    if before is None or after is None:
        return False
    old, _, old_best, _ = before
    new, _, new_best, _ = after
    dearer = (new.total - (new_best or new).total) - (old.total - (old_best or old).total)
    known_late = {d.ticket for d in old.newly_late}
    named = {d.ticket for d in wish.displace}
    return (
        dearer <= tolerance_s
        and new.start_at - old.start_at <= tolerance_s + max(0, now.made_at - was.made_at)
        and (was.priced is None or old.start_at - new.start_at <= tolerance_s)
        and new.with_crew == old.with_crew
        and {d.ticket for d in new.newly_late} <= known_late
        and {d.ticket for d in new.displaced} <= named
    )


def _kept(refusal: Refused) -> Refuse:
    problem = problem_of(refusal)
    return Refuse(problem, problem.status)


def _changed(again: Seen) -> Conflict:
    return Conflict(
        "proposal_changed",
        "The plan, the crew or the ticket has changed since this was proposed.",
        "Look at the new proposal and decide again.",
        {"proposal": msgspec.to_builtins(again)},
    )
