"""Stores and the further columns of crews from files: counted by row, refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from path_imports import House, Story, counts, player

from dispatch_core.commands import ReserveParts
from dispatch_core.crews import Crew
from dispatch_core.stores import Store, decide
from server.adapters import journal
from server.adapters.accounts import Principal
from server.ports import Decision, Loaded, Wanted

HEAD = ["store", "name", "lon", "lat", "datum", "part", "pieces"]
W1 = ["W1", "道里备件库", "126.6", "45.7", "wgs84", "闸阀 DN80", "6"]


@pytest.fixture
def play(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[[Story], None]:
    return player(fresh_database, engines.data, tmp_path)


async def state(house: House, stream: str) -> Any:
    async with house.pool.company(house.company, readonly=True) as c:
        return (await journal.load_heads(c, [stream]))[stream].state


class Keep:
    """Parts are kept for a ticket, as the ticket's own command does it."""

    def wanted(self) -> Wanted:
        return Wanted(streams=("store:W1",))

    def more(self, loaded: Loaded, /) -> Wanted:
        return Wanted()

    def decide(self, loaded: Loaded, now: Any, /) -> Decision:
        store = loaded.state("store:W1")[0]
        made = decide(store, ReserveParts(ticket="t1", parts={"闸阀 DN80": 2}))
        return Decision(appends={"store:W1": made}, answer={}, grounds="kept", policy="test")


def test_a_store_is_counted_part_by_part(play: Any) -> None:
    async def story(house: House) -> None:
        rows = [HEAD, W1, ["W1", "", "", "", "", "放气阀", "40"]]
        assert counts(await house.take("stores", rows, dry=True)) == (2, 0, 0, 0)
        assert counts(await house.take("stores", rows)) == (2, 0, 0, 0)
        assert counts(await house.take("stores", rows)) == (0, 0, 2, 0)
        store: Store = await state(house, "store:W1")
        assert store.parts == {"闸阀 DN80": 6, "放气阀": 40}
        fewer = [["store", "part", "pieces"], ["W1", "闸阀 DN80", "5"], ["W1", "放气阀", "40"]]
        assert counts(await house.take("stores", fewer)) == (0, 1, 1, 0)
        none = [["store", "part", "pieces"], ["W1", "放气阀", "0"]]
        assert counts(await house.take("stores", none)) == (0, 1, 0, 0)
        store = await state(house, "store:W1")
        assert store.parts == {"闸阀 DN80": 5}
        # the same file again is a new count, not the old one
        assert counts(await house.take("stores", rows)) == (1, 1, 0, 0)
        assert (await state(house, "store:W1")).parts == {"闸阀 DN80": 6, "放气阀": 40}

    play(story)


def test_rows_of_stores_that_cannot_be(play: Any) -> None:
    async def story(house: House) -> None:
        rows = [
            HEAD,
            ["W1", "库", "126.6", "45.7", "", "闸阀", "6"],
            ["W2", "库", "126.6", "45.7", "wgs84", "", "6"],
            ["W3", "库", "126.6", "45.7", "wgs84", "闸阀", ""],
            ["W4", "库", "126.6", "45.7", "wgs84", "闸阀", "-1"],
            ["W5", "", "", "", "", "闸阀", "1"],
            W1,
            W1,
        ]  # fmt: skip
        done = await house.take("stores", rows)
        assert counts(done) == (1, 0, 0, 6), done
        assert [(r.row, r.code) for r in done.rejects] == [
            (2, "datum_missing"), (3, "missing_field"), (4, "missing_field"), (5, "bad_number"),
            (6, "missing_field"), (8, "duplicate_key"),
        ], done.rejects  # fmt: skip
        who = Principal(house.company, "file", "source", b"")
        await house.commits.submit(who, "keep", "keep-0001", b"k", Keep())
        less = await house.take("stores", [HEAD, [*W1[:6], "1"]])
        assert [(r.row, r.code) for r in less.rejects] == [(2, "kept_for_tickets")]

    play(story)


def test_a_crews_further_columns(play: Any) -> None:
    async def story(house: House) -> None:
        head = ["crew", "name", "trades", "members", "vehicle", "shift"]
        first = ["C01", "道里一班", "二次网", "3", "暖抢-1", "06:00-18:00"]
        more = ["skill", "territory", "lon", "lat", "datum", "breaks", "equipment", "parts"]
        said = ["5", "道里区", "126.6", "45.7", "wgs84", "11:00-13:00/40;15:00-16:00/15",
                "pump;generator", "闸阀 DN80:2;放气阀×5"]  # fmt: skip
        done = await house.take("crews", [head + more, first + said])
        assert counts(done) == (1, 0, 0, 0), done
        crew: Crew = await state(house, "crew:C01")
        assert (crew.skill, crew.territory, crew.equipment) == (
            5,
            ["道里区"],
            ["pump", "generator"],
        )
        assert crew.base is not None
        assert (crew.base.lon, crew.base.lat) == (126.6, 45.7)
        assert [(b.after, b.before, b.minutes) for b in crew.breaks] == [
            ("11:00", "13:00", 40), ("15:00", "16:00", 15),
        ]  # fmt: skip
        assert crew.parts == {"闸阀 DN80": 2, "放气阀": 5}
        # what a later file leaves out stays; a new count of the van is a change
        assert counts(await house.take("crews", [head, first])) == (0, 0, 1, 0)
        count = await house.take("crews", [[*head, "parts"], [*first, "放气阀:1"]])
        assert counts(count) == (0, 1, 0, 0)
        crew = await state(house, "crew:C01")
        assert (crew.skill, crew.parts) == (5, {"放气阀": 1})

    play(story)


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("skill", "6", "bad_number"), ("breaks", "11-13", "bad_break"),
        ("breaks", "11:00-13:00/3", "bad_crew"), ("parts", "闸阀", "bad_parts"),
        ("parts", "闸阀:1;闸阀:2", "bad_parts"), ("lon", "126.6", "bad_coordinate"),
    ],
)  # fmt: skip
def test_a_crews_cells_that_cannot_be_meant(play: Any, column: str, cell: str, code: str) -> None:
    async def story(house: House) -> None:
        head = ["crew", "name", "trades", "members", "vehicle", "shift", column]
        row = ["C01", "道里一班", "二次网", "3", "暖抢-1", "06:00-18:00", cell]
        done = await house.take("crews", [head, row])
        assert [r.code for r in done.rejects] == [code], done

    play(story)
