"""The record of imports: who brought which file in, when, with what counts; saved mappings; and
what one run remembers of the rows it has seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import msgspec

from dispatch_core.errors import Conflict
from server.adapters.clock import system_now
from server.adapters.columns import columns
from server.adapters.imports.rows import Entry, Imported, ImportKind, Writer
from server.adapters.pool import Pool

_HERE = " WHERE company_id = current_setting('heatops.company')::int"
_RECORDS: dict[ImportKind, str] = {
    "households": "SELECT household_id FROM household" + _HERE,
    "heat_tree": "SELECT 'node/' || node_id FROM node" + _HERE
    + " UNION ALL SELECT 'building/' || building_id FROM building" + _HERE
    + " UNION ALL SELECT 'community/' || community_id FROM community" + _HERE,
    "crews": "SELECT substr(stream, 6) FROM stream_head" + _HERE + " AND stream LIKE 'crew:%'",
    "stores": "SELECT substr(h.stream, 7) || chr(31) || p.part FROM stream_head h,"
    " jsonb_object_keys(h.state::jsonb -> 'parts') AS p(part)" + _HERE
    + " AND h.stream LIKE 'store:%'",
    "points": "SELECT point_id FROM point" + _HERE,
    "accounts": "SELECT season || '/' || household_id FROM household_standing" + _HERE,
}  # fmt: skip
"""Keys of the records of each kind."""


LOOK_BACK_S = 600
"""Most that a look at all rows of a very large file may take."""


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it was recorded; `ended_at` is None for one that is under way or was broken off."""

    run: str
    kind: str
    file_name: str
    dry: bool
    started_at: int
    ended_at: int | None
    by: str
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    rejects_url: str | None


class SavedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which column of a file holds which field."""

    kind: str
    name: str
    mapping: dict[str, str]
    saved_by: str
    saved_at: int


Connection = asyncpg.Connection
"""One run's own."""


class Mark(NamedTuple):
    """What one row tells that is compared with other rows, as far as it tells it."""

    owner: str | None = None
    """Pseudonym."""
    building: str | None = None
    door: str | None = None
    """Unit and flat."""


class Seen(NamedTuple):
    """A row worth a look among those that one run has seen."""

    row: int
    other: str
    """Household number of the other one at the same door."""


class Runs:
    """Writes and reads the records of one installation."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def alone(self, company: int) -> AsyncIterator[asyncpg.Connection]:
        """A connection for one run; a company's imports go one after the other.

        Raises:
            Conflict: `import_running`. Unavailable: the database does not answer.
        """
        async with self._pool.connection() as c:
            if not await c.fetchval("SELECT pg_try_advisory_lock(7120, $1)", company):
                raise Conflict(
                    "import_running",
                    "Another file is being imported for this company.",
                    "Wait until it is done, then send the file again.",
                )
            try:
                await c.execute("DROP TABLE IF EXISTS pg_temp.import_seen")
                await c.execute(
                    "CREATE TEMP TABLE import_seen"
                    " (key text PRIMARY KEY, row int NOT NULL, owner text, building text,"
                    " door text)"
                )
                await c.execute("CREATE INDEX ON pg_temp.import_seen (building, door)")
                await c.execute("CREATE INDEX ON pg_temp.import_seen (owner)")
                yield c
            finally:
                await _let_go(c, company)

    @staticmethod
    @asynccontextmanager
    async def transaction(
        c: asyncpg.Connection, company: int, *, patient: bool = False
    ) -> AsyncIterator[None]:
        """One company's transaction on a run's own connection; `patient`: over the whole file."""
        async with c.transaction():
            await c.execute("SELECT set_config('heatops.company', $1, true)", str(company))
            if patient:
                await c.execute(f"SET LOCAL statement_timeout = '{LOOK_BACK_S}s'")
                await c.execute("ANALYZE pg_temp.import_seen")
            yield

    # ---------------------------------------------------------------- what a run has seen
    @staticmethod
    async def first_seen(
        c: asyncpg.Connection, entries: Sequence[Entry], marks: Sequence[Mark]
    ) -> dict[str, int]:
        """Remember rows; the row where each of their keys was seen first."""
        new: dict[str, tuple[Any, ...]] = {}
        for entry, mark in zip(entries, marks, strict=True):
            new.setdefault(entry.key, (entry.key, entry.row, *mark))
        if not new:
            return {}
        await c.execute(
            "INSERT INTO pg_temp.import_seen SELECT * FROM unnest($1::text[], $2::int[],"
            " $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING",
            *columns(list(new.values())),
        )
        rows = await c.fetch(
            "SELECT key, row FROM pg_temp.import_seen WHERE key = ANY($1::text[])", list(new)
        )
        return {r["key"]: r["row"] for r in rows}

    @staticmethod
    async def doors_twice(c: asyncpg.Connection) -> list[Seen]:
        """Rows whose door another household has too, in the file or in the register."""
        rows = await c.fetch(
            "SELECT row, min(other) AS other FROM ("
            "SELECT s.row, t.key AS other FROM pg_temp.import_seen s"
            " JOIN pg_temp.import_seen t ON t.building = s.building AND t.door = s.door"
            " WHERE t.key <> s.key"
            " UNION ALL SELECT s.row, h.household_id FROM pg_temp.import_seen s"
            " JOIN household h ON h.company_id = current_setting('heatops.company')::int"
            "  AND h.building_id = s.building AND h.unit || '/' || h.flat = s.door"
            " WHERE NOT EXISTS (SELECT FROM pg_temp.import_seen m WHERE m.key = h.household_id)"
            ") AS twice GROUP BY row ORDER BY row",
            timeout=LOOK_BACK_S,
        )
        return [Seen(r[0], r[1]) for r in rows]

    @staticmethod
    async def owners_of_several(c: asyncpg.Connection) -> int:
        """Households of this file whose owner has another household too."""
        found: int = await c.fetchval(
            "SELECT count(*) FROM pg_temp.import_seen s WHERE s.owner IS NOT NULL AND (EXISTS"
            " (SELECT FROM pg_temp.import_seen t WHERE t.owner = s.owner AND t.key <> s.key)"
            " OR EXISTS (SELECT FROM household h"
            "  WHERE h.company_id = current_setting('heatops.company')::int"
            "  AND h.pseudonym = s.owner AND h.household_id <> s.key))",
            timeout=LOOK_BACK_S,
        )
        return found

    @staticmethod
    async def left_alone(c: asyncpg.Connection, kind: ImportKind) -> int:
        """Records of the register that the file does not speak of: they stay as they are."""
        found: int = await c.fetchval(
            "SELECT count(*) FROM (" + _RECORDS[kind] + ") AS r(key)"
            " WHERE NOT EXISTS (SELECT FROM pg_temp.import_seen s WHERE s.key = r.key)",
            timeout=LOOK_BACK_S,
        )
        return found

    # ---------------------------------------------------------------- digests
    @staticmethod
    async def unchanged(
        c: asyncpg.Connection, kind: ImportKind, writer: Writer, entries: Sequence[Entry]
    ) -> set[str]:
        """Keys whose row said the same the last time, and whose record is there."""
        if not entries:
            return set()
        rows = await c.fetch(
            "SELECT k.key FROM unnest($1::text[], $2::bytea[]) AS k(key, digest)"
            " JOIN import_digest d ON d.company_id = current_setting('heatops.company')::int"
            "  AND d.kind = $3 AND d.key = k.key AND d.digest = k.digest"
            f" WHERE {writer.exists}",
            [e.key for e in entries],
            [e.digest for e in entries],
            kind,
        )
        return {r["key"] for r in rows}

    @staticmethod
    async def save_digests(
        c: asyncpg.Connection, company: int, kind: ImportKind, entries: Sequence[Entry]
    ) -> None:
        """Remember what rows said, in the transaction that wrote them."""
        if entries:
            await c.execute(
                "INSERT INTO import_digest (company_id, kind, key, digest)"
                " SELECT $1, $2, * FROM unnest($3::text[], $4::bytea[])"
                " ON CONFLICT (company_id, kind, key) DO UPDATE SET digest = excluded.digest"
                " WHERE import_digest.digest <> excluded.digest",
                company,
                kind,
                [e.key for e in entries],
                [e.digest for e in entries],
            )

    # ---------------------------------------------------------------- runs
    async def begin(
        self,
        company: int,
        run: str,
        kind: ImportKind,
        name: str,
        digest: bytes,
        *,
        dry: bool,
        by: str,
    ) -> None:
        """A run has begun."""
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO import_run (company_id, run_id, kind, file_name, file_digest, dry,"
                " started_at, by_whom) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                company, run, kind, name, digest, dry, system_now(), by,
            )  # fmt: skip

    async def end(self, company: int, done: Imported) -> None:
        """It has ended, with these counts."""
        async with self._pool.company(company) as c:
            await c.execute(
                "UPDATE import_run SET ended_at = $3, rows = $4, added = $5, changed = $6,"
                " unchanged = $7, refused = $8, rejects = $9"
                " WHERE company_id = $1 AND run_id = $2",
                company, done.run, system_now(), done.rows, done.added, done.changed,
                done.unchanged, done.refused, done.rejects_file,
            )  # fmt: skip

    async def latest(self, company: int, limit: int, after: str | None) -> list[RunShown]:
        """Runs, newest first, older than `after`."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT * FROM import_run WHERE company_id = $1 AND ($2::text IS NULL OR"
                " run_id < $2) ORDER BY run_id DESC LIMIT $3",
                company, after, limit,
            )  # fmt: skip
        return [_shown(r) for r in rows]

    async def count(self, company: int) -> int:
        """How many runs are recorded."""
        async with self._pool.company(company, readonly=True) as c:
            found: int = await c.fetchval(
                "SELECT count(*) FROM import_run WHERE company_id = $1", company
            )
        return found

    async def rejects(self, company: int, run: str) -> str | None:
        """Where a run's refused rows lie; None if it has none or does not exist."""
        async with self._pool.company(company, readonly=True) as c:
            found: str | None = await c.fetchval(
                "SELECT rejects FROM import_run WHERE company_id = $1 AND run_id = $2",
                company, run,
            )  # fmt: skip
        return found

    # ---------------------------------------------------------------- mappings
    async def mapping(self, company: int, kind: ImportKind, name: str) -> dict[str, str] | None:
        """A saved mapping."""
        async with self._pool.company(company, readonly=True) as c:
            found = await c.fetchval(
                "SELECT mapping FROM import_mapping WHERE company_id = $1 AND kind = $2"
                " AND name = $3",
                company, kind, name,
            )  # fmt: skip
        return None if found is None else msgspec.json.decode(found, type=dict[str, str])

    async def mappings(self, company: int, kind: str | None) -> list[SavedMapping]:
        """All saved mappings, by kind and name."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT kind, name, mapping, saved_by, saved_at FROM import_mapping"
                " WHERE company_id = $1 AND ($2::text IS NULL OR kind = $2) ORDER BY kind, name",
                company, kind,
            )  # fmt: skip
        return [
            SavedMapping(
                kind=r["kind"], name=r["name"], saved_by=r["saved_by"],
                mapping=msgspec.json.decode(r["mapping"], type=dict[str, str]),
                saved_at=int(r["saved_at"].timestamp()),
            )
            for r in rows
        ]  # fmt: skip

    async def save_mapping(
        self, company: int, kind: ImportKind, name: str, mapping: dict[str, str], by: str
    ) -> None:
        """Keep a mapping under its name; one of the same name is replaced."""
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO import_mapping (company_id, kind, name, mapping, saved_by)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (company_id, kind, name) DO UPDATE"
                " SET mapping = excluded.mapping, saved_by = excluded.saved_by, saved_at = now()",
                company, kind, name, msgspec.json.encode(mapping).decode(), by,
            )  # fmt: skip


async def _let_go(c: asyncpg.Connection, company: int) -> None:
    """Give the lock back; a connection that cannot is dropped, and its lock with it."""
    try:
        await c.execute("DROP TABLE IF EXISTS pg_temp.import_seen")
        await c.execute("SELECT pg_advisory_unlock(7120, $1)", company)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        c.terminate()
    except BaseException:
        c.terminate()
        raise


def _shown(r: asyncpg.Record) -> RunShown:
    return RunShown(
        run=r["run_id"], kind=r["kind"], file_name=r["file_name"], dry=r["dry"],
        started_at=int(r["started_at"].timestamp()),
        ended_at=int(r["ended_at"].timestamp()) if r["ended_at"] else None, by=r["by_whom"],
        rows=r["rows"], added=r["added"], changed=r["changed"], unchanged=r["unchanged"],
        refused=r["refused"],
        rejects_url=f"/api/imports/{r['run_id']}/rejects.csv" if r["rejects"] else None,
    )  # fmt: skip
