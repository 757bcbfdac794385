"""What people wrote at a fact, opened for one who may see it: it may name a resident, so that each
sitting over it is written down."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from server.adapters.pool import Pool
from server.adapters.traces import TraceStep
from server.adapters.vault import Vault


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written at the fact `version` of a stream; `stream` is its kind, e.g. `ticket`."""

    stream: str
    version: int
    text: str


async def open_texts(
    pool: Pool, vault: Vault, company: int, ids: Collection[str], *, of: str, reader: str
) -> dict[str, str]:
    """The texts that still are kept, by their ids; nothing is noted where none is asked for.
    `of` names what they belong to (`case:C-1`), `reader` who reads them."""
    if not ids:
        return {}
    async with pool.company(company) as c:
        rows = await c.fetch(
            "SELECT words_id, body FROM person_words"
            " WHERE company_id = $1 AND words_id = ANY($2::text[])",
            company,
            list(ids),
        )
        # A page that stays open asks again and again: one line for each sitting is enough.
        await c.execute(
            "INSERT INTO resident_access (company_id, by_whom, what)"
            " SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM"
            " (SELECT by_whom, what, at FROM resident_access WHERE company_id = $1"
            " ORDER BY access_id DESC LIMIT 200) latest"
            " WHERE by_whom = $2 AND what = $3 AND at > now() - interval '10 minutes')",
            company,
            reader,
            of,
        )
    return {r["words_id"]: vault.open_words(company, r["words_id"], r["body"]) for r in rows}


async def written_at(
    pool: Pool, vault: Vault, company: int, steps: Sequence[TraceStep], *, of: str, reader: str
) -> list[Written]:
    """The words or the reason of each step that has them."""
    ids = {(step.stream, step.version): words for step in steps if (words := _words_id(step))}
    texts = await open_texts(pool, vault, company, ids.values(), of=of, reader=reader)
    return [
        Written(stream=stream, version=v, text=texts[i])
        for (stream, v), i in ids.items()
        if i in texts
    ]


def _words_id(step: TraceStep) -> str | None:
    told = (step.event.get(field) for field in ("words", "reason", "name"))
    return next((words["id"] for words in told if isinstance(words, dict)), None)
