"""Households from a file: flats of the register, their owners sealed apart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from server.adapters.address_book import (
    AddressAnswer,
    AddressBooks,
    Query,
    bump_register_version,
)
from server.adapters.imports.owners import Owners
from server.adapters.imports.register_rows import Target, merged, present, upsert
from server.adapters.imports.rows import Entry, Outcome
from server.adapters.imports.runs import LOOK_BACK_S
from server.adapters.pool import Pool
from server.adapters.vault import Vault, is_phone

HOUSEHOLD = Target(
    "household",
    "household_id",
    ("household_id", "building_id", "unit", "floor", "flat", "riser_ids", "area_m2",
     "heated_area_m2", "gable", "ground_floor", "top_floor", "valve", "green_channel",
     "warranty_until", "pseudonym", "lon", "lat", "owner_certificate"),
    ("text", "text", "int", "int", "text", "text[]", "float8", "float8", "bool", "bool", "bool",
     "bool", "bool", "date", "text", "float8", "float8", "bytea"),
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "riser_ids": [], "heated_area_m2": None, "gable": False, "valve": False,
    "green_channel": False, "warranty_until": None, "lon": None, "lat": None,
    "owner_certificate": None,
}  # fmt: skip
_NEEDED = {"unit": "unit", "floor": "floor", "flat": "flat", "area_m2": "area_m2"}
ORIGIN = "import"


class _Home(NamedTuple):
    """Where an address leads to."""

    building: str
    unit: int | None
    floor: int | None
    flat: str | None


class HouseholdWriter:
    """Writes households of one company in one run."""

    exists = (
        "EXISTS (SELECT FROM household h WHERE h.company_id = d.company_id"
        " AND h.household_id = k.key)"
    )

    def __init__(
        self, company: int, pool: Pool, vault: Vault, books: AddressBooks, *, dry: bool, tops: bool
    ) -> None:
        self._company = company
        self._pool = pool
        self._vault = vault
        self._books = books
        self._dry = dry
        self._tops = tops
        """The file tells which flats are on the top floor."""
        self._homes: dict[str, _Home] = {}
        self._unclear: dict[str, tuple[Entry, AddressAnswer]] = {}
        self._unknown_height: set[str] = set()
        self._written = False

    async def survey(self, c: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        """Households do not refer to one another."""

    # ---------------------------------------------------------------- addresses
    async def prepare(self, entries: Sequence[Entry], outcome: Outcome) -> list[Entry]:
        """Rows that name their building, or whose address leads to one. The others wait in the
        queue of addresses; a person's answer is taken up by the next run."""
        self._homes, self._unclear = {}, {}
        typed = [e for e in entries if "building" not in e.values and "address" in e.values]
        if not typed:
            return list(entries)
        answered = await self._answered([e.key for e in typed])
        refused: set[str] = set()
        ask = []
        for entry in typed:
            answer = answered.get(entry.key)
            if answer is None:
                ask.append(entry)
            elif answer["no_such_door"]:
                refused.add(entry.key)
                outcome.refuse(
                    entry, "no_such_door", "A person said that there is no such door.",
                    "Correct the address, or give the building's number.",
                )  # fmt: skip
            else:
                self._homes[entry.key] = _Home(answer["building_id"], None, None, None)
        found = await self._books.resolve(
            self._company, [Query(text=e.values["address"]) for e in ask]
        )
        for entry, place in zip(ask, found, strict=True):
            if place.verdict == "matched" and place.building is not None:
                self._homes[entry.key] = _Home(
                    place.building.id, place.unit, place.floor, place.flat
                )
            else:
                self._unclear[entry.key] = (entry, place)
                refused.add(entry.key)
                outcome.refuse(
                    entry, "address_unclear",
                    f"The address leads to no one building ({', '.join(place.reasons) or 'none'}).",
                    "Answer it in the queue of addresses and import the file again,"
                    " or give the building's number.",
                )  # fmt: skip
        return [e for e in entries if e.key not in refused]

    async def _answered(self, keys: list[str]) -> dict[str, asyncpg.Record]:
        async with self._pool.company(self._company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT reference, building_id, no_such_door FROM address_question"
                " WHERE company_id = $1 AND origin = $2 AND reference = ANY($3::text[])"
                " AND answered_at IS NOT NULL AND (building_id IS NOT NULL OR no_such_door)",
                self._company, ORIGIN, [f"household:{key}" for key in keys],
            )  # fmt: skip
        return {r["reference"].removeprefix("household:"): r for r in rows}

    # ---------------------------------------------------------------- writing
    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`."""
        if not self._dry:
            for entry, place in self._unclear.values():
                await self._books.ask(
                    c, self._company, ORIGIN, f"household:{entry.key}", entry.values["address"],
                    place, now,
                )  # fmt: skip
        placed = {e.key: self._said(e, outcome) for e in entries}
        before = await present(c, HOUSEHOLD, placed)
        levels = await self._levels(c, placed, before)
        risers = await _known_risers(c, placed)
        owners = Owners(self._vault, self._company)
        await owners.load(c, self._people(placed, before))

        def decided() -> tuple[list[dict[str, Any]], list[Entry]]:
            return self._decided(entries, placed, before, levels, risers, owners, outcome)

        # sealing thousands is work of tenths of a second: beside the loop
        rows, taken = await asyncio.to_thread(decided)
        if self._dry:
            return []
        await owners.save(c)
        await upsert(c, self._company, HOUSEHOLD, rows)
        self._written = self._written or bool(rows)
        return taken

    def _decided(
        self,
        entries: Sequence[Entry],
        placed: dict[str, dict[str, Any]],
        before: dict[str, dict[str, Any]],
        levels: dict[str, int | None],
        risers: set[str],
        owners: Owners,
        outcome: Outcome,
    ) -> tuple[list[dict[str, Any]], list[Entry]]:
        """Rows that are to be written, and entries that are then so."""
        rows, taken = [], []
        for entry in entries:
            said, stands = placed[entry.key], before.get(entry.key)
            if not _sound(entry, said, stands, levels, risers, outcome):
                continue
            row = self._row(entry.key, said, stands, levels, outcome)
            row["pseudonym"], renamed = self._owner(entry.key, said, stands, owners)
            taken.append(entry)
            if stands is None:
                outcome.added += 1
            elif renamed or row != stands:
                outcome.changed += 1
            else:
                outcome.unchanged += 1
                continue
            rows.append(row)
        return rows, taken

    def _said(self, entry: Entry, outcome: Outcome) -> dict[str, Any]:
        said = dict(entry.values)
        if "owner_phone" in said and not is_phone(said["owner_phone"]):
            del said["owner_phone"]  # 无, 0: nobody is reached there, and all would be one person
            outcome.notes["phone_is_none"] += 1
        home = self._homes.get(entry.key)
        if home is not None:
            said["building"] = home.building
            for name, value in (("unit", home.unit), ("floor", home.floor), ("flat", home.flat)):
                if value is not None:
                    said.setdefault(name, value)
        if "flat" in said and "floor" not in said and _floor_of(said["flat"]) is not None:
            said["floor"] = _floor_of(said["flat"])
        return said

    async def _levels(
        self,
        c: asyncpg.Connection,
        placed: dict[str, dict[str, Any]],
        before: dict[str, dict[str, Any]],
    ) -> dict[str, int | None]:
        """Floors of every building spoken of; a building that is missing is unknown."""
        wanted = {s["building"] for s in placed.values() if "building" in s}
        wanted |= {b["building_id"] for b in before.values()}
        rows = await c.fetch(
            "SELECT building_id, levels FROM building"
            " WHERE company_id = $1 AND building_id = ANY($2::text[])",
            self._company,
            list(wanted),
        )
        return {r[0]: r[1] for r in rows}

    def _people(
        self, placed: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]]
    ) -> set[str]:
        people = {b["pseudonym"] for b in before.values()}
        for said in placed.values():
            phone, name = said.get("owner_phone"), said.get("owner_name")
            if phone:
                people.add(self._vault.person(self._company, name, phone).pseudonym)
                if name:
                    people.add(self._vault.namesake(self._company, name, phone).pseudonym)
        return people

    def _row(
        self,
        key: str,
        said: dict[str, Any],
        stands: dict[str, Any] | None,
        levels: dict[str, int | None],
        outcome: Outcome,
    ) -> dict[str, Any]:
        told = {
            name: said[field]
            for field, name in (("building", "building_id"), ("risers", "riser_ids"))
            if field in said
        } | {name: said[name] for name in HOUSEHOLD.columns if name in said}
        if "certificate" in said:
            told["owner_certificate"] = self._vault.certificate(self._company, said["certificate"])
        row = merged(stands, _DEFAULTS, told)
        row["household_id"] = key
        moved = stands is None or (row["floor"], row["building_id"]) != (
            stands["floor"], stands["building_id"],
        )  # fmt: skip
        height = levels[row["building_id"]]
        if moved and height is not None and row["floor"] > height:
            outcome.notes["floor_above_building"] += 1
        if moved and "ground_floor" not in said:
            row["ground_floor"] = row["floor"] == 1
        if moved and "top_floor" not in said:
            row["top_floor"] = height is not None and row["floor"] >= height
            if height is None and not self._tops:
                self._unknown_height.add(row["building_id"])
        if stands is None:
            outcome.notes.update(f"{f}_not_told" for f in ("gable", "valve") if f not in said)
        return row

    @staticmethod
    def _owner(
        key: str, said: dict[str, Any], stands: dict[str, Any] | None, owners: Owners
    ) -> tuple[str, bool]:
        so_far = stands["pseudonym"] if stands else None
        if so_far is not None and "owner_name" not in said and "owner_phone" not in said:
            return so_far, False
        return owners.of(key, so_far, said.get("owner_name"), said.get("owner_phone"))

    async def finish(self, c: asyncpg.Connection) -> None:
        """Where neither the file nor the building says how high it is, its highest flats of this
        file are on its top floor. Address books are told once: they read flats as they stand."""
        if self._written:
            await bump_register_version(c, self._company)
        if self._unknown_height:
            await c.execute(
                "UPDATE household h SET top_floor = (h.floor = m.top) FROM ("
                " SELECT building_id, max(floor) AS top FROM household"
                "  WHERE company_id = $1 AND building_id = ANY($2::text[]) GROUP BY 1) m"
                " WHERE h.company_id = $1 AND h.building_id = m.building_id"
                " AND h.household_id IN (SELECT key FROM pg_temp.import_seen)"
                " AND h.top_floor <> (h.floor = m.top)",
                self._company,
                sorted(self._unknown_height),
                timeout=LOOK_BACK_S,
            )


def _floor_of(flat: str) -> int | None:
    """502 and 1201 tell their floor."""
    return int(flat[:-2]) if flat.isascii() and flat.isdigit() and len(flat) in {3, 4} else None


async def _known_risers(c: asyncpg.Connection, placed: dict[str, dict[str, Any]]) -> set[str]:
    wanted = {riser for said in placed.values() for riser in said.get("risers", ())}
    if not wanted:
        return set()
    rows = await c.fetch(
        "SELECT node_id FROM node WHERE company_id = current_setting('heatops.company')::int"
        " AND kind = 'riser' AND node_id = ANY($1::text[])",
        list(wanted),
    )
    return {r[0] for r in rows}


def _sound(
    entry: Entry,
    said: dict[str, Any],
    stands: dict[str, Any] | None,
    levels: dict[str, int | None],
    risers: set[str],
    outcome: Outcome,
) -> bool:
    """Whether the row fits the register; refused otherwise."""
    building = said.get("building") or (stands["building_id"] if stands else None)
    if building is None:
        outcome.refuse(
            entry, "no_place", "The row names no building and no address.",
            "Fill in the building's number or the address.",
        )  # fmt: skip
        return False
    if building not in levels:
        outcome.refuse(
            entry, "unknown_building", f"There is no building {building}.",
            "Check the number, or import the heat tree with its buildings first.",
        )  # fmt: skip
        return False
    missing = [n for n in _NEEDED if n not in said] if stands is None else []
    if missing:
        outcome.refuse(
            entry, "missing_field", f"A new household needs {', '.join(missing)}.",
            "Fill in these columns.",
        )  # fmt: skip
        return False
    unknown = [r for r in said.get("risers", ()) if r not in risers]
    if unknown:
        outcome.refuse(
            entry, "unknown_riser", f"There is no riser {unknown[0]}.",
            "Check the number, or import the heat tree first.",
        )  # fmt: skip
        return False
    return True
