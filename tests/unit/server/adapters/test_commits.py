"""What happens to commands before any database is asked."""

import asyncio
from pathlib import Path

import pytest

from dispatch_core.errors import Unavailable
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import MOST_WAITING, Commits
from server.adapters.keys import Keys
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.ports import Decision, Loaded, Wanted

WARM, COLD = (Principal(company, "test", "source", b"") for company in (1, 2))


class Nothing:
    """A command that is never carried out."""

    def wanted(self) -> Wanted:
        raise AssertionError

    def more(self, loaded: Loaded, /) -> Wanted:
        raise AssertionError

    def decide(self, loaded: Loaded, now: object, /) -> Decision:
        raise AssertionError


def test_a_full_queue_sends_away_and_leaves_other_companies_alone(tmp_path: Path) -> None:
    async def crowd() -> str:
        keys = Keys(tmp_path)
        keys.ensure()
        pool = Pool("postgresql://nobody@127.0.0.1:9/nothing")
        commits = Commits(pool, BusinessClock(), Vault(keys), b"key")
        waiting = [
            asyncio.ensure_future(commits.submit(by, "POST /x", f"key-{n}", b"", Nothing()))
            for by, many in ((WARM, MOST_WAITING), (COLD, 1))
            for n in range(many)
        ]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        with pytest.raises(Unavailable) as refused:
            await commits.submit(WARM, "POST /x", "one-too-many", b"", Nothing())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return refused.value.code

    assert asyncio.run(crowd()) == "too_busy"
