"""Pictures that are older than the policy keeps them lose their bytes, a few in each round; their
hashes, points, verdicts and facts stay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from server.adapters.engine_store import EngineTransaction
from server.adapters.photo_blobs import Blobs
from server.adapters.photo_retention import let_go

MOST = 100


def retention_of(blobs: Blobs) -> Callable[[EngineTransaction], Awaitable[int]]:
    """The job over the pictures of this store."""

    async def retain(tx: EngineTransaction) -> int:
        keep = (await tx.policy()).evidence.retention
        for was, days in (("all", keep.originals_days), ("views", keep.views_days)):
            await let_go(
                tx.connection, tx.company, blobs, was="all" if was == "all" else "views",
                before=tx.now - timedelta(days=days), now=tx.now, most=MOST,
            )  # fmt: skip
        return 0

    return retain
