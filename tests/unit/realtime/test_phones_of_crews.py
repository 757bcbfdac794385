"""What a crew's phone gets of a topic: its own row, and nothing of other topics."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ext import digest
from realtime.hub import Hub, Watcher
from realtime.messages import Batch, Put, Snap
from realtime.picture import Picture
from realtime.session import Session

COMPANY = 1


class Line:
    """A connection that keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.paused = False

    def send(self, payload: bytes, *, binary: bool) -> None:
        decode = msgspec.msgpack.decode if binary else msgspec.json.decode
        self.got.append(decode(payload))

    def take(self) -> list[dict[str, Any]]:
        got, self.got = self.got, []
        return got


class Several(set[Any]):
    """Connections that get the same bytes."""

    def paused(self) -> list[Any]:
        return [out for out in self if out.paused]

    def send(self, payload: bytes, *, binary: bool) -> None:
        for out in self:
            out.send(payload, binary=binary)


class NoLog:
    async def between(self, *_: Any) -> list[tuple[int, bytes]]:
        raise AssertionError("a phone never resumes")


def put(key: str, version: int) -> Put:
    row = msgspec.msgpack.encode({"stamp": version})
    return msgspec.convert({"key": key, "version": version, "row": msgspec.Raw(row)}, Put)


def lanes(rows: dict[str, int]) -> str:
    return f"{digest.sum_rows(list(rows), list(rows.values())):016x}"


class Desk:
    """A hub with two topics of a company, and what happens in `rounds`."""

    def __init__(self) -> None:
        self.hub = Hub(Several)
        self.rows = {"C01": 1, "C02": 1}
        self.picture = self._open("rounds")
        self._open("tickets")

    def _open(self, topic: str) -> Picture:
        picture = Picture(COMPANY, topic)
        puts = [put(key, version) for key, version in self.rows.items()]
        snap = Snap(
            topic=topic, epoch=1, seq=5, hash=lanes(self.rows), as_of=0.0, source_at=None,
            cadence_s=None, rows=puts,
        )  # fmt: skip
        assert picture.load(msgspec.msgpack.encode(snap))
        self.hub.pictures[COMPANY, topic] = picture
        return picture

    def happen(self, *keys: str, drop: tuple[str, ...] = ()) -> None:
        for key in keys:
            self.rows[key] = self.rows.get(key, 0) + 1
        for key in drop:
            del self.rows[key]
        before = self.picture.seq
        batch = Batch(
            topic="rounds", epoch=1, seq_from=before, seq_to=before + 1,
            put=[put(key, self.rows[key]) for key in keys], drop=list(drop),
            hash=lanes(self.rows), as_of=1.0,
        )  # fmt: skip
        sealed = msgspec.msgpack.encode(batch)
        assert self.picture.apply(sealed) == "applied"
        self.hub.forward(self.picture, sealed, before)
        self.hub.catch_up()

    def joined(self, crew: str | None, topic: str, since: Any = None) -> tuple[Line, Watcher]:
        line = Line()
        watcher = Watcher(COMPANY, line, crew)
        self.hub.add(watcher)
        session = Session(self.hub, NoLog(), watcher)
        told = msgspec.json.encode({"t": "sub", "topic": topic, "since": since})
        assert asyncio.run(session.receive(told, 0.0)) is None
        return line, watcher


def keys(message: dict[str, Any]) -> list[str]:
    return [row["key"] for row in map(as_row, message["rows"])]


def as_row(row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) else dict(zip(("key", "version", "row"), row, strict=False))


def test_a_phone_gets_its_own_row_alone() -> None:
    desk = Desk()
    line, _ = desk.joined("C01", "rounds")
    (snap,) = line.take()
    assert (snap["t"], snap["topic"], keys(snap)) == ("snap", "rounds", ["C01"])
    assert snap["hash"] == lanes({"C01": 1}), "it can check what it holds"


def test_it_hears_of_its_own_changes_alone() -> None:
    desk = Desk()
    phone, _ = desk.joined("C01", "rounds")
    other, _ = desk.joined("C02", "rounds")
    screen, _ = desk.joined(None, "rounds")
    for line in (phone, other, screen):
        line.take()
    desk.happen("C01")
    (snap,) = phone.take()
    assert (keys(snap), as_row(snap["rows"][0])["version"]) == (["C01"], 2)
    assert other.take() == []
    (batch,) = screen.take()
    assert batch["t"] == "batch", "a screen gets the sealed bytes as before"
    desk.happen("C02", "C03")
    assert phone.take() == []
    assert [keys(m) for m in other.take()] == [["C02"]]


def test_a_row_that_goes_is_told() -> None:
    desk = Desk()
    phone, _ = desk.joined("C01", "rounds")
    phone.take()
    desk.happen(drop=("C01",))
    (snap,) = phone.take()
    assert keys(snap) == []
    desk.happen("C01")
    assert [keys(m) for m in phone.take()] == [["C01"]]


def test_a_crew_without_a_row_hears_of_its_first() -> None:
    desk = Desk()
    phone, _ = desk.joined("C09", "rounds")
    assert [keys(m) for m in phone.take()] == [[]]
    desk.happen("C09")
    assert [keys(m) for m in phone.take()] == [["C09"]]


def test_no_other_topic_and_no_resuming() -> None:
    desk = Desk()
    phone, watcher = desk.joined("C01", "tickets")
    assert phone.take() == [{"t": "error", "code": "unknown_topic", "topic": "tickets"}]
    assert watcher.topics == set()
    again, _ = desk.joined("C01", "rounds", {"epoch": 1, "seq": 5})
    assert [keys(m) for m in again.take()] == [["C01"]]


def test_a_phone_that_does_not_keep_up_gets_the_newest_later() -> None:
    desk = Desk()
    phone, _ = desk.joined("C01", "rounds")
    phone.take()
    phone.paused = True
    desk.happen("C01")
    desk.happen("C01")
    assert phone.take() == []
    phone.paused = False
    desk.hub.catch_up()
    (snap,) = phone.take()
    assert as_row(snap["rows"][0])["version"] == 3


def test_a_picture_loaded_anew_is_again_its_own_row() -> None:
    desk = Desk()
    phone, _ = desk.joined("C01", "rounds")
    phone.take()
    desk.hub.reloaded(desk.picture)
    assert [keys(m) for m in phone.take()] == [["C01"]]


def test_who_leaves_hears_nothing() -> None:
    desk = Desk()
    phone, watcher = desk.joined("C01", "rounds")
    phone.take()
    desk.hub.remove(watcher)
    desk.happen("C01")
    assert phone.take() == []
