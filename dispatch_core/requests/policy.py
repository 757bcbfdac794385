"""What decides the level and kind of a request: section `requests` of a city's policy file."""

from __future__ import annotations

import msgspec

from dispatch_core.ids import Level, RequestKind


class Danger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that make a request urgent, and the kind of request they speak of."""

    words: list[str]
    level: Level
    kind: RequestKind | None = None


class KindRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The usual level of a kind, and the words that speak for the kind, strongest first."""

    level: Level
    words: list[str] = msgspec.field(default_factory=list)
    group: str = ""
    """Kinds of one group are the same fault to a caller, e.g. not_warm and repair: a repeat call of
    one attaches to the other. Empty: the kind stands alone."""
    fault: bool = False
    """It asks for field work: a green-channel household, a history and repeat calls raise it."""
    weight: float = 1.0
    """How much its words count beside those of other kinds: people complain and ask about what they
    really want."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Level rules; the version of the whole file is recorded with every decision."""

    kinds: dict[RequestKind, KindRule]
    dangers: list[Danger]
    negations: list[str]
    """Words that take the word after them back, e.g. 没有漏水."""
    fillers: list[str]
    """What may stand between a negation and its word, e.g. 没有发现漏水."""
    questions: list[str]
    """Words that hold a negation and take nothing back, e.g. 有没有漏水."""
    plain: list[str]
    """Words of their own that say nothing of a kind, though they hold one that does, e.g. 冷山."""
    unheard: RequestKind
    """The kind of a request whose words speak for none."""
    unheard_danger: RequestKind
    """The same where they speak of danger."""
    repeated_within_s: int
    """The same fault at the same household within this time raises the level by one."""
    duplicate_within_s: int
    """The same words of the same caller within this time are one call sent twice: counted, but no
    reason to hurry more."""
    repeat_reports: int
    """From this many reports of one ticket it is yellow at least: somebody called again."""
    many_reports: int
    """From this many reports of one ticket it is red."""
    green_channel_raises: bool
    """A household of the green channel gets its fault one level higher."""
    outage_lowers: bool
    """A request under an open outage that explains it attaches to the outage and stays blue."""
    outage_group: str
    """The group of kinds that an outage explains: flats that are cold."""
