"""How urgent a request is once its household, its history and the network are known."""

from __future__ import annotations

import msgspec

from dispatch_core.ids import IntakeReason, Level, LevelReason, OutageId
from dispatch_core.levels import SEVERITY
from dispatch_core.requests.policy import Policy
from dispatch_core.requests.propose import Proposal, worse

_HIGHER: dict[Level, Level] = {"blue": "yellow", "yellow": "red", "red": "red"}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the words."""

    green_channel: bool = False
    repeated: int = 0
    """Tickets of the same fault at the same door within the policy's time that are over."""
    outage: OutageId | None = None
    """An open outage that the place lies under."""
    reports: int = 1
    """How many calls the request stands for."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """The level by policy, the one reason that weighs most, and every reason."""

    level: Level
    reason: IntakeReason
    reasons: tuple[str, ...]
    outage: OutageId | None
    """The outage that explains the request."""


def assess(proposal: Proposal, facts: Facts, policy: Policy) -> Assessment:
    """The level that the policy gives a request.

    An outage that explains it keeps it blue, since the work is the outage's, unless the words tell
    of danger. Else danger words, the green channel, the same fault again and many reports raise.
    """
    danger = bool(proposal.dangers)
    explained = facts.outage is not None and proposal.fault == policy.outage_group and not danger
    if explained and policy.outage_lowers:
        return Assessment(
            level="blue", reason="outage", reasons=(*proposal.reasons, f"outage:{facts.outage}"),
            outage=facts.outage,
        )  # fmt: skip
    level, reasons = proposal.level, list(proposal.reasons)
    because: list[IntakeReason] = ["danger"] if danger else []
    rule = policy.kinds.get(proposal.kind)
    if rule is not None and rule.fault:
        if facts.green_channel and policy.green_channel_raises:
            level = _HIGHER[level]
            because.append("vulnerable_household")
            reasons.append("household:green_channel")
        if facts.repeated:
            level = _HIGHER[level]
            because.append("repeated_fault")
            reasons.append(f"history:{facts.repeated}")
    level, before = urged(level, 0, facts.reports, policy), level
    if level != before:
        because.append("many_reports")
        reasons.append(f"reports:{facts.reports}")
    return Assessment(
        level=level,
        reason=because[0] if because else "kind_of_request",
        reasons=tuple(reasons),
        outage=facts.outage if explained else None,
    )


def urged(level: Level, before: int, reports: int, policy: Policy) -> Level:
    """The level once `reports` are in where `before` were: each threshold weighs once, when it is
    passed, so that a level lowered by a person afterwards is not raised by every call."""
    if before < policy.many_reports <= reports:
        return "red"
    if before < policy.repeat_reports <= reports:
        return worse(level, "yellow")
    return level


class Raise(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket becomes more urgent by a repeat call."""

    level: Level
    reason: LevelReason
    said: str


def raise_by_repeat(
    level: Level,
    proposal: Proposal,
    asked: Level | None,
    before: int,
    reports: int,
    policy: Policy,
    *,
    explained: bool = False,
) -> Raise | None:
    """What a repeat call makes of an open ticket's level; it never lowers it.

    Args:
        level: of the ticket. asked: the level that a person gives the call.
        before: calls that counted until now, `reports` with this one.
        explained: the ticket hangs on an outage, which many calls are no news of.
    """
    if asked is not None and SEVERITY[asked] < SEVERITY[level]:
        return Raise(level=asked, reason="repeated_fault", said="as_given")
    dangerous = level
    for danger in proposal.dangers:
        dangerous = worse(dangerous, danger.level)
    if asked is None and dangerous != level:
        word = proposal.dangers[0].word
        return Raise(level=dangerous, reason="danger", said=f"danger:{word}")
    quiet = explained and policy.outage_lowers
    higher = level if quiet else urged(level, before, reports, policy)
    if higher != level:
        return Raise(level=higher, reason="many_reports", said=f"reports:{reports}")
    return None


def merged_level(one: Level, other: Level, before: int, reports: int, policy: Policy) -> Level:
    """The level of a ticket that takes another in: the more urgent of both, raised where `reports`
    together reach what `before` did not."""
    return urged(worse(one, other), before, reports, policy)
