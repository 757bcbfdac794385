"""What a search of the book brings."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from dispatch_core.addresses.doors import Door

Verdict = Literal["matched", "ambiguous", "unmatched"]
Precision = Literal["flat", "unit", "building", "street", "community", "none"]


class Candidate(NamedTuple):
    """A building that the text may mean; `building` is its number in the book."""

    building: int
    score: float
    reasons: tuple[str, ...]


class Match(NamedTuple):
    """What a text means."""

    verdict: Verdict
    score: float
    precision: Precision
    building: int | None
    unit: int | None
    floor: int | None
    flat: str | None
    household: str | None
    """A household number that stands in the text; whose it is, the register says."""
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    """Best first; the matched building is the first."""
    street: int | None
    """The street that is known, whether or not the building is."""
    community: int | None


class Found(NamedTuple):
    score: float
    reasons: tuple[str, ...]
    door: Door


NOTHING: Final = Match(
    "unmatched", 0.0, "none", None, None, None, None, None, ("nothing_known",), (), None, None
)
