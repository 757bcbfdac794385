"""What a use case would decide now: loaded and decided like a commit, nothing locked or written."""

from __future__ import annotations

from server.adapters import journal
from server.adapters.clock import BusinessClock
from server.adapters.loading import load
from server.adapters.pool import Pool
from server.ports import Decision, Loaded, UseCase


class Previews:
    """Decides without committing. What others do meanwhile may change the outcome."""

    def __init__(self, pool: Pool, clock: BusinessClock) -> None:
        self._pool = pool
        self._clock = clock

    async def decide(self, company: int, use_case: UseCase) -> tuple[Loaded, Decision]:
        """What was loaded, and the decision. Raises Refused as the command itself would."""
        wanted = use_case.wanted()
        async with self._pool.company(company, readonly=True) as c:
            heads = await journal.load_heads(c, set(wanted.streams))
            loaded = await load(c, company, [wanted], heads)
            more = [s for s in use_case.more(loaded).streams if s not in heads]
            heads.update(await journal.load_heads(c, more))
        return loaded, use_case.decide(loaded, self._clock.now())
