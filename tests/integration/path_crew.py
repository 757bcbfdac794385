"""Crews' phones at the doors of the site, in this process and on a house's database."""

from __future__ import annotations

import asyncio
import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from litestar import Litestar
from litestar.connection import ASGIConnection
from path_house import LAT, LON, House
from typing_extensions import override

from dispatch_core.ids import CrewId, PhotoId, Slot, TicketId
from geo.datums import Datums
from server.adapters.accounts import Accounts, Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.photo_blobs import open_blobs
from server.adapters.photos import Photos
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.api.gate import Gate
from server.api.problems import HANDLERS
from server.app import site
from server.usecases.site import TakeSitePhoto


class PhoneGate(Gate):
    """Every caller is the phone of the crew that it names."""

    def __init__(self, accounts: Accounts, company: int) -> None:
        super().__init__(accounts)
        self._company = company

    @override
    async def principal(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
        return phone_of(self._company, connection.headers["x-crew"])


def phone_of(company: int, crew: str) -> Principal:
    return Principal(company, crew, "crew", b"", "crew", CrewId(crew), "phone-1")


@dataclass
class Phones:
    """What crews say, each under a new Idempotency-Key unless one is given."""

    house: House
    http: httpx.AsyncClient
    commits: Commits
    policies: Policies
    clock: BusinessClock

    async def say(
        self, crew: str, ticket: str, what: str, /, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        at = int(self.clock.now().timestamp() * 1000)
        here: dict[str, Any] = {
            "lon": LON, "lat": LAT, "datum": "wgs84", "accuracy_m": 8.0, "at_ms": at - 1000,
        }  # fmt: skip
        fix = here | more.pop("fix", {})
        return await self.http.post(
            f"/api/crew/tickets/{ticket}/{what}",
            json={"at_device_ms": at, "fix": fix} | more,
            headers={"x-crew": crew, "Idempotency-Key": key or f"phone-{uuid.uuid4()}"},
        )

    async def ok(self, crew: str, ticket: str, what: str, /, **more: Any) -> Any:
        answer = await self.say(crew, ticket, what, **more)
        assert answer.status_code == 200, (what, answer.status_code, answer.text)
        return answer.json()

    async def refused(self, crew: str, ticket: str, what: str, /, **more: Any) -> tuple[int, str]:
        answer = await self.say(crew, ticket, what, **more)
        problem = answer.json()
        assert problem["detail"]
        assert problem["what_to_do"]
        return answer.status_code, problem["code"]

    async def photo(self, crew: str, ticket: str, slot: Slot) -> None:
        """A photo that has arrived whole, past the upload."""
        who = phone_of(self.house.company, crew)
        case = TakeSitePhoto(
            ticket=TicketId(ticket), city=await self.policies.at(who.company, self.clock.now()),
            crew=CrewId(crew), by=who.actor, slot=slot, photo=PhotoId(uuid.uuid4().hex * 2),
            bytes=1000, captured_at_ms=None, trust="a", nonce_holds=True, signature_holds=True,
            device="phone-1", fix=None,
        )  # fmt: skip
        key = f"photo-{uuid.uuid4()}"
        await self.commits.submit(who, "POST /api/crew/uploads", key, key.encode(), case)


@asynccontextmanager
async def phones(house: House) -> AsyncIterator[Phones]:
    pool = Pool(house.app_url)
    clock, vault = BusinessClock(), Vault(house.keys)
    await clock.load(pool)
    policies = Policies(pool, house.data / "policies")
    commits = Commits(pool, clock, vault, house.keys.get("journal"))
    gate = PhoneGate(Accounts(pool), house.company)
    photos = Photos(pool, vault, open_blobs(None, house.data / "photos"))
    parts = site.Parts(
        gate, pool, commits, vault, policies, clock, Numbers(pool), Datums(), photos,
        house.data / "uploads",
    )  # fmt: skip
    with warnings.catch_warnings():  # of the web process, where they stop nobody
        warnings.simplefilter("ignore", DeprecationWarning)
        doors = site.create_handlers(parts)
        app = Litestar(doors, exception_handlers=HANDLERS, logging_config=None)
    transport = httpx.ASGITransport(app)
    running = asyncio.ensure_future(commits.run())
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://phone") as http:
            yield Phones(house, http, commits, policies, clock)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await pool.close()
