"""Letting go of pictures that are old enough: first the original, then what was drawn of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import asyncpg

from server.adapters.photo_blobs import Blobs, name_of
from server.adapters.photo_views import view_of

Kept = Literal["all", "views", "none"]
_DUE = (
    "SELECT DISTINCT photo_id FROM (SELECT j.photo_id FROM evidence_job j"
    " WHERE j.company_id = $1 AND j.kept = $2 AND j.taken_at < $3 AND j.state = 'done'"
    " AND NOT EXISTS (SELECT FROM evidence_job o"
    "  JOIN ticket t ON t.company_id = o.company_id AND t.ticket_id = o.ticket_id"
    "  JOIN evidence_standing s ON s.company_id = o.company_id AND s.ticket_id = o.ticket_id"
    "  WHERE o.company_id = $1 AND o.photo_id = j.photo_id"
    "  AND (t.open OR t.closed_at >= $3 OR o.taken_at >= $3 OR s.held))"
    " ORDER BY j.taken_at LIMIT $4) due"
)
"""Every use of the same bytes counts: a ticket that is open, lately closed or held keeps them."""


async def let_go(
    c: asyncpg.Connection, company: int, blobs: Blobs, *, was: Kept, before: datetime,
    now: datetime, most: int,
) -> int:  # fmt: skip
    """Of pictures taken before a time the originals (`was` all) or their views (`was` views) go;
    how many. Raises OSError where the store is away: nothing is noted then, and it is done again.
    """
    due = [row[0] for row in await c.fetch(_DUE, company, was, before, most)]
    await c.fetch(
        "SELECT FROM photo WHERE company_id = $1 AND photo_id = ANY($2::text[])"
        " ORDER BY photo_id FOR UPDATE",
        company,
        due,
    )
    for photo in due:
        await blobs.drop(name_of(company, photo if was == "all" else view_of(photo)))
    left = "views" if was == "all" else "none"
    await c.execute(
        "UPDATE evidence_job SET kept = $3 WHERE company_id = $1 AND photo_id = ANY($2::text[])",
        company, due, left,
    )  # fmt: skip
    if was == "all":
        await c.execute(
            "UPDATE photo SET gone_at = $3 WHERE company_id = $1 AND photo_id = ANY($2::text[])",
            company, due, now,
        )  # fmt: skip
    return len(due)
