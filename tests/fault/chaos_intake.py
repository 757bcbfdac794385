"""What a desk sends in a day, so that two writers often mean the same door at the same time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg
from chaos_ledger import Acknowledged, Applied, Ledger

HOMES = 4_000
DOORS = 40
"""Households that call and call again."""
LON, LAT = 126.65, 45.75


class Command(NamedTuple):
    """A POST, and what is written down once it is answered: its key and the answer."""

    path: str
    body: dict[str, Any]
    note: Callable[[str, dict[str, Any]], None]
    may: frozenset[str] = frozenset()
    """Refusals that a correct installation may give, since others mean the same ticket."""


class Desk:
    """Applications, calls about a household, and cases of the hotline."""

    def __init__(self, seed: int, book: Ledger) -> None:
        self._random = random.Random(seed)
        self._book = book
        self._unsigned: list[tuple[str, int]] = []
        self._referred: list[tuple[str, int]] = []

    def next(self) -> Command:
        """Each new household or number is meant by two commands in a row, of any writer."""
        chance = self._random.random()
        if chance < 0.15 and self._unsigned:
            return self._sign(*self._unsigned.pop())
        if chance < 0.25 and self._referred:
            return self._withdraw(*self._referred.pop(0))
        if chance < 0.5:
            return self._call(f"C-{self._random.randrange(DOORS)}")
        number = self._book.asked // 2 % HOMES
        self._book.asked += 1
        return self._apply(f"H-{number}") if chance < 0.75 else self._case(number)

    def _call(self, household: str) -> Command:
        def note(key: str, told: dict[str, Any]) -> None:
            self._book.calls[household] += 1
            self._shown(key, told)

        body = {"kind": "not_warm", "source": "phone", "household": household}
        return Command("/api/requests", body, note)

    def _apply(self, household: str) -> Command:
        def note(_: str, told: dict[str, Any]) -> None:
            self._book.applied.append(Applied(household, told["id"], told["duplicate"]))
            if not told["duplicate"] and told["state"] == "referred":
                self._referred.append((told["id"], told["version"]))

        body = {
            "action": "suspension", "household": household, "source": "counter",
            "applicant": {"name": "申请人"},
        }  # fmt: skip
        return Command("/api/suspensions", body, note)

    def _withdraw(self, application: str, version: int) -> Command:
        def note(_: str, told: dict[str, Any]) -> None:
            assert told["state"] == "withdrawn", told
            self._book.withdrawn.add(application)

        return Command(f"/api/suspensions/{application}/withdraw", {"version": version}, note)

    def _case(self, number: int) -> Command:
        name = f"26-{number}"

        def note(key: str, told: dict[str, Any]) -> None:
            case = told["case"]
            first = name not in self._book.cases
            self._book.cases.setdefault(name, []).append(case["id"])
            if first and case["state"] == "received":
                self._unsigned.append((case["id"], case["version"]))
            self._shown(key, told["ticket"])

        body = {
            "origin": "hotline_12345", "number": name, "kind": "leak",
            "household": f"H-{number % 200}",
        }  # fmt: skip
        return Command("/api/cases", body, note)

    def _sign(self, case: str, version: int) -> Command:
        def note(_: str, told: dict[str, Any]) -> None:
            assert told["state"] == "signed", told
            self._book.signed.add(case)

        return Command(f"/api/cases/{case}/sign", {"version": version}, note)

    def _shown(self, key: str, ticket: dict[str, Any]) -> None:
        self._book.acknowledged.append(
            Acknowledged(time.time(), key, ticket["id"], ticket["version"], own=False)
        )


def fill_register(dsn: str, company: int) -> None:
    """Two buildings with households whose owners nobody knows: a person has to look."""

    async def fill() -> None:
        c = await asyncpg.connect(dsn, timeout=10)
        try:
            await c.executemany(
                "INSERT INTO building (company_id, building_id, name, street, house_number,"
                " address, lon, lat, use, district)"
                " VALUES ($1, $2, $2, '和平路', '1', $2, $3, $4, 'residential', '道里区')",
                [(company, building, LON, LAT) for building in ("B-C", "B-H")],
            )
            names = [f"H-{n}" for n in range(HOMES)] + [f"C-{n}" for n in range(DOORS)]
            await c.executemany(
                "INSERT INTO household (company_id, household_id, building_id, unit, floor, flat,"
                " riser_ids, area_m2, gable, ground_floor, top_floor, valve, green_channel,"
                " pseudonym, lon, lat) VALUES ($1, $2, $3, 1, 1, $2, '{}', 60, false, false, false,"
                " true, false, $4, $5, $6)",
                [(company, h, f"B-{h[0]}", f"p-{h}", LON, LAT) for h in names],
            )
        finally:
            await c.close()

    asyncio.run(fill())
