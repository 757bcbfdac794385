"""Proposals and prices: the best crews for a ticket, and what another choice costs."""

from __future__ import annotations

from collections import Counter
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.answers import CrewRule, Priced, Proposal
from dispatch_core.dispatch.board import Board
from dispatch_core.dispatch.choices import choice_of, price_of
from dispatch_core.dispatch.found import Found
from dispatch_core.dispatch.inputs import Inputs
from dispatch_core.dispatch.pairs import best_pairs, pair_at, safe_pair
from dispatch_core.dispatch.search import Search
from dispatch_core.dispatch.sheet import Sheet
from dispatch_core.errors import NotFound
from dispatch_core.ids import CrewId, RuleCode, TicketId

BEST = 3


class Desk:
    """One moment at which crews are proposed: build it once, ask it for many tickets."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.board = Board(inputs)
        self._search = Search(Sheet(self.board))

    def propose(self, ticket: TicketId) -> Proposal:
        """The three best crews for a ticket with their reasons, and what left out every other.

        Raises:
            NotFound: `no_such_task`, a ticket that is not among the inputs.
        """
        j = self._row(ticket)
        with self._search.as_new(j):
            return self._proposal(j)

    def _proposal(self, j: int) -> Proposal:
        inputs, task = self.inputs, self.inputs.tasks[j]
        mask = self.board.broken(j, planning=False)
        found, mask = self._best(j, mask)
        told = self._told(j, mask)
        safe = None
        if task.level == "red" and not any(f.in_time for f in found):
            able = self.board.broken(j, planning=False)
            if task.work.crews == 2:
                safe = safe_pair(self._search, j, able, found)
            else:
                safe = self._search.safe_first(j, able, found)
        left_out = Counter(r.rule for r in told if r.rule is not None)
        return Proposal(
            ticket=task.ticket,
            ticket_version=task.version,
            plan=inputs.plan,
            made_at=inputs.at,
            choices=[choice_of(self._search, j, f, mask) for f in found],
            rules=told,
            left_out={rule: left_out[rule] for rule in rules.ORDER if rule in left_out},
            travel=inputs.travel.source,
            policy=inputs.policy_version,
            waits_for=rules.waits_for(task, inputs),
            safe_first=choice_of(self._search, j, safe, mask) if safe is not None else None,
        )

    def price(
        self,
        ticket: TicketId,
        crew: CrewId,
        *,
        with_crew: CrewId | None = None,
        after: TicketId | EllipsisType | None = ...,
        start_at: int | None = None,
    ) -> Priced:
        """What a crew that a person thinks of would mean, beside the best.

        Args:
            with_crew: the second crew of a job that needs two; None: the best there is.
            after: the visit to follow, None: as the next one; left away: wherever it is best.
            start_at: not before then.

        Raises:
            NotFound: `no_such_task`, `no_such_crew`.
        """
        j, k = self._row(ticket), self._crew(crew)
        mate = None if with_crew is None else self._crew(with_crew)
        ready = 0 if start_at is None else max(0, self.board.after(start_at))
        with self._search.as_new(j):
            return self._priced(j, k, mate, self._position(j, k, after), ready)

    def _priced(self, j: int, k: int, mate: int | None, position: int, ready: int) -> Priced:
        mask = self.board.broken(j, planning=False)
        best, room = self._best(j, mask)
        against = choice_of(self._search, j, best[0], room) if best else None
        rule = rules.told(int(mask[k]))
        if rule is None and mate is not None:
            rule = rules.told(int(mask[mate]))
        found: Found | None = None
        if rule is None:
            if self.inputs.tasks[j].work.crews == 2:
                found = pair_at(self._search, j, mask, k, mate, ready)
                rule = "second_crew" if found is None else None
            else:
                found = self._search.one(j, k, ready=ready, position=position)
                rule = self._search.time_rule(j, k) if found is None else None
        choice = choice_of(self._search, j, found, room) if found is not None else None
        return Priced(
            choice=choice, price=price_of(choice, against), against=against, refused_by=rule
        )

    def _best(self, j: int, mask: NDArray[np.uint32]) -> tuple[list[Found], NDArray[np.uint32]]:
        """The best crews, and the masks with what kept the others from a place in their day."""
        if self.inputs.tasks[j].work.crews == 2:
            return best_pairs(self._search, j, mask, BEST)
        return self._search.singles(j, mask, BEST)

    def _told(self, j: int, mask: NDArray[np.uint32]) -> list[CrewRule]:
        told: list[CrewRule] = []
        for k, crew in enumerate(self.board.crews):
            rule: RuleCode | None = rules.told(int(mask[k]))
            told.append(CrewRule(crew=crew.team.crew, name=crew.team.name, rule=rule))
        return told

    def _position(self, j: int, k: int, after: TicketId | EllipsisType | None) -> int:
        """Before which row of the crew's day, without the ticket, the ticket goes; -1: anywhere."""
        if isinstance(after, EllipsisType):
            return -1
        sheet = self._search.sheet
        day = [r for r in sheet.plan.route(k).tolist() if sheet.ticket_of(r) != j]
        first = [j_ for j_ in sheet.first[k] if j_ != j]
        if after is None:
            return len(first)
        row = self.board.task_row.get(after, -1)
        places = [i for i, r in enumerate(day) if sheet.ticket_of(r) == row]
        return places[0] + 1 if places else -1

    def _row(self, ticket: TicketId) -> int:
        if ticket not in self.board.task_row:
            raise NotFound("no_such_task", "The ticket is not open.", "Look at it as it is now.")
        return self.board.task_row[ticket]

    def _crew(self, crew: CrewId) -> int:
        if crew not in self.board.team_row:
            raise NotFound("no_such_crew", "There is no such crew.", "Check its identifier.")
        return self.board.team_row[crew]


def propose(inputs: Inputs, ticket: TicketId) -> Proposal:
    """One proposal, as `Desk.propose` makes it."""
    return Desk(inputs).propose(ticket)


def price(
    inputs: Inputs,
    ticket: TicketId,
    crew: CrewId,
    *,
    with_crew: CrewId | None = None,
    after: TicketId | EllipsisType | None = ...,
    start_at: int | None = None,
) -> Priced:
    """One price, as `Desk.price` makes it."""
    return Desk(inputs).price(ticket, crew, with_crew=with_crew, after=after, start_at=start_at)
