"""The inputs of decisions in PostgreSQL: every so often whole, else what differs from a row of
moments before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

from server.adapters.decision_bundles import Parts, packed, parts_of, pieces_of, unpacked
from server.adapters.decision_pieces import Missing

_CHAIN = (
    "WITH RECURSIVE chain AS ("
    " SELECT digest, base, depth, body FROM decision_input WHERE company_id = $1 AND digest = $2"
    " UNION ALL SELECT i.digest, i.base, i.depth, i.body FROM decision_input i"
    " JOIN chain c ON i.company_id = $1 AND i.digest = c.base) "
)
_SHORT = ((2, 12), (1, 3))
"""(depth, part): a row differs from one that is a level higher if it is then no longer than this
part of a whole one; else it differs from the whole one, or is whole itself. Measured on a day."""


class _Row(NamedTuple):
    digest: bytes
    parts: Parts
    length: int


async def save(
    c: asyncpg.Connection, company: int, root: bytes, pieces: Mapping[bytes, bytes]
) -> None:
    """Keep the inputs under their digest. A row differs from one of the last hour at most, so that
    none outlives what it needs."""
    there = "SELECT 1 FROM decision_input WHERE company_id = $1 AND digest = $2"
    if await c.fetchval(there, company, root):
        return
    bases = await _bases(c, company)
    parts = parts_of(root, pieces)
    base, depth, body = None, 0, b""
    for depth, part in _SHORT:
        if depth <= len(bases):
            base = bases[depth - 1]
            body = packed(parts, base.parts)
            if part * len(body) <= bases[0].length:
                break
    else:
        base, depth, body = None, 0, packed(parts)
    await c.execute(
        "INSERT INTO decision_input (company_id, digest, base, depth, body)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        company, root, base.digest if base else None, depth, body,
    )  # fmt: skip


async def _bases(c: asyncpg.Connection, company: int) -> list[_Row]:
    """The last whole row, and the last one that differs from it, as far as there are any."""
    newest: bytes | None = await c.fetchval(
        "SELECT digest FROM decision_input WHERE company_id = $1 AND depth < 2"
        " AND stored_at > now() - interval '1 hour' ORDER BY stored_at DESC, depth DESC LIMIT 1",
        company,
    )
    try:
        return await _rows(c, company, newest) if newest is not None else []
    except Missing:
        return []


async def _rows(c: asyncpg.Connection, company: int, digest: bytes) -> list[_Row]:
    """A row and those that it needs, the whole one first. Raises Missing."""
    found = await c.fetch(
        _CHAIN + "SELECT digest, base, body FROM chain ORDER BY depth", company, digest
    )
    if not found or found[0]["base"] is not None:
        raise Missing("inputs (gone)")
    rows: list[_Row] = []
    for row in found:
        base = rows[-1].parts if rows else None
        rows.append(_Row(row["digest"], unpacked(row["body"], base), len(row["body"])))
    return rows


async def load(c: asyncpg.Connection, company: int, root: bytes) -> dict[bytes, bytes]:
    """The pieces of a decision's inputs, with their manifest. Raises Missing, which names what is
    gone or is not what it was."""
    rows = await _rows(c, company, root)
    _, pieces = pieces_of(rows[-1].parts)
    return pieces


async def keep(c: asyncpg.Connection, company: int, root: bytes) -> None:
    """A row, and those that it needs, stay for ever."""
    await c.execute(
        _CHAIN + "UPDATE decision_input SET kept = true"
        " WHERE company_id = $1 AND digest IN (SELECT digest FROM chain) AND NOT kept",
        company,
        root,
    )
