"""What the demo's operations and finance hold true of stopped flats, a few of them wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from server.demo import chance
from server.demo.autumn import DEADLINE, SEASON
from server.demo.records import Household
from server.demo.weather import CITY_OFFSET_S, DAY

CONNECTED, BILLED, OPEN, MARKED = 9, 7, 5, 8
"""Flats stopped yet on the network, yet billed in full, with the valve open again; and flats marked
as stopped that never applied."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A flat whose valve was shut this season, and what is owed for it."""

    household: str
    area_m2: float
    base_fee_fen: int
    shut_at: int


def reports(
    stopped: Sequence[Stopped], heated: Sequence[Household], seed: int, at: int
) -> Iterator[dict[str, Any]]:
    """Items of a batch of household standings, told by `at` (Unix seconds): every stopped flat, and
    some of the heated ones that a department has wrong."""
    order = sorted(stopped, key=lambda s: chance.unit(seed, "wrong", s.household))
    wrong = dict.fromkeys((s.household for s in order[:CONNECTED]), "connected")
    wrong |= dict.fromkeys((s.household for s in order[CONNECTED:][:BILLED]), "billed")
    wrong |= dict.fromkeys((s.household for s in order[CONNECTED + BILLED :][:OPEN]), "open")
    for s in stopped:
        fault = wrong.get(s.household)
        told = min(at, s.shut_at + int(chance.between(30, 90, seed, "told", s.household) * 3600))
        yield {
            "household": s.household, "season": SEASON, "at": told,
            "network": "connected" if fault == "connected" else "disconnected",
        }  # fmt: skip
        full = fault == "billed"
        yield {
            "household": s.household, "season": SEASON, "at": min(at, told + 20 * 3600),
            "billing": "full" if full else "base",
            "billed_fen": round(s.area_m2 * 3832) if full else s.base_fee_fen,
        }  # fmt: skip
        if fault == "open":
            found = (DEADLINE + 20 + chance.unit(seed, "found", s.household) * 50) * DAY
            yield {
                "household": s.household, "season": SEASON, "valve": "open",
                "at": min(at, max(told, int(found - CITY_OFFSET_S))),
            }  # fmt: skip
    for n in range(min(MARKED, len(heated))):
        flat = chance.pick(heated, seed, "marked", n)
        mark = {"network": "disconnected"} if n % 2 else {"billing": "base"}
        yield {"household": flat.id, "season": SEASON, "at": at - (n + 3) * DAY, **mark}
