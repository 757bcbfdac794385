"""Pictures that crews sent and no ticket took in: they go, since nothing else would let them go."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from server.adapters.clock import system_now
from server.adapters.photo_blobs import Blobs, name_of

AFTER = timedelta(days=1)
LOOKED_BACK = timedelta(days=30)
"""The sweep runs many times a day: what is older was seen by it."""
MOST = 100
_UNUSED = (
    "SELECT photo_id FROM photo p WHERE company_id = $1 AND gone_at IS NULL"
    " AND by_whom LIKE 'crew:%' AND {which}"
    " AND NOT EXISTS (SELECT FROM evidence_job j WHERE j.company_id = $1"
    "  AND j.photo_id = p.photo_id)"
    " AND NOT EXISTS (SELECT FROM upload u WHERE u.company_id = $1 AND u.done IS NULL"
    "  AND u.photo_id = p.photo_id)"
)
"""A photo's fact makes its job in one commit, before its upload is done: one that is just being
taken in is always seen by one of them."""
_ONE = _UNUSED.format(which="photo_id = $2") + " FOR UPDATE"
_OLD = (
    _UNUSED.format(which="taken_in_at BETWEEN $2 AND $3")
    + " ORDER BY taken_in_at LIMIT $4 FOR UPDATE"
)


async def let_go_unused(c: asyncpg.Connection, company: int, blobs: Blobs, *, photo: str) -> None:
    """The picture goes where it is a crew's and unused. Raises OSError where the store is away:
    nothing is noted then."""
    await _go(c, company, blobs, [r[0] for r in await c.fetch(_ONE, company, photo)])


async def sweep(c: asyncpg.Connection, company: int, blobs: Blobs) -> int:
    """Those older than a day go, a few in each round; how many. Raises as above."""
    now = system_now()
    rows = await c.fetch(_OLD, company, now - LOOKED_BACK, now - AFTER, MOST)
    await _go(c, company, blobs, [row[0] for row in rows])
    return len(rows)


async def _go(c: asyncpg.Connection, company: int, blobs: Blobs, photos: list[str]) -> None:
    for photo in photos:
        await blobs.drop(name_of(company, photo))
    await c.execute(
        "UPDATE photo SET gone_at = $3 WHERE company_id = $1 AND photo_id = ANY($2::text[])",
        company,
        photos,
        system_now(),
    )
