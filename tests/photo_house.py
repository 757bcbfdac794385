"""A database with one company, tickets whose crew is on site, and photos in their slots; scenes to
take photos of."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import numpy as np
from PIL import Image, ImageDraw

from dispatch_core import commands as c
from dispatch_core import evidence, tickets
from dispatch_core.events import SiteFix
from dispatch_core.ids import Place, unix
from geo import shapes
from server.adapters import journal
from server.adapters.accounts import ensure_company
from server.adapters.clock import BusinessClock, system_now
from server.adapters.evidence_jobs import EvidenceJobs
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.photo_blobs import open_blobs
from server.adapters.photos import Photos
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.jobs.photo_judge import PhotoJudge
from server.jobs.worker import Worker

ROOT = Path(__file__).resolve().parents[1]
LON, LAT = 126.63, 45.75
SIDE = 0.0002
WITHIN_S = 60.0
T = TypeVar("T")


def scene(seed: int, width: int = 1200, height: int = 900) -> Image.Image:
    """A picture with edges, surfaces and texture; another for each seed."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(30, 226, (9, 12, 3), np.uint8))
    image = coarse.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(70):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(20, width // 4), random.integers(20, height // 4)
        colour = tuple(int(v) for v in random.integers(0, 256, 3))
        kind = random.integers(0, 3)
        if kind == 0:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        elif kind == 1:
            draw.ellipse((x, y, x + w, y + h), fill=colour)
        else:
            draw.line((x, y, x + 2 * w, y + h), fill=colour, width=int(random.integers(2, 14)))
    grain = random.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = 88) -> bytes:
    """As a phone would send it."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


async def soon(look: Callable[[], Awaitable[T]], what: str, within: float = WITHIN_S) -> T:
    """The first truthy answer."""
    began = time.monotonic()
    while not (found := await look()):
        assert time.monotonic() - began < within, f"not within {within:.0f} s: {what}"
        await asyncio.sleep(0.05)
    return found


@dataclass
class PhotoHouse:
    """One company `warm` of a migrated database; `keys` is where its keys lie."""

    database_url: str
    redis_url: str
    keys: Path
    data: Path
    company: int = 0
    pool: Pool = field(init=False)
    photos: Photos = field(init=False)
    clock: BusinessClock = field(default_factory=BusinessClock)
    _tickets: int = 0

    async def open(self) -> PhotoHouse:
        self.company = await ensure_company(self.database_url, "warm", "暖")
        keys = Keys(self.keys)
        self.pool = Pool(app_dsn(self.database_url, keys), size=6, name="test-photo")
        self.photos = Photos(self.pool, Vault(keys), open_blobs(None, self.data / "photos"))
        await self.clock.load(self.pool)
        for number in range(1, 5):
            await self._building(f"B{number}", LON + 0.01 * number)
        return self

    async def close(self) -> None:
        await self.pool.close()

    async def _building(self, name: str, lon: float) -> None:
        ring = [(lon, LAT), (lon + SIDE, LAT), (lon + SIDE, LAT + SIDE), (lon, LAT + SIDE)]
        await self.sql(
            "INSERT INTO building (company_id, building_id, name, street, house_number, address,"
            " lon, lat, outline, use, district) VALUES ($1, $2, $2, '和平路', '1', $2, $3, $4, $5,"
            " 'residential', '道里区')",
            self.company, name, lon, LAT, shapes.to_wkb(shapes.array([shapes.polygon([ring])]))[0],
        )  # fmt: skip

    async def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """As the owner of the database."""
        connection = await asyncpg.connect(self.database_url, timeout=10)
        try:
            return list(await connection.fetch(query, *args))
        finally:
            await connection.close(timeout=5)

    async def on_site(self, crew: str = "K1", building: str = "B1") -> str:
        """A new ticket whose crew has checked in."""
        self._tickets += 1
        ticket = f"260114-{self._tickets:06d}"
        place = Place(
            building=building, lon=LON + 0.01 * int(building[1:]), lat=LAT, address=building,
            community=None, district=None,
        )  # fmt: skip
        await self._write(
            f"ticket:{ticket}",
            lambda head, now: tickets.decide(
                head,
                c.ReceiveRequest(
                    ticket=ticket, kind="leak", level="red", level_reason="as_given",
                    source="phone", place=place, by="user:1",
                ),
                now,
            ),
        )  # fmt: skip
        await self.command(
            ticket,
            lambda label, now: c.CheckIn(
                ticket=label, by="crew", crew=crew, crew_name=crew, device="d1",
                at_device_ms=unix(now) * 1000, fix=None, verdict="in", distance_m=0.0, doubts=[],
                needs_review=False, round=0,
            ),
        )  # fmt: skip
        return ticket

    async def take(
        self, ticket: str, slot: str, data: bytes, *, crew: str = "K1", building: str = "B1",
        trust: str = "a",
    ) -> str:  # fmt: skip
        """A photo that has arrived for a slot; its id."""
        photo = (await self.photos.take_in(self.company, "crew", data)).id
        holds = True if trust == "a" else None
        lon = LON + 0.01 * int(building[1:]) + SIDE / 2
        await self.command(
            ticket,
            lambda label, now: c.TakePhoto(
                ticket=label, by="crew", crew=crew, round=0, slot=slot, photo=photo,
                bytes=len(data), captured_at_ms=unix(now) * 1000, trust=trust, nonce_holds=holds,
                signature_holds=holds, device="d1",
                fix=SiteFix(lon=lon, lat=LAT + SIDE / 2, accuracy_m=8, at_ms=unix(now) * 1000),
            ),
        )  # fmt: skip
        return photo

    async def command(self, ticket: str, make: Callable[[Any, Any], Any]) -> None:
        """A command of the record, written as the web writes it."""
        async with self.pool.company(self.company) as connection:
            heads = await journal.load_heads(connection, [f"ticket:{ticket}"])
        label = heads[f"ticket:{ticket}"].state.label
        await self._write(
            f"evidence:{ticket}", lambda head, now: evidence.decide(head, make(label, now), now)
        )

    async def _write(self, stream: str, decide: Callable[[Any, Any], Any]) -> None:
        now = self.clock.now()
        async with self.pool.company(self.company) as connection:
            heads = await journal.load_heads(connection, [stream])
            writes = journal.Writes(self.company, Keys(self.keys).get("journal"), now, system_now())
            writes.heads[stream] = heads.get(stream) or journal.StreamHead()
            facts = decide(writes.heads[stream].state, now)
            writes.append(stream, facts, actor="crew:K1", grounds="test", policy="test")
            await writes.flush(connection)

    async def record(self, ticket: str) -> evidence.SiteRecord:
        """The record as it stands."""
        async with self.pool.company(self.company) as connection:
            heads = await journal.load_heads(connection, [f"evidence:{ticket}"])
        found: evidence.SiteRecord = heads[f"evidence:{ticket}"].state
        return found

    async def told(self, ticket: str, kind: str) -> list[dict[str, Any]]:
        """The facts of a kind, oldest first."""
        rows = await self.sql(
            "SELECT body::text FROM journal WHERE stream = $1 AND kind = $2"
            " ORDER BY version", f"evidence:{ticket}", kind,
        )  # fmt: skip
        return [json.loads(row["body"]) for row in rows]

    async def judged(self, ticket: str, slot: str) -> dict[str, Any]:
        """The last verdict on a slot, with its checks by code."""

        async def look() -> dict[str, Any] | None:
            found = [f for f in await self.told(ticket, "photo_judged") if f["slot"] == slot]
            return found[-1] if found else None

        fact = await soon(look, f"{ticket} {slot} is judged")
        return fact | {"checks": {check["code"]: check for check in fact["checks"]}}

    async def judge(self, workers: list[Worker], generation: int = 1) -> PhotoJudge:
        """A judge in this process that leads, with children of its own."""
        await self.sql("UPDATE lease SET generation = $1 WHERE name = 'photo'", generation)
        policies = Policies(self.pool, self.data / "policies")
        key = Keys(self.keys).get("journal")
        jobs = EvidenceJobs(self.pool, self.clock, key, policies, generation)

        async def companies() -> list[int]:
            return [self.company]

        return PhotoJudge(jobs, self.photos, companies, workers)

    def process(self, log: Path) -> subprocess.Popen[bytes]:
        """A photo process of its own."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")}
        # The keys of the test's database lie beside other data: a folder that has both.
        if not (self.data / "keys").exists():
            (self.data / "keys").symlink_to(self.keys)
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "server", "photo"],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env | {
                    "HEATOPS_DATA": str(self.data), "HEATOPS_DATABASE_URL": self.database_url,
                    "HEATOPS_REDIS_URL": self.redis_url, "HEATOPS_LOG": "info",
                },
            )  # fmt: skip
