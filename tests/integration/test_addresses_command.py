"""`heatops addresses match` and what address books do between processes."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from path_house import ROOT, House, fetch, run

from server.adapters.address_book import AddressBooks, Query, bump_register_version
from server.adapters.pool import Pool
from server.adapters.vault import Vault


def command(house: House, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", "addresses", "match", *args],
        cwd=ROOT, env=house._env(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_lines_of_a_text_file(house: House, tmp_path: Path) -> None:
    file = tmp_path / "said.txt"
    file.write_bytes("和平路3号1单元\n\n和平路999号\n户号H-008\n".encode("gb18030"))
    done = command(house, str(file), "--company", "warm", "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["line"], r["verdict"], r["building"]) for r in rows] == [
        (1, "matched", "B04"), (3, "unmatched", None), (4, "matched", "B01"),
    ]  # fmt: skip
    assert rows[2]["household"] == "H-008"
    told = command(house, str(file), "--company", "warm")
    assert "和平路3号1单元  ->  和平路 3 号 1" in told.stdout
    assert "2 matched, 1 unmatched" in told.stdout


def test_a_column_of_a_csv_file(house: House, tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    file.write_text("编号,地址\n1,和平路5号\n2,没有这条路5号\n", "utf-8")
    out = tmp_path / "answers.csv"
    done = command(house, str(file), "--company", "warm", "--output", str(out))
    assert done.returncode == 0, done.stderr
    with out.open(encoding="utf-8-sig", newline="") as read:
        rows = list(csv.DictReader(read))
    assert [(r["text"], r["building"]) for r in rows] == [
        ("和平路5号", "B06"),
        ("没有这条路5号", ""),
    ]
    wrong = command(house, str(file), "--company", "warm", "--column", "门牌", "--json")
    assert wrong.returncode != 0
    assert json.loads(wrong.stderr.splitlines()[-1])["error"]["code"] == "no_such_column"


def test_a_question_is_asked_once_however_many_ask(house: House) -> None:
    text = "没有这条路 7 号 李女士 13912345678"

    async def ask_ten_times() -> list[int]:
        pool = Pool(house.app_url, size=10, name="test-addresses")
        made = AddressBooks(pool, Vault(house.keys))
        [answer] = await made.resolve(house.company, [Query(text=text)])
        assert answer.verdict == "unmatched"

        async def one(n: int) -> int:
            async with pool.company(house.company) as c:
                reference = "household:once" if n else "household:other"
                return await made.ask(
                    c, house.company, "import", reference, text, answer, datetime.now(UTC)
                )

        try:
            return list(await asyncio.gather(*(one(n) for n in range(10))))
        finally:
            await pool.close()

    numbers = run(ask_ten_times())
    assert len(set(numbers[1:])) == 1
    assert numbers[0] not in numbers[1:]
    kept = house.sql(
        "SELECT count(*) AS n FROM address_question WHERE reference LIKE 'household:o%'"
    )
    assert kept[0]["n"] == 2
    words = house.sql(
        "SELECT count(*) AS n FROM person_words w WHERE NOT EXISTS (SELECT FROM address_question q"
        " WHERE q.words_id = w.words_id) AND w.pseudonym IS NULL AND company_id = $1"
        " AND words_id IN (SELECT words_id FROM address_question)",
        house.company,
    )
    assert words[0]["n"] == 0


def test_a_book_follows_its_register(house: House) -> None:
    company, _ = house.open_company("fresh")

    async def before_and_after() -> list[Any]:
        pool = Pool(house.app_url, size=2, name="test-addresses")
        made = AddressBooks(pool, Vault(house.keys))
        query = [Query(text="新建路 1 号")]
        try:
            found = [(await made.resolve(company, query))[0].verdict]
            await fetch(
                house.database_url,
                "UPDATE building SET street = '新建路' WHERE company_id = $1", company,
            )  # fmt: skip
            await made.refresh(company)
            found.append((await made.resolve(company, query))[0].verdict)
            async with pool.company(company) as c:
                await bump_register_version(c, company)
            await made.refresh(company)
            found.append((await made.resolve(company, query))[0].verdict)
        finally:
            await pool.close()
        return found

    # the second one is not told: whoever changes the register says so
    assert run(before_and_after()) == ["unmatched", "unmatched", "matched"]
