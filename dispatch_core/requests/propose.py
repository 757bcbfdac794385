"""What the words of a request speak for: its kind, its level and why; a person confirms it."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import msgspec

from dispatch_core.ids import Level, RequestKind
from dispatch_core.levels import SEVERITY
from dispatch_core.requests.hearing import ear_of
from dispatch_core.requests.policy import Policy

MOST_REASONS = 12


class DangerHeard(NamedTuple):
    """A danger word that is meant, and the level it asks for."""

    word: str
    level: Level


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Kind and level that the words alone speak for."""

    kind: RequestKind
    level: Level
    reasons: tuple[str, ...]
    """`danger:爆管`, `kind:不热`, `kind_given`, `kind_unheard`: the policy's words, never more of
    the caller's."""
    dangers: tuple[DangerHeard, ...]
    fault: str
    """The group of its kind, else the kind: what a repeat call is compared by."""


def worse(one: Level, other: Level) -> Level:
    """The more urgent of two levels."""
    return min(one, other, key=SEVERITY.__getitem__)


def fault_of(kind: RequestKind, policy: Policy) -> str:
    """What a caller would call the same thing: the kind's group, else the kind itself."""
    rule = policy.kinds.get(kind)
    return (rule.group if rule else "") or kind


def propose(words: str, policy: Policy, kind: RequestKind | None = None) -> Proposal:
    """Kind and level of a request by its words; `kind` is a person's word and stays as it is.

    Without a word for any kind it is the policy's `unheard`.
    """
    heard = dict.fromkeys(ear_of(policy).listen(words))
    dangers = [
        DangerHeard(word, danger.level)
        for danger in policy.dangers
        for word in heard
        if word in danger.words
    ]
    dangers.sort(key=lambda d: SEVERITY[d.level])
    reasons = [f"danger:{d.word}" for d in dangers]
    if kind is not None:
        reasons.append("kind_given")
    else:
        kind, because = _kind(heard, dangers, policy)
        reasons += because
    rule = policy.kinds.get(kind)
    level: Level = rule.level if rule else "blue"
    for danger in dangers:
        level = worse(level, danger.level)
    return Proposal(
        kind=kind, level=level, reasons=tuple(reasons[:MOST_REASONS]), dangers=tuple(dangers),
        fault=fault_of(kind, policy),
    )  # fmt: skip


def _kind(
    heard: dict[str, None], dangers: list[DangerHeard], policy: Policy
) -> tuple[RequestKind, list[str]]:
    """The kind of the worst danger that names one, else the kind whose words weigh most; of two
    that weigh the same the earlier of the policy."""
    for danger in dangers:
        named = next((d.kind for d in policy.dangers if danger.word in d.words and d.kind), None)
        if named is not None:
            return named, []
    weights: defaultdict[RequestKind, float] = defaultdict(float)
    for kind, rule in policy.kinds.items():
        for place, word in enumerate(rule.words):
            if word in heard:
                weights[kind] += rule.weight * (1 + 1 / (1 + place))
    if not weights:
        return policy.unheard_danger if dangers else policy.unheard, ["kind_unheard"]
    best = max(weights, key=weights.__getitem__)
    return best, [f"kind:{word}" for word in policy.kinds[best].words if word in heard]
