"""Room-temperature points from a file: a sensor's number and the flat or building it hangs in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from server.adapters.imports.register_rows import Target, merged, present, upsert
from server.adapters.imports.rows import Entry, Outcome, RowByRow

POINT = Target(
    "point", "point_id", ("point_id", "household_id", "building_id"), ("text", "text", "text")
)


class PointWriter(RowByRow):
    """Writes the points of one company in one run."""

    exists = "EXISTS (SELECT FROM point p WHERE p.company_id = d.company_id AND p.point_id = k.key)"

    def __init__(self, company: int, *, dry: bool) -> None:
        self._company = company
        self._dry = dry

    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`."""
        before = await present(c, POINT, [e.key for e in entries])
        homes = {
            r[0]: r[1]
            for r in await c.fetch(
                "SELECT household_id, building_id FROM household"
                " WHERE company_id = $1 AND household_id = ANY($2::text[])",
                self._company,
                [e.values["household"] for e in entries if "household" in e.values],
            )
        }
        buildings = {
            r[0]
            for r in await c.fetch(
                "SELECT building_id FROM building"
                " WHERE company_id = $1 AND building_id = ANY($2::text[])",
                self._company,
                [e.values["building"] for e in entries if "building" in e.values],
            )
        }
        rows, taken = [], []
        for entry in entries:
            row = _row(entry, before.get(entry.key), homes, buildings, outcome)
            if row is None:
                continue
            taken.append(entry)
            if entry.key not in before:
                outcome.added += 1
            elif row != before[entry.key]:
                outcome.changed += 1
            else:
                outcome.unchanged += 1
                continue
            rows.append(row)
        if self._dry:
            return []
        await upsert(c, self._company, POINT, rows)
        return taken


def _row(
    entry: Entry,
    stands: dict[str, Any] | None,
    homes: dict[str, str],
    buildings: set[str],
    outcome: Outcome,
) -> dict[str, Any] | None:
    """The point as it is to stand; None if it was refused."""
    household, building = entry.values.get("household"), entry.values.get("building")
    if household is not None and household not in homes:
        outcome.refuse(
            entry, "unknown_household", f"There is no household {household}.",
            "Check the number, or import the households first.",
        )  # fmt: skip
        return None
    if building is not None and building not in buildings:
        outcome.refuse(
            entry, "unknown_building", f"There is no building {building}.",
            "Check the number, or import the heat tree with its buildings first.",
        )  # fmt: skip
        return None
    if household is not None and building not in {None, homes[household]}:
        outcome.refuse(
            entry, "building_mismatch",
            f"Household {household} is in building {homes[household]}, not in {building}.",
            "Correct one of the two.",
        )  # fmt: skip
        return None
    said: dict[str, Any] = {}
    if household is not None:
        said = {"household_id": household, "building_id": homes[household]}
    elif building is not None:
        said = {"building_id": building}
        if stands is not None and stands["building_id"] != building:
            said["household_id"] = None  # it was moved out of the flat it hung in
    elif stands is None:
        outcome.refuse(
            entry, "no_place", "The row names no household and no building.", "Fill in one of them."
        )
        return None
    row = merged(stands, {"household_id": None}, said)
    row["point_id"] = entry.key
    return row
