"""A register's house for tests of imports: its rows, and stories played in it."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import openpyxl

from geo.datums import Datums
from server.adapters import accounts, clock
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressBooks
from server.adapters.commits import Commits
from server.adapters.exports import Exports
from server.adapters.imports.rows import Imported, ImportKind, Wish
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.sources.tables import export
from server.sources.tables.run import Importer

TREE = [
    ["node", "kind", "parent", "name", "lon", "lat", "datum", "address", "community", "levels"],
    ["K1", "小区", "", "阳光小区", "126.60", "45.70", "wgs84", "", "", ""],
    ["P1", "热源厂", "", "东厂", "126.61", "45.71", "wgs84", "", "", ""],
    ["G1", "一次网", "P1", "南线", "", "", "", "", "", ""],
    ["S1", "换热站", "G1", "一站", "126.62", "45.72", "wgs84", "", "", ""],
    ["C1", "circuit", "S1", "低区", "", "", "", "", "", ""],
    ["E1", "entrance", "C1", "1 栋", "", "", "", "", "", ""],
    ["U1", "unit", "E1", "1 单元", "", "", "", "", "", ""],
    ["R1", "riser", "U1", "1 号立管", "", "", "", "", "", ""],
    ["B1", "楼栋", "S1", "1 栋", "126.63", "45.73", "wgs84", "经纬街 128 号", "阳光小区", "6"],
    ["B2", "楼栋", "S1", "2 栋", "126.64", "45.73", "cgcs2000", "经纬街 130 号", "K1", ""],
]
HOMES = [
    ["户号", "楼栋编号", "单元", "楼层", "房号", "立管", "建筑面积(㎡)", "冷山", "户阀", "质保期至",
     "业主姓名", "联系电话", "身份证号"],
    ["H1", "B1", "1单元", "1", "101", "R1", "80.5", "是", "有", "2027-10-31", "王伟",
     "138-0000-0001", "230101199001011234"],
    ["H2", "B1", "1", "6", "602室", "R1", "60", "否", "无", "", "李芳", "138-0000-0002", ""],
    ["H3", "B2", "2", "3", "301", "", "70", "", "", "", "王伟", "13800000001", ""],
    ["H4", "B2", "2", "4", "401", "", "70", "", "", "", "张强", "13800000001", ""],
    ["H5", "B2", "2", "5", "501", "", "70", "", "", "", "无电话", "", ""],
]  # fmt: skip


class House:
    """Two companies on a database of the test's own, and the ways in and out."""

    def __init__(self, dsn: str, data: Path, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder
        keys = Keys(data / "keys")
        self.pool = Pool(app_dsn(dsn, keys), name="test-imports")
        self.vault = Vault(keys)
        self.clock = clock.BusinessClock()
        books = AddressBooks(self.pool, self.vault)
        self.commits = Commits(self.pool, self.clock, self.vault, keys.get("journal"), books.ask)
        self.importer = Importer(
            self.pool, self.vault, self.clock, self.commits, books,
            Policies(self.pool, folder / "policies"), Datums(), folder / "imports",
        )  # fmt: skip
        self.exports = Exports(self.pool, self.vault)
        self.company = self.other = 0

    def file(self, rows: list[list[str]], name: str = "in.csv") -> Path:
        path = self.folder / name
        if name.endswith(".xlsx"):
            book = openpyxl.Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
            return path
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    async def take(
        self, kind: ImportKind, source: list[list[str]] | Path, company: int = 0, **options: Any
    ) -> Imported:
        path = source if isinstance(source, Path) else self.file(source)
        principal = Principal(company or self.company, "file", "source", b"")
        wish = Wish(principal=principal, kind=kind, path=path, file_name=path.name, **options)
        done = await self.importer.run(wish)
        assert done.rows == done.added + done.changed + done.unchanged + done.refused
        return done

    async def written(self, kind: ImportKind, company: int, name: str) -> bytes:
        path = self.folder / name
        await export.write_csv(self.exports, company, kind, path)
        return path.read_bytes()

    async def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        c = await asyncpg.connect(self.dsn)
        try:
            return await c.fetch(query, *args)
        finally:
            await c.close()


Story = Callable[[House], Awaitable[None]]


def player(dsn: str, data: Path, folder: Path) -> Callable[[Story], None]:
    """Plays a story in a house of its own."""

    async def run(story: Story) -> None:
        house = House(dsn, data, folder)
        house.company = await accounts.ensure_company(dsn, "one", "一")
        house.other = await accounts.ensure_company(dsn, "two", "二")
        await clock.set_clock(dsn, datetime(2026, 1, 14, 2, tzinfo=UTC), 1.0)
        await house.clock.load(house.pool)
        working = asyncio.ensure_future(house.commits.run())
        try:
            await story(house)
        finally:
            working.cancel()
            await house.pool.close()

    return lambda story: asyncio.run(run(story))


def counts(done: Imported) -> tuple[int, int, int, int]:
    return done.added, done.changed, done.unchanged, done.refused


def codes(done: Imported) -> list[tuple[int, str]]:
    return [(r.row, r.code) for r in done.rejects]


async def register(house: House) -> None:
    assert counts(await house.take("heat_tree", TREE)) == (10, 0, 0, 0)
    assert counts(await house.take("households", HOMES)) == (5, 0, 0, 0)
