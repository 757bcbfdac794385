"""Dispatch as the desk reads it: proposals, prices, the plan, what if, decisions, the policy."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import dispatch
from dispatch_core.dispatch import Change, Outcome, Proposal
from dispatch_core.events import Choice, Price, TicketProposed
from dispatch_core.ids import CrewId, RuleCode, TicketId, TicketState
from realtime.layers.rows import CrewDayRow, PlanFigure
from server.adapters.accounts import Role
from server.adapters.clock import BusinessClock
from server.adapters.decision_reads import DecisionReads, DecisionView
from server.adapters.engine_calls import WHAT_IF_WITHIN_S, Answered, PriceOf, ProposalOf
from server.adapters.engine_client import EngineClient
from server.adapters.plan_store import StoredPlan
from server.adapters.policies import Policies
from server.adapters.records import Records
from server.api.documents import decode_body, described, found
from server.api.gate import Gate

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class CrewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A crew beside a ticket: its rank among the proposed, or the rule that left it out."""

    crew: CrewId
    crew_name: str
    rule: RuleCode | None
    rank: int | None


class ProposalAnswer(TicketProposed, frozen=True, kw_only=True):
    """The best crews for a ticket, and every crew with the rule that left it out."""

    ticket: TicketId
    state: TicketState
    crews: list[CrewLine]
    safe_first: Choice | None
    """A crew that would first have to make the place safe where it works now: named by a person."""


class PriceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The crew that is thought of; `after` is the visit it would follow, null for the next one,
    left away: wherever it fits best."""

    crew: Id
    with_crew: Id | None = None
    after: Id | msgspec.UnsetType | None = msgspec.UNSET
    start_at: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None


class PriceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What that crew costs against the best; `choice` is null where a rule forbids it, or where
    its day has no room."""

    decision: str
    ticket_version: int
    plan: int
    choice: Choice | None
    price: Price
    against: Choice | None
    refused_by: RuleCode | None


class CrewDayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A crew's day."""

    crew: CrewId
    name: str
    day: CrewDayRow


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The plan in force; 0: there is none yet."""

    plan: int
    made_at: int | None
    ends_at: int | None
    """What may begin only later is left to a later plan."""
    crews: list[CrewDayAnswer]
    unplanned: list[dispatch.Unplanned]
    figures: PlanFigure | None
    policy: str


class PolicyFault(msgspec.Struct, frozen=True, kw_only=True):
    """A policy file that cannot be used: the rules before it stay."""

    file: str
    line: int | None
    detail: str


class DispatchPolicyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of dispatch in force."""

    version: str
    origin: str
    dispatch: dispatch.Policy
    error: PolicyFault | None


class Reading(NamedTuple):
    """What the desk's questions need."""

    engine: EngineClient
    decisions: DecisionReads
    records: Records
    policies: Policies
    clock: BusinessClock


def create_handlers(gate: Gate, of: Reading) -> list[BaseRouteHandler]:
    """Everything that only asks."""

    @get("/api/proposals/{ticket_id:str}", tags=["dispatch"])
    async def proposal(request: Request[Any, Any, Any], ticket_id: str) -> ProposalAnswer:
        """The proposal beside a ticket; scored now where it is missing, is out of date or names
        nobody: a crew may have been heard since, or may have begun its shift."""
        principal = await gate.person(request, *DESK)
        company = principal.company
        ticket = found(await of.decisions.ticket(company, ticket_id), "ticket", ticket_id)
        standing = await of.decisions.standing(company, ticket_id)
        if standing is not None:
            seen, holds = standing
            fresh = holds and seen.ticket_version == ticket.version
            if fresh and seen.proposal is not None and seen.proposal.choices:
                return _proposal(seen.decision, seen.proposal, ticket.state)
        asked = ProposalOf(ticket=TicketId(ticket_id))
        answered = await of.engine.ask(company, "propose", asked, Answered)
        if answered.proposal is None:
            raise ValueError("the engine answered a proposal without one")
        return _proposal(answered.decision, answered.proposal, ticket.state)

    @post(
        "/api/proposals/{ticket_id:str}/price",
        status_code=200,
        tags=["dispatch"],
        operation_class=described(
            PriceBody, {"crew": "C07"}, PriceAnswer, {"plan": 812, "refused_by": None}, keyed=False
        ),
    )
    async def price(request: Request[Any, Any, Any], ticket_id: str) -> PriceAnswer:
        """What choosing this crew costs, before it is chosen; changes nothing."""
        principal = await gate.person(request, *DESK)
        b = decode_body(await request.body(), PriceBody)
        asked = PriceOf(
            ticket=TicketId(ticket_id),
            crew=CrewId(b.crew),
            with_crew=CrewId(b.with_crew) if b.with_crew else None,
            after=TicketId(b.after) if isinstance(b.after, str) else b.after,
            start_at=b.start_at,
        )
        answered = await of.engine.ask(principal.company, "price", asked, Answered)
        if answered.priced is None:
            raise ValueError("the engine answered a price without one")
        p = answered.priced
        return PriceAnswer(
            decision=answered.decision, ticket_version=answered.ticket_version, plan=answered.plan,
            choice=p.choice, price=p.price, against=p.against, refused_by=p.refused_by,
        )  # fmt: skip

    @get("/api/plan", tags=["dispatch"])
    async def plan(request: Request[Any, Any, Any]) -> PlanAnswer:
        """The plan in force: every crew's day, and the tickets that are in none, with reasons."""
        principal = await gate.person(request, *DESK)
        head = await of.decisions.plan(principal.company)
        if head.stored is None:
            city = await of.policies.at(principal.company, of.clock.now())
            return PlanAnswer(
                plan=head.version, made_at=None, ends_at=None, crews=[], unplanned=[], figures=None,
                policy=city.version,
            )  # fmt: skip
        names = {c.id: c.name for c in await of.records.crews(principal.company)}
        return _plan(head.version, head.stored, names)

    @post(
        "/api/what-if",
        status_code=200,
        tags=["dispatch"],
        operation_class=described(
            Change, {"crews_down": ["C12"]}, Outcome, {"plan_basis": 812, "notes": []}, keyed=False
        ),
    )
    async def what_if(request: Request[Any, Any, Any]) -> Outcome:
        """The plan that would follow if crews broke down, districts were closed or more crews came,
        beside the one that follows without; changes nothing."""
        principal = await gate.person(request, *DESK)
        change = decode_body(await request.body(), Change)
        return await of.engine.ask(principal.company, "what_if", change, Outcome, WHAT_IF_WITHIN_S)

    @get("/api/decisions/{digest:str}", tags=["dispatch"])
    async def decision(request: Request[Any, Any, Any], digest: str) -> DecisionView:
        """A stored proposal or price, and the addresses of everything that it was made from."""
        principal = await gate.person(request, *DESK)
        return found(await of.decisions.view(principal.company, digest), "decision", digest)

    @get("/api/dispatch-policy", tags=["dispatch"])
    async def policy(request: Request[Any, Any, Any]) -> DispatchPolicyAnswer:
        """The rules and weights of dispatch in force; a file that cannot be used is told of."""
        principal = await gate.person(request, *DESK)
        city, origin = await of.policies.with_origin(principal.company, of.clock.now())
        fault = of.policies.fault(principal.company, city.season)
        return DispatchPolicyAnswer(
            version=city.version,
            origin=origin,
            dispatch=city.dispatch,
            error=PolicyFault(file=fault.file, line=fault.line, detail=fault.detail)
            if fault
            else None,
        )

    return [proposal, price, plan, what_if, decision, policy]


def _proposal(decision: str, p: Proposal, state: TicketState) -> ProposalAnswer:
    ranks = {choice.crew: rank for rank, choice in enumerate(p.choices, 1)}
    return ProposalAnswer(
        plan=p.plan,
        ticket_version=p.ticket_version,
        decision=decision,
        made_at=p.made_at,
        choices=p.choices,
        left_out=p.left_out,
        travel=p.travel,
        policy=p.policy,
        waits_for=p.waits_for,
        ticket=p.ticket,
        state=state,
        crews=[
            CrewLine(crew=r.crew, crew_name=r.name, rule=r.rule, rank=ranks.get(r.crew))
            for r in p.rules
        ],
        safe_first=p.safe_first,
    )


def _plan(version: int, stored: StoredPlan, names: dict[CrewId, str]) -> PlanAnswer:
    made, f = stored.plan, stored.plan.figures
    return PlanAnswer(
        plan=version,
        made_at=made.made_at,
        ends_at=made.ends_at,
        crews=[
            CrewDayAnswer(
                crew=day.crew,
                name=names.get(day.crew, day.crew),
                day=CrewDayRow(plan=version, visits=day.visits, breaks=day.breaks),
            )
            for day in made.days
        ],
        unplanned=made.unplanned,
        figures=PlanFigure(
            plan=version, made_at=made.made_at, visits=f.visits, unplanned=f.unplanned,
            late=f.late_red + f.late_yellow + f.late_blue, changed=f.changed, cap=f.cap,
            travel=made.travel, travel_because=stored.travel_because,
        ),
        policy=made.policy,
    )  # fmt: skip
