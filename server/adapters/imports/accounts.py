"""Accounts from a file: what households owe, and what operations and finance hold true of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from dispatch_core.events import SourceHeartbeat
from server.adapters import journal
from server.adapters.columns import columns
from server.adapters.imports.rows import Entry, Outcome, RowByRow
from server.adapters.standings import merge_reports

_REPORT = "household_id text, season text, network text, valve text, billing text,"
_REPORT += " billed_fen bigint, at timestamptz"
_THINGS = {
    "network": ("network", "network_at"),
    "valve": ("valve", "valve_at"),
    "billing": ("billing", "billed_at"),
}
"""What is reported -> its column and the column of its time."""


def key_of(season: str, household: str) -> str:
    """A household's account of a season."""
    return f"{season}/{household}"


class _Balance(NamedTuple):
    household: str
    unpaid_fen: int
    balance_at: datetime
    changed_at: datetime


class AccountWriter(RowByRow):
    """Writes the accounts of one company in one run."""

    exists = (
        "(EXISTS (SELECT FROM account_balance a WHERE a.company_id = d.company_id"
        " AND a.household_id = substr(k.key, 11)) OR EXISTS (SELECT FROM household_standing s"
        " WHERE s.company_id = d.company_id AND s.season = left(k.key, 9)"
        " AND s.household_id = substr(k.key, 11)))"
    )

    def __init__(self, company: int, source: str, *, dry: bool) -> None:
        self._company = company
        self._source = source
        self._dry = dry
        self._told = False

    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`."""
        homes = {e.values["household"] for e in entries}
        known = {
            r[0]
            for r in await c.fetch(
                "SELECT household_id FROM household"
                " WHERE company_id = $1 AND household_id = ANY($2::text[])",
                self._company,
                list(homes),
            )
        }
        owed = await self._owed(c, known)
        standing = await self._standing(c, known)
        balances: dict[str, _Balance] = {}
        reports: list[tuple[Any, ...]] = []
        taken = []
        for entry in entries:
            said = entry.values
            home, season = said["household"], said["season"]
            if home not in known:
                outcome.refuse(
                    entry, "unknown_household", f"There is no household {home}.",
                    "Check the number, or import the households first.",
                )  # fmt: skip
                continue
            stands = standing.get((season, home))
            if "billed_fen" in said and "billing" not in said:
                if stands is None or stands["billing"] is None:
                    outcome.refuse(
                        entry, "missing_field", "An amount is billed, but not on which basis.",
                        "Fill in billing: full, base or none.",
                    )  # fmt: skip
                    continue
                said = {**said, "billing": stands["billing"]}
            taken.append(entry)
            balance = _balance(said, balances.get(home) or owed.get(home), now, outcome)
            if balance is not None:
                balances[home] = balance
            new = _reports(said, stands, now, outcome)
            reports += new
            if home not in owed and stands is None:
                outcome.added += 1
            elif balance is not None or new:
                outcome.changed += 1
            else:
                outcome.unchanged += 1
        if self._dry:
            return []
        await self._save(c, balances, reports, now)
        return taken

    async def _owed(self, c: asyncpg.Connection, known: set[str]) -> dict[str, _Balance]:
        rows = await c.fetch(
            "SELECT household_id, unpaid_fen, balance_at, changed_at FROM account_balance"
            " WHERE company_id = $1 AND household_id = ANY($2::text[])",
            self._company,
            list(known),
        )
        return {r[0]: _Balance(*r) for r in rows}

    async def _standing(
        self, c: asyncpg.Connection, known: set[str]
    ) -> dict[tuple[str, str], asyncpg.Record]:
        rows = await c.fetch(
            "SELECT season, household_id, network, network_at, valve, valve_at, billing,"
            " billed_fen, billed_at FROM household_standing"
            " WHERE company_id = $1 AND household_id = ANY($2::text[])",
            self._company,
            list(known),
        )
        return {(r["season"], r["household_id"]): r for r in rows}

    async def _save(
        self,
        c: asyncpg.Connection,
        balances: dict[str, _Balance],
        reports: list[tuple[Any, ...]],
        now: datetime,
    ) -> None:
        if balances:
            await c.execute(
                "INSERT INTO account_balance"
                " (company_id, household_id, unpaid_fen, balance_at, changed_at)"
                " SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::timestamptz[],"
                " $5::timestamptz[]) ON CONFLICT (company_id, household_id) DO UPDATE SET"
                " unpaid_fen = excluded.unpaid_fen, balance_at = excluded.balance_at,"
                " changed_at = excluded.changed_at"
                " WHERE excluded.balance_at >= account_balance.balance_at",
                self._company,
                *columns(list(balances.values())),
            )
            if not self._told:  # the layer's source has spoken
                self._told = True
                beat = SourceHeartbeat(source=self._source, topics=["arrears"], cadence_s=0)
                stream = f"source:{self._source}"
                await journal.tell(c, self._company, now, [(stream, beat)], source="arrears")
        if reports:
            await c.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS in_household_standing ({_REPORT})"
                " ON COMMIT DELETE ROWS"
            )
            await c.copy_records_to_table(
                "in_household_standing", schema_name="pg_temp", records=reports,
                columns=["household_id", "season", "network", "valve", "billing", "billed_fen",
                         "at"],
            )  # fmt: skip
            await merge_reports(c, self._company, now)


def _balance(
    said: dict[str, Any], stands: _Balance | None, now: datetime, outcome: Outcome
) -> _Balance | None:
    """The balance that is to stand now; None if nothing changes."""
    if "unpaid_fen" not in said:
        return None
    unpaid, at = said["unpaid_fen"], said.get("balance_at")
    if stands is None:
        return _Balance(said["household"], unpaid, at or now, now)
    if (at or now) < stands.balance_at:
        if unpaid != stands.unpaid_fen:
            outcome.notes["older_than_known"] += 1
        return None
    if unpaid == stands.unpaid_fen and at in {None, stands.balance_at}:
        return None
    flipped = (unpaid > 0) != (stands.unpaid_fen > 0)
    return _Balance(said["household"], unpaid, at or now, now if flipped else stands.changed_at)


def _reports(
    said: dict[str, Any], stands: asyncpg.Record | None, now: datetime, outcome: Outcome
) -> list[tuple[Any, ...]]:
    """What is news, as rows of in_household_standing: each thing with its own time."""
    rows = []
    for thing, (column, column_at) in _THINGS.items():
        if thing not in said:
            continue
        at = said.get(column_at)
        known_at = stands[column_at] if stands else None
        same = stands is not None and stands[column] == said[thing]
        amount = said.get("billed_fen") if thing == "billing" else None
        if same and thing == "billing" and stands is not None:
            amount = said.get("billed_fen", stands["billed_fen"])
            same = amount == stands["billed_fen"]
        if known_at is not None and (at or now) < known_at:
            outcome.notes["older_than_known"] += not same
            continue
        if same and known_at is not None and at in {None, known_at}:
            continue
        report = {thing: said[thing], "billed_fen": amount}
        rows.append(
            (said["household"], said["season"], report.get("network"), report.get("valve"),
             report.get("billing"), amount, at or now)
        )  # fmt: skip
    return rows
