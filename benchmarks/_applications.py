"""A register of households with owners and debts, and a burst of their applications."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks._clients import Loop, Sender
from benchmarks._stack import BUILDINGS, LAT, LON, Stack
from server.adapters.clock import set_clock
from server.adapters.keys import Keys
from server.adapters.register import replace_table
from server.adapters.vault import Vault

DEADLINE_NEAR = datetime(2026, 9, 24, 2, 0, tzinfo=UTC)
"""The policy's deadline is 30 September, 24:00 in the city."""
UNITS, FLOORS, DOORS = 3, 6, 3
WITHIN_S = 60.0
OLD = 5
"""Every so manieth flat stands on two risers, as in old vertical systems."""


def households(running: Stack, count: int) -> None:
    """Fill the register with `count` flats, their owners, balances and one photo each."""
    asyncio.run(_fill(running, count))


async def _fill(running: Stack, count: int) -> None:
    vault = Vault(Keys(running.data / "keys"))
    c = await asyncpg.connect(running.engines.database_url)
    try:
        async with c.transaction():
            company = await c.fetchval("SELECT company_id FROM company WHERE code = 'bench'")
            flats, persons, balances, photos = [], [], [], []
            for n in range(count):
                name, phone = f"户主{n}", f"100{n:08d}"
                owner = vault.person(company, name, phone)
                flats.append((*_flat(n), owner.pseudonym, LON, LAT))
                persons.append((
                    owner.pseudonym, vault.seal_person(company, owner),
                    vault.blind_name(company, name), vault.blind_phone(company, phone),
                ))  # fmt: skip
                balances.append((f"H-{n:06d}", 90_000 if n % 20 == 7 else 0))
                photos.append((photo(n), "image/jpeg", 300_000, 1600, 1200))
            await replace_table(
                c, company, "household",
                ("household_id", "building_id", "unit", "floor", "flat", "riser_ids", "area_m2",
                 "gable", "ground_floor", "top_floor", "valve", "green_channel", "pseudonym",
                 "lon", "lat"),
                flats,
            )  # fmt: skip
            await c.copy_records_to_table(
                "person", columns=["company_id", "pseudonym", "body", "name_index", "phone_index"],
                records=[(company, *p) for p in persons],
            )  # fmt: skip
            await c.executemany(
                "INSERT INTO account_balance VALUES ($1, $2, $3, now(), now())",
                [(company, *b) for b in balances],
            )
            await c.executemany(
                "INSERT INTO photo VALUES ($1, $2, $3, $4, $5, $6, now(), 'source:bench')",
                [(company, *p) for p in photos],
            )
        await c.execute("ANALYZE")
    finally:
        await c.close()
    await set_clock(running.engines.database_url, DEADLINE_NEAR, 1.0)
    time.sleep(1.5)  # the processes take it up


def _flat(n: int) -> tuple[Any, ...]:
    building, at = n % BUILDINGS, n // BUILDINGS % (UNITS * FLOORS * DOORS)
    unit, floor, door = at % UNITS + 1, at // UNITS % FLOORS + 1, at // (UNITS * FLOORS) + 1
    old = building % OLD == 0
    risers = [f"U{unit}-R{2 * door - 1}", f"U{unit}-R{2 * door}"] if old else [f"U{unit}-R1"]
    return (
        f"H-{n:06d}", f"B-{building:04d}", unit, floor, f"{floor}0{door}", risers, 85.5,
        n % 25 == 3, n % 33 == 5, n % 33 == 9, n % 40 != 11, False,
    )  # fmt: skip


def photo(n: int) -> str:
    """The id of a household's photo of its proof."""
    return f"{n:064x}"


def application(n: int) -> dict[str, Any]:
    """An application of household n by its owner, some without the proof."""
    return {
        "action": "suspension",
        "household": f"H-{n:06d}",
        "applicant": {"name": f"户主{n}", "phone": f"100{n:08d}"},
        "source": "app",
        "photos": [] if n % 30 == 13 else [photo(n)],
        "words": "今冬在外地居住，申请停热一个采暖期" if n % 3 == 0 else None,
    }


class Burst:
    """Sends applications over many connections."""

    def __init__(self, running: Stack) -> None:
        self._running = running
        self._loop = Loop()
        self._free: list[Sender] = []
        self._by_number: dict[int, Sender] = {}
        self._sent: dict[int, float] = {}
        self.answered_in: list[float] = []
        self.states: Counter[str] = Counter()

    def _answered(self, number: int, status: int, body: bytes, at: float) -> None:
        if status not in {200, 201}:
            sys.exit(f"application {number} was answered {status}: {body[:300]!r}")
        answer = json.loads(body)
        self.states["duplicate" if answer["duplicate"] else answer["state"]] += 1
        self.answered_in.append(at - self._sent.pop(number))
        self._free.append(self._by_number.pop(number))

    def run(self, numbers: range, in_flight: int) -> float:
        """Seconds until all are answered."""
        waiting = [(n, self._request(n)) for n in reversed(numbers)]
        self.answered_in.clear()
        self.states.clear()
        for _ in range(in_flight):
            sender = Sender(self._running.port, self._answered)
            self._loop.add(sender)
            self._free.append(sender)
        began = time.time()
        while waiting or self._sent:
            while waiting and self._free:
                number, data = waiting.pop()
                sender = self._by_number[number] = self._free.pop()
                self._sent[number] = time.time()
                sender.send(number, data)
            self._loop.turn(1.0)
            if time.time() - began > WITHIN_S:
                sys.exit(f"{len(self._sent)} applications unanswered")
        took = time.time() - began
        while self._free:
            self._loop.drop(self._free.pop())
        return took

    def _request(self, number: int) -> bytes:
        body = json.dumps(application(number), ensure_ascii=False).encode()
        head = (
            f"POST /api/suspensions HTTP/1.1\r\nHost: 127.0.0.1:{self._running.port}\r\n"
            f"Authorization: Bearer {self._running.token}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {number}-{secrets.token_hex(8)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def until_visited(running: Stack) -> None:
    """Wait until the core has planned a visit for every approved application."""
    began = time.time()
    while running.sql(
        "SELECT 1 FROM application WHERE state = 'approved' AND visit_id IS NULL LIMIT 1"
    ):
        if time.time() - began > WITHIN_S:
            sys.exit("applications were left without a visit")
        time.sleep(0.25)
