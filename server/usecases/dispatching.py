"""A crew is given a ticket: by a person who saw a proposal or a price, by hand without one, or by
the policy; what gives way does so in the same commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from dispatch_core import commands, crews, dispatch, tickets
from dispatch_core.commands import AssignTicket, ReleaseTicket
from dispatch_core.crews import Crew
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import Choice, Event, Price, ProposalWithdrawn
from dispatch_core.ids import CrewId, RedispatchReason, TicketId, unix
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, SecretText, Seen, Wanted
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of
from server.usecases.work import work_for


class Stale(Conflict):
    """The plan, the crew or the ticket moved since the decision was made: it is to be scored
    again before anybody goes by it."""


@dataclass(frozen=True, slots=True)
class GivesWay:
    """A ticket that gives way, as the person saw it."""

    ticket: TicketId
    version: int


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the decision says of the crew that was chosen."""

    seen: Seen
    choice: Choice
    rank: int | None
    best: Choice | None
    of: int
    """How many crews were proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTicket:
    """The crews that had the ticket before are released."""

    ticket: TicketId
    version: int
    crew: CrewId
    by: str
    with_crew: CrewId | None = None
    reason_code: RedispatchReason | None = None
    reason: SecretText | None = None
    decision: str | None = None
    displace: Sequence[GivesWay] = ()
    made_safe: bool = False
    city: CityPolicy | None = None
    auto: str | None = None
    """The grounds on which the policy lets the proposal confirm itself."""
    agreed: bool = False
    """A reason was given, or not owed, by the decision that the person saw."""

    def wanted(self) -> Wanted:
        """The streams of the ticket, of those that give way, and of the crews."""
        named_crews = [self.crew, *([self.with_crew] if self.with_crew else ())]
        streams = [
            named("ticket", self.ticket),
            *(named("ticket", d.ticket) for d in self.displace),
            *(named("crew", crew) for crew in named_crews),
        ]
        return Wanted(streams=tuple(dict.fromkeys(streams)), decision=self.decision)

    def more(self, loaded: Loaded, /) -> Wanted:
        """The streams of the crews that have those tickets now, and of a second crew that the
        decision names."""
        there = [self._ticket(loaded, t) for t in (self.ticket, *(d.ticket for d in self.displace))]
        crew_ids = {c for t in there if t for c in t.crews}
        seen = loaded.decisions.get(self.decision or "")
        found = choice_in(seen, self.crew, safe=self.made_safe) if seen else None
        if found is not None and found[0].with_crew is not None:
            crew_ids.add(found[0].with_crew)
        return Wanted(streams=tuple(sorted(named("crew", c) for c in crew_ids)))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the tickets and the crews.

        Raises Stale `proposal_changed`; Invalid `reason_needed`, `too_many_displaced`,
        `displacement_unseen`, `bad_displacement`, `crew_not_scored`; NotFound `no_such_decision`,
        `no_such_crew`; and what the tickets and crews themselves refuse.
        """
        chosen = self._chosen(loaded)
        crew = self._crew(loaded, self.crew)
        if chosen is not None:
            self._check_agreed(chosen)
            self._check_fresh(loaded, chosen, crew)
        most = self.city.dispatch.displacing.most if self.city else 0
        if self.city is not None and len(self.displace) > most:
            raise Invalid(
                "too_many_displaced",
                f"{len(self.displace)} tickets would have to give way; the policy allows {most}.",
                "Choose another crew, or displace fewer.",
            )
        if len({self.ticket, *(d.ticket for d in self.displace)}) <= len(self.displace):
            raise Invalid(
                "bad_displacement",
                "A ticket gives way once, and not to itself.",
                "Name each ticket once, and others than this one.",
            )
        ticket = self._ticket(loaded, self.ticket)
        made = _Facts(loaded, now, self.city)
        for gone in self.displace:
            made.displace(self, gone, chosen, ticket)
        second = self._second(chosen)
        events = tickets.decide(ticket, self._command(crew, second, chosen), now)
        made.append(named("ticket", self.ticket), events)
        crew_ids = [self.crew, *([second] if second else ())]
        for old in ticket.crews if ticket else ():
            if old not in crew_ids:
                made.crew(old, ReleaseTicket(ticket=self.ticket))
        for one in crew_ids:
            self._crew(loaded, one)
            made.crew(one, AssignTicket(ticket=self.ticket))
        given = after(ticket, events, now)
        alone = chosen is None and second is None and self._for_two(given)
        answer = answer_of(self.ticket, given, self.city)
        if alone:
            answer = msgspec.structs.replace(answer, warnings=["second_crew"])
        return Decision(
            appends=made.appends,
            answer=answer,
            grounds=self._grounds(chosen) + ("; it needs two crews, one is given" if alone else ""),
            policy=chosen.seen.policy if chosen else crews.POLICY.version,
            texts=(self.reason,) if self.reason else (),
            keeps=(self.decision,) if self.decision else (),
            told=((named("ticket", self.ticket), ProposalWithdrawn()),),
        )

    def on(self, decision: str) -> DispatchTicket:
        """The same wish on a newer decision, by which the crew may have become the second best."""
        return replace(self, decision=decision, agreed=True)

    def _for_two(self, ticket: Ticket) -> bool:
        return self.city is not None and work_for(ticket, self.city).crews > 1

    # ---------------------------------------------------------------- what was seen
    def _chosen(self, loaded: Loaded) -> _Chosen | None:
        if self.decision is None:
            return None
        seen = loaded.decisions.get(self.decision)
        if seen is None or seen.ticket != self.ticket:
            raise NotFound(
                "no_such_decision",
                "There is no such proposal of this ticket any more.",
                "Look at the proposal as it is now, or dispatch by hand without one.",
            )
        found = choice_in(seen, self.crew, safe=self.made_safe)
        if found is None or self.with_crew not in {None, found[0].with_crew}:
            both = " and ".join([self.crew, *([self.with_crew] if self.with_crew else ())])
            raise Invalid(
                "crew_not_scored",
                f"This proposal does not speak of crew {both}.",
                "Ask for this crew's price first and send its decision.",
            )
        choice, rank, best, of = found
        return _Chosen(seen, choice, rank, best, of)

    def _check_fresh(self, loaded: Loaded, chosen: _Chosen, crew: Crew) -> None:
        ticket = self._ticket(loaded, self.ticket)
        if ticket is not None and not ticket.decided <= self.version <= ticket.version:
            return  # somebody was faster, and the ticket says so: there is nothing to score again
        choice = chosen.choice
        moved = ticket is not None and ticket.decided > chosen.seen.ticket_version
        scored = [(crew, choice.crew_version)]
        if choice.with_crew is not None:
            scored.append((self._crew(loaded, choice.with_crew), choice.with_crew_version))
        moved |= any(one.version != version for one, version in scored)
        if chosen.seen.plan != loaded.plan or moved:
            raise Stale(
                "proposal_changed",
                "The plan or the crew has changed since this was proposed.",
                "Look at the new proposal and decide again.",
            )

    def _check_agreed(self, chosen: _Chosen) -> None:
        """A person knows what the choice costs: others give way by name, and another crew than the
        best has its reason."""
        named_ = {d.ticket for d in self.displace}
        unseen = [d for d in chosen.choice.displaced if d.ticket not in named_]
        if unseen:
            raise Invalid(
                "displacement_unseen",
                f"{len(unseen)} tickets would have to give way that are not named:"
                f" {', '.join(d.ticket for d in unseen)}.",
                "Name each with the version that was seen, under `displace`.",
                {"displaced": [{"ticket": d.ticket, "address": d.address} for d in unseen]},
            )
        if chosen.rank != 1 and self.reason_code is None and not self.agreed:
            raise Invalid(
                "reason_needed",
                "Another crew than the best one needs a reason.",
                "Give the reason for choosing this crew.",
            )

    def _second(self, chosen: _Chosen | None) -> CrewId | None:
        return self.with_crew or (chosen.choice.with_crew if chosen else None)

    # ---------------------------------------------------------------- what is written
    def _command(
        self, crew: Crew, second: CrewId | None, chosen: _Chosen | None
    ) -> commands.Dispatch:
        return commands.Dispatch(
            version=self.version,
            crew=self.crew,
            crew_name=crew.name,
            by=self.by,
            reason_code=self.reason_code,
            reason=self.reason.words if self.reason else None,
            with_crew=second,
            plan=chosen.seen.plan if chosen else None,
            decision=self.decision,
            rank=chosen.rank if chosen else None,
            price=price_of(chosen.choice, chosen.best) if chosen else None,
            arrive_at=chosen.choice.arrive_at if chosen else None,
            auto=self.auto is not None,
        )

    def _grounds(self, chosen: _Chosen | None) -> str:
        said = f"; reason: {self.reason_code}" if self.reason_code else ""
        gone = f"; {len(self.displace)} tickets give way" if self.displace else ""
        if chosen is None:
            reason = self.reason_code or "first assignment"
            return f"assigned by hand, not scored; reason: {reason}{gone}"
        rank = f"proposal {chosen.rank} of {chosen.of}" if chosen.rank else "not proposed"
        if self.auto is not None:
            return f"{rank}, confirmed by {self.auto}"
        why = dispatch.explain(chosen.choice, None if chosen.rank == 1 else chosen.best)
        return f"{rank}: {why}{gone}{said}"

    @staticmethod
    def _ticket(loaded: Loaded, ticket: TicketId) -> Ticket | None:
        found: Ticket | None = loaded.state(named("ticket", ticket))[0]
        return found

    @staticmethod
    def _crew(loaded: Loaded, crew: CrewId) -> Crew:
        found: Crew | None = loaded.state(named("crew", crew))[0]
        if found is None:
            raise NotFound(
                "no_such_crew", f"There is no crew {crew}.", "Choose a crew of the register."
            )
        return found


class _Facts:
    """The facts of one dispatch: several may be of the same crew."""

    def __init__(self, loaded: Loaded, now: datetime, city: CityPolicy | None) -> None:
        self.appends: dict[str, list[Event]] = {}
        self._policy = crews.POLICY
        if city is not None:
            most = city.dispatch.rules.in_hand_max
            self._policy = msgspec.structs.replace(crews.POLICY, in_hand=most)
        self._loaded = loaded
        self._now = now
        self._crews: dict[str, Crew | None] = {}

    def append(self, stream: str, events: Sequence[Event]) -> None:
        """More facts of a stream."""
        if events:
            self.appends.setdefault(stream, []).extend(events)

    def crew(self, crew: CrewId, command: AssignTicket | ReleaseTicket) -> None:
        """A crew's side, after what happened to it before."""
        stream = named("crew", crew)
        if stream not in self._crews:
            self._crews[stream] = self._loaded.state(stream)[0]
        state = self._crews[stream]
        events = crews.decide(state, command, self._now, self._policy)
        for event in events:
            state = crews.apply(state, event, unix(self._now))
        self._crews[stream] = state
        self.append(stream, events)

    def displace(
        self, wish: DispatchTicket, gone: GivesWay, chosen: _Chosen | None, for_: Ticket | None
    ) -> None:
        """A ticket gives way, and its crews are free of it. One that only has a place in the plan
        loses that to the next plan: nothing is taken from anybody."""
        stream = named("ticket", gone.ticket)
        ticket: Ticket | None = self._loaded.state(stream)[0]
        as_seen = ticket is not None and ticket.decided <= gone.version <= ticket.version
        if ticket is not None and as_seen and ticket.state == "accepted":
            return
        seen = chosen.choice.displaced if chosen else ()
        instead = next((d for d in seen if d.ticket == gone.ticket), None)
        command = commands.Displace(
            version=gone.version,
            reason_code="red" if for_ is not None and for_.level == "red" else "by_hand",
            by=wish.by,
            because=wish.ticket,
            next_crew=instead.crew if instead else None,
            next_at=instead.start_at if instead else None,
            made_safe=wish.made_safe,
        )
        self.append(stream, tickets.decide(ticket, command, self._now))
        for crew in ticket.crews if ticket else ():
            self.crew(crew, ReleaseTicket(ticket=gone.ticket))


def choice_in(
    seen: Seen, crew: CrewId, *, safe: bool = False
) -> tuple[Choice, int | None, Choice | None, int] | None:
    """(what a decision says of a crew, its rank from 1, the best, how many were proposed); `safe`:
    of the crew that first makes its place safe, which may be proposed for later as well."""
    if seen.proposal is not None:
        proposed = seen.proposal.choices
        best = proposed[0] if proposed else None
        first = seen.proposal.safe_first
        leaves = (first, None, best, len(proposed)) if first and first.crew == crew else None
        if safe and leaves is not None:
            return leaves
        for rank, choice in enumerate(proposed, 1):
            if choice.crew == crew:
                return choice, rank, best, len(proposed)
        return leaves
    priced = seen.priced
    if priced is None or priced.choice is None or priced.choice.crew != crew:
        return None
    best = priced.against
    same = best is not None and (best.crew, best.start_at) == (crew, priced.choice.start_at)
    return priced.choice, 1 if same else None, best, 1 if best else 0


def price_of(choice: Choice, best: Choice | None) -> Price:
    """What a choice costs against the best."""
    return Price(
        best=best.crew if best else None,
        later_s=choice.start_at - best.start_at if best else 0,
        newly_late=[d.ticket for d in choice.newly_late],
        displaced=[d.ticket for d in choice.displaced],
    )
