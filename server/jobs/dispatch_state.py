"""What the engine remembers of a company between two rounds: nothing that the database has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch_core.dispatch import Proposal
from dispatch_core.events import Choice
from dispatch_core.ids import CrewId, Level, TicketId
from server.adapters.dispatch_waiting import Waiting
from server.adapters.plan_store import KnownProposal

STILL_S, STILL_PART = 120, 10
"""A proposal whose crews begin by less than this earlier or later, or than this part of the time
until then, is still the same one."""
NOBODY_S = 10.0
"""A proposal that names no crew is scored again so often: what keeps the crews away, such as a
break or a position that is lost, ends without a word."""
YOUNG_S: Mapping[Level, float] = {"red": 0.0, "yellow": 15.0, "blue": 60.0}
"""A proposal that was scored so lately is not renewed: whoever looks at it on another plan, or
confirms it, has it scored again anyhow, and each one is kept for two days."""
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
        if (old.ticket_version, old.waits_for) != (new.ticket_version, new.waits_for):
            return False
        if not new.choices and old.left_out != new.left_out:
            return False
        return [_told(c) for c in old.choices] == [_told(c) for c in new.choices] and all(
            abs(a.start_at - b.start_at) <= max(STILL_S, (a.start_at - old.made_at) // STILL_PART)
            for a, b in zip(old.choices, new.choices, strict=True)
        )


def _told(choice: Choice) -> tuple[object, ...]:
    """What a choice says beside its times."""
    return (
        choice.crew,
        choice.with_crew,
        [d.ticket for d in choice.displaced],
        [d.ticket for d in choice.newly_late],
    )


@dataclass
class Memory:
    """One company."""

    company: int
    loaded: bool = False
    standing: dict[TicketId, Standing] = field(default_factory=dict)
    crews: dict[TicketId, dict[CrewId, int]] = field(default_factory=dict)
    """Ticket -> the crews' versions that its proposal was scored on."""
    put_at: dict[TicketId, float] = field(default_factory=dict)
    """Ticket -> when its proposal was scored last, this process's monotonic clock."""
    seen_at: dict[TicketId, float] = field(default_factory=dict)
    """Ticket -> when it was first seen waiting, this process's monotonic clock."""
    unproposed: dict[TicketId, bool] = field(default_factory=dict)
    """Red ticket -> whether it was said that it has no proposal; absent: not known."""
    had_at: dict[TicketId, int] = field(default_factory=dict)
    """Red ticket -> when it was last seen with a crew to propose, business time."""
    renewed_at: float = float("-inf")

    def due(
        self,
        waiting: Mapping[TicketId, Waiting],
        crews: Mapping[CrewId, int],
        plan: int,
        policy: str,
        now: float,
    ) -> tuple[list[TicketId], list[TicketId]]:
        """Tickets without a proposal, and those whose proposal was made on what has changed or
        names nobody; each the most urgent first, and of these the longest on old ground. New rules
        wait for nobody."""
        missing, old = [], []
        for ticket, w in waiting.items():
            has = self.standing.get(ticket)
            if has is None or has.known.ticket_version != w.version:
                missing.append((_FIRST[w.level], ticket))
                continue
            last = has.scored or has.proposal
            age = now - self.put_at.get(ticket, 0.0)
            if last.choices:
                moved = has.known.plan != plan or self._crews_moved(ticket, crews)
                is_old = moved and age >= YOUNG_S[w.level]
            else:
                is_old = age >= NOBODY_S
            if is_old or last.policy != policy:
                old.append((_FIRST[w.level], has.known.plan, -age, ticket))
        return [m[-1] for m in sorted(missing)], [o[-1] for o in sorted(old)]

    def _crews_moved(self, ticket: TicketId, crews: Mapping[CrewId, int]) -> bool:
        seen = self.crews.get(ticket)
        return seen is not None and any(crews.get(c) != v for c, v in seen.items())

    def put(self, standing: Standing, at: float) -> None:
        """A proposal stands, and was scored at `at` by this process's monotonic clock."""
        ticket = standing.known.ticket
        self.standing[ticket] = standing
        self.put_at[ticket] = at
        last = standing.scored or standing.proposal
        self.crews[ticket] = {c.crew: c.crew_version for c in last.choices}

    def drop(self, ticket: TicketId) -> None:
        """It needs none any more."""
        for of in (self.standing, self.crews, self.put_at, self.seen_at, self.unproposed,
                   self.had_at):  # fmt: skip
            of.pop(ticket, None)

    def forget(self) -> None:
        """What was decided was rolled back, or another core has led: everything is read again."""
        self.loaded = False
        for of in (self.standing, self.crews, self.put_at, self.unproposed):
            of.clear()
