"""Chance without a past: numbers that depend on their names alone, so a restart changes nothing."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def unit(*name: object) -> float:
    """A number in [0, 1) that is always the same for the same name."""
    digest = hashlib.blake2b("|".join(map(str, name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def pick(choices: Sequence[T], *name: object) -> T:
    """One of the choices, by name."""
    return choices[int(unit(*name) * len(choices))]


def between(low: float, high: float, *name: object) -> float:
    """A number in [low, high), by name."""
    return low + (high - low) * unit(*name)


def skewed(median: float, spread: float, *name: object) -> float:
    """A log-normal number with this median, by name; `spread` is sigma of the logarithm."""
    return median * math.exp(spread * random.Random(unit(*name)).gauss(0, 1))  # noqa: S311 - a game, no secret


def poisson(mean: float, *name: object) -> int:
    """A count with this mean, by name; for means below about 50."""
    u, k = unit(*name), 0
    p = term = math.exp(-mean)
    while u > p and k < 200:
        k += 1
        term *= mean / k
        p += term
    return k
