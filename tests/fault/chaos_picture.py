"""A screen's picture of one topic, from the protocol alone; it notes every broken promise."""

from __future__ import annotations

from typing import Any

import msgspec

MASK = 0xFFFFFFFF
SEEDS = (0x811C9DC5, 0x9E3779B9)


def row_hash(key: str, version: int) -> tuple[int, int]:
    """Both lanes of a row, as ARCHITECTURE.md defines them."""
    data = f"{key}\0{version}".encode()
    return _lane(SEEDS[0], data), _lane(SEEDS[1], data)


def _lane(h: int, data: bytes) -> int:
    for byte in data:
        h = (h ^ byte) * 0x01000193 & MASK
    h ^= h >> 16
    h = h * 0x85EBCA6B & MASK
    h ^= h >> 13
    h = h * 0xC2B2AE35 & MASK
    return h ^ h >> 16


def hash_of(rows: dict[str, int]) -> str:
    """A topic's hash from its keys and versions."""
    lanes = [row_hash(key, version) for key, version in rows.items()]
    return "".join(f"{sum(lane[i] for lane in lanes) & MASK:08x}" for i in (0, 1))


class Picture:
    """Rows at one (epoch, seq). `apply` answers what a client has to do: "" or "again"."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.epoch = 0
        self.seq = -1
        self.as_of = 0.0
        self.rows: dict[str, tuple[int, Any]] = {}
        self.hash = ""
        self._lanes = [0, 0]
        self.checked = 0
        self.wrong: list[str] = []
        self.back: list[str] = []

    @property
    def since(self) -> dict[str, int] | None:
        """The position to resume from."""
        return None if self.seq < 0 else {"epoch": self.epoch, "seq": self.seq}

    def snap(self, message: dict[str, Any]) -> None:
        """Begin anew."""
        if (message["epoch"], message["seq"]) < (self.epoch, self.seq):
            self.back.append(f"snap {message['epoch']}-{message['seq']} after {self.at}")
        self.rows = {}
        self._lanes = [0, 0]
        self.epoch, self.seq = message["epoch"], message["seq"]
        self._put(message["rows"])
        self._learn(message)

    def batch(self, message: dict[str, Any]) -> str:
        """Apply a whole batch or nothing."""
        if message["epoch"] == self.epoch and message["seq_to"] <= self.seq:
            return ""
        whole = message["epoch"] == self.epoch and message["seq_from"] <= self.seq
        if not whole or self.seq < 0:
            return "again"
        self._put(message["put"])
        for key in message["drop"]:
            if key in self.rows:
                self._count(key, self.rows.pop(key)[0], -1)
        self.seq = message["seq_to"]
        self._learn(message)
        return ""

    def tick(self, tick: dict[str, Any]) -> None:
        """A tick speaks of this picture only at the very same position."""
        if (tick["epoch"], tick["seq"]) == (self.epoch, self.seq):
            self._learn(tick)

    @property
    def at(self) -> str:
        """Where it stands."""
        return f"{self.topic} {self.epoch}-{self.seq}"

    def _put(self, puts: list[dict[str, Any]]) -> None:
        for put in puts:
            key, version = put["key"], put["version"]
            before = self.rows.get(key)
            if before is not None:
                self._count(key, before[0], -1)
                if before[0] > version:
                    self.back.append(f"{key} {before[0]} -> {version} at {self.at}")
            self._count(key, version, 1)
            self.rows[key] = (version, put["row"])

    def _count(self, key: str, version: int, sign: int) -> None:
        for i, lane in enumerate(row_hash(key, version)):
            self._lanes[i] = (self._lanes[i] + sign * lane) & MASK

    def _learn(self, message: dict[str, Any]) -> None:
        self.as_of = max(self.as_of, message["as_of"])
        self.hash = f"{self._lanes[0]:08x}{self._lanes[1]:08x}"
        self.checked += 1
        if self.hash != message["hash"]:
            self.wrong.append(f"{self.at}: {self.hash} is not {message['hash']}")


decode = msgspec.msgpack.decode
