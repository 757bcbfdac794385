"""`heatops import tickets`: a file's rows taken in as requests, by the API's own use case."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from dispatch_core.errors import Refused, Unavailable
from dispatch_core.ids import TicketId
from geo.datums import Datums
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressBooks
from server.adapters.cities import Cities
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.api.documents import body_hash
from server.api.wishes import ServiceRequest, Wishes
from server.settings import Settings
from server.sources import tickets_csv
from server.sources.tickets_csv import Refusal, Row
from server.work.company import Progress, company_meant, owner_dsn

AGAIN_S = 1.0


def import_tickets(
    settings: Settings,
    file: Path,
    *,
    company: str | None,
    new_company: str | None,
    preset: str | None,
    limit: int | None,
    per_minute: int | None,
    progress: Progress,
) -> dict[str, Any]:
    """Take in a file's rows as requests; doing it twice makes no ticket twice.

    Raises:
        UserError: `which_company`, `no_such_company`, and as
            `server.sources.tickets_csv.import_tickets`.
    """

    async def run() -> dict[str, Any]:
        dsn = owner_dsn(settings)
        tickets_csv.read_tickets(file, preset)
        number, code = await company_meant(dsn, company, new_company)
        keys = Keys(settings.keys)
        pool = Pool(app_dsn(dsn, keys), name="heatops-import")
        intake = _Intake(pool, keys, Principal(number, "file", "source", b""), settings)
        await intake.clock.load(pool)
        working = asyncio.ensure_future(intake.commits.run())
        try:
            done = await tickets_csv.import_tickets(
                file, intake.send, preset=preset, limit=limit, per_minute=per_minute,
                progress=progress,
            )  # fmt: skip
        finally:
            working.cancel()
            await pool.close()
        return {
            "company": code,
            "accepted": done.accepted,
            "refused": done.refused,
            "rejects": str(done.rejects) if done.rejects else None,
            "ignored_columns": done.ignored_columns,
        }

    return uvloop.run(run())


class _Intake:
    """Takes rows in for one company; `commits.run` must be running while `send` is used."""

    def __init__(self, pool: Pool, keys: Keys, principal: Principal, settings: Settings) -> None:
        self.clock = BusinessClock()
        vault = Vault(keys)
        books = AddressBooks(pool, vault)
        policies = Policies(pool, settings.data / "policies")
        cities = Cities(pool, settings.data / "cities")
        datums = Datums(gcj02_enabled=settings.gcj02)
        self._wishes = Wishes(vault, datums, policies, self.clock, books, cities)
        self.commits = Commits(pool, self.clock, vault, keys.get("journal"), books.ask)
        self._numbers = Numbers(pool)
        self._principal = principal

    async def send(self, rows: Sequence[Row]) -> list[Refusal | None]:
        """Take rows in side by side; answers in their order."""
        return list(await asyncio.gather(*(self._one(row) for row in rows)))

    async def _one(self, row: Row) -> Refusal | None:
        try:
            wish = msgspec.convert(row.body, ServiceRequest)
        except msgspec.ValidationError as error:
            return Refusal("bad_row", str(error), "Mend the row and import the file again.")
        hashed = body_hash(msgspec.json.encode(row.body))
        while True:
            try:
                await self._submit(row, wish, hashed)
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
            except Refused as refused:
                return Refusal(refused.code, refused.detail, refused.what_to_do)
            else:
                return None

    async def _submit(self, row: Row, wish: ServiceRequest, hashed: bytes) -> None:
        company = self._principal.company
        number = TicketId(await self._numbers.next(company, self.clock.now()))
        use_case = await self._wishes.use_case(self._principal, wish, number)
        await self.commits.submit(self._principal, "POST /api/requests", row.key, hashed, use_case)
