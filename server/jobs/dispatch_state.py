"""What the engine remembers of a company between two rounds: nothing that the database has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch_core.dispatch import Proposal
from dispatch_core.ids import CrewId, Level, TicketId
from server.adapters.dispatch_waiting import Waiting
from server.adapters.plan_store import KnownProposal

STILL_S = 120
"""A proposal whose times moved by less is still the same one."""
_FIRST: Mapping[Level, int] = {"red": 0, "yellow": 1, "blue": 2}


@dataclass(frozen=True)
class Standing:
    """A proposal beside its ticket, as it was last told."""

    known: KnownProposal
    proposal: Proposal
    scored: Proposal | None = None
    """As it was scored last, where that told nothing new."""

    def same(self, new: Proposal) -> bool:
        """Whether a proposal made anew tells nothing new."""
        old = self.proposal
        if (old.ticket_version, old.waits_for, old.left_out) != (
            new.ticket_version, new.waits_for, new.left_out,
        ) or len(old.choices) != len(new.choices):  # fmt: skip
            return False
        return all(
            (a.crew, a.with_crew, [d.ticket for d in a.displaced], [d.ticket for d in a.newly_late])
            == (b.crew, b.with_crew, [d.ticket for d in b.displaced],
                [d.ticket for d in b.newly_late])
            and abs(a.start_at - b.start_at) <= STILL_S
            for a, b in zip(old.choices, new.choices, strict=True)
        )  # fmt: skip


@dataclass
class Memory:
    """One company."""

    company: int
    loaded: bool = False
    standing: dict[TicketId, Standing] = field(default_factory=dict)
    crews: dict[TicketId, dict[CrewId, int]] = field(default_factory=dict)
    """Ticket -> the crews' versions that its proposal was scored on."""
    seen_at: dict[TicketId, float] = field(default_factory=dict)
    """Ticket -> when it was first seen waiting, this process's monotonic clock."""
    unproposed: dict[TicketId, bool] = field(default_factory=dict)
    """Red ticket -> whether it was said that it has no proposal; absent: not known."""
    planned_at: float = float("-inf")

    def due(
        self, waiting: Mapping[TicketId, Waiting], crews: Mapping[CrewId, int], plan: int
    ) -> list[TicketId]:
        """Tickets whose proposal is missing, or made on what has changed; the most urgent first,
        and of these those that have none."""
        found = []
        for ticket, w in waiting.items():
            has = self.standing.get(ticket)
            if has is None or has.known.ticket_version != w.version:
                order = 0
            elif has.known.plan != plan or self._crews_moved(ticket, crews):
                order = 1
            else:
                continue
            found.append((_FIRST[w.level], order, has.known.plan if has else 0, ticket))
        return [f[-1] for f in sorted(found)]

    def _crews_moved(self, ticket: TicketId, crews: Mapping[CrewId, int]) -> bool:
        seen = self.crews.get(ticket)
        return seen is not None and any(crews.get(c) != v for c, v in seen.items())

    def put(self, standing: Standing) -> None:
        """A proposal stands."""
        ticket = standing.known.ticket
        self.standing[ticket] = standing
        last = standing.scored or standing.proposal
        self.crews[ticket] = {c.crew: c.crew_version for c in last.choices}

    def drop(self, ticket: TicketId) -> None:
        """It needs none any more."""
        for of in (self.standing, self.crews, self.seen_at, self.unproposed):
            of.pop(ticket, None)

    def forget(self) -> None:
        """What was decided was rolled back, or another core has led: everything is read again."""
        self.loaded = False
        for of in (self.standing, self.crews, self.unproposed):
            of.clear()
