"""Matched, ambiguous or unmatched: the best building, if it is clearly ahead of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dispatch_core.addresses import policy
from dispatch_core.addresses.found import (
    NOTHING,
    Candidate,
    Found,
    Match,
    Precision,
    Verdict,
)
from dispatch_core.addresses.names import Hit, Kind


def decide(found: Mapping[int, Found], notes: Sequence[str], hits: Sequence[Hit]) -> Match:
    """The verdict on what was found, with what is certain where the building is not."""
    ranked = sorted(found.items(), key=lambda kv: (-kv[1].score, kv[0]))
    candidates = tuple(
        Candidate(b, round(f.score, 3), f.reasons)
        for b, f in ranked[: policy.CANDIDATES]
        if f.score >= policy.LIKELY_AT
    )
    street = _target(hits, "street")
    community = _target(hits, "community")
    if not candidates:
        reasons = tuple(notes) or ("nothing_known",)
        return NOTHING._replace(
            reasons=reasons, street=street, community=community,
            precision=_rough(street, community),
        )  # fmt: skip
    best = ranked[0][1]
    second = ranked[1][1].score if len(ranked) > 1 else 0.0
    clear = best.score - second >= policy.CLEAR_BY
    doubts = list(best.reasons)
    if best.score >= policy.MATCH_AT and clear:
        return _matched(ranked[0][0], best, candidates, street, community)
    if best.score >= policy.MATCH_AT:
        doubts.append("several_fit")
    doubts += notes
    verdict: Verdict = "ambiguous" if best.score >= policy.NUMBER_DIFFERS - 0.05 else "unmatched"
    return Match(
        verdict, round(best.score, 3), _rough(street, community), None, None, None, None, None,
        tuple(dict.fromkeys(doubts)), candidates, street, community,
    )  # fmt: skip


def _matched(
    b: int, best: Found, candidates: tuple[Candidate, ...], street: int | None,
    community: int | None,
) -> Match:  # fmt: skip
    door, reasons = best.door, list(best.reasons)
    floor, flat = door.floor, door.flat
    precision: Precision = "building"
    storey = int(flat) // 100 if flat and flat.isdecimal() and len(flat) >= 3 else None
    if floor is not None and storey is not None and storey != floor:
        reasons.append("floor_flat_conflict")
        floor = flat = None
    elif flat is not None:
        floor = floor if floor is not None else storey
        precision = "flat"
    elif door.unit is not None:
        precision = "unit"
    if door.side:
        reasons.append("flat_by_side")
    return Match(
        "matched", round(best.score, 3), precision, b, door.unit, floor, flat, None,
        tuple(dict.fromkeys(reasons)) or ("exact",), candidates, street, community,
    )  # fmt: skip


def _target(hits: Sequence[Hit], kind: Kind) -> int | None:
    likely = [h for h in hits if h.kind == kind and h.quality >= policy.MATCH_AT]
    return max(likely, key=lambda h: h.quality).target if likely else None


def _rough(street: int | None, community: int | None) -> Precision:
    if community is not None:
        return "community"
    return "street" if street is not None else "none"
