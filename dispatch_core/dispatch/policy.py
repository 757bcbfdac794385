"""What a city lets dispatch do: section `dispatch` of its policy file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from dispatch_core.commands import GasLimits
from dispatch_core.ids import FaultOwner, Level, NodeKind, PermitKind, RequestKind, Trade

Seconds = Annotated[int, Meta(ge=0, le=30 * 86_400)]
PerMille = Annotated[int, Meta(ge=0, le=10_000)]
"""Thousandths of a second of travel."""
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Skill = Annotated[int, Meta(ge=1, le=5)]
Gate = Literal["dispatch", "work"]

_CLOCK = re.compile(r"(?:[01]\d|2[0-4]):[0-5]\d")


class ByLevel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure for each response level."""

    red: PerMille
    yellow: PerMille
    blue: PerMille

    def of(self, level: Level) -> int:
        """The figure of one level."""
        return {"red": self.red, "yellow": self.yellow, "blue": self.blue}[level]


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each part of the score counts, in thousandths of a second of travel; less is better."""

    travel: PerMille
    """A second of driving."""
    lateness: ByLevel
    """A second after the earliest running clock."""
    level: ByLevel
    """A second of waiting."""
    load: PerMille
    """A second of driving and work that the crew then has."""
    strange_building_s: Annotated[int, Meta(ge=0, le=7_200)]
    """Seconds that a crew is behind which has never worked in the building."""
    known_after_visits: Annotated[int, Meta(ge=1, le=100)]
    """From so many visits on a crew knows the building as well as any."""
    skill_step_s: Annotated[int, Meta(ge=0, le=7_200)]
    """Seconds for each skill level, and each certificate, beyond what the work needs."""
    part_missing_s: Annotated[int, Meta(ge=0, le=7_200)]
    """Seconds for each kind of part that is not on the van, beside the way to the store."""
    degree_hour_s: Annotated[int, Meta(ge=0, le=10_000)]
    """Seconds for each degree-hour below 18 degC that is gone through until work starts."""
    churn_s: Annotated[int, Meta(ge=0, le=86_400)]
    """Seconds for each visit that somebody was told of and that goes to another crew or time."""


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where cities differ in the hard rules."""

    home_from: str
    home_until: str
    """Visits to homes begin and end between these two times of the day, unless red or agreed."""
    night_from: str
    night_until: str
    night_territories: list[list[str]] | Literal["all"]
    """By night, groups of districts that are served as one; `all`: the whole city is."""
    in_hand_max: Annotated[int, Meta(ge=1, le=50)]
    """Tickets that a crew may have in hand."""
    red_beyond_shift_s: Seconds
    """So long after the end of a shift may a crew still work on a red ticket."""
    permit_before: dict[Level, Gate]
    """Whether a permit is owed before a crew is sent, or, as a gas reading is taken on the spot,
    before it begins to work."""
    guard_members: Annotated[int, Meta(ge=2, le=20)]
    """A crew of so many people can keep a guard outside; a smaller one needs a guard named."""
    others_when_red: bool
    """A fault of a property firm or a resident goes to a company crew when it is red."""


class Displacing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gives way to a red ticket that no free crew reaches in time."""

    most: Annotated[int, Meta(ge=0, le=8)]
    levels: list[Literal["blue", "yellow"]]
    """Who may have to, first those that go first."""


class Churn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a new plan may disturb the one in force."""

    cap_pm: Annotated[int, Meta(ge=0, le=1_000)]
    """Tickets that may change crew, thousandths of those that had one."""
    cap_min: Count
    """But always so many."""
    frozen_within_s: Seconds
    """A visit that is to begin within this time stays as it is."""
    worth_s: Annotated[int, Meta(ge=0, le=86_400)] = 120
    """A plan that is better by fewer seconds of travel than that leaves the one in force as it
    is."""


class Rounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often plans are made and how much work goes into one."""

    every_s: Annotated[int, Meta(ge=5, le=600)]
    cpu_s: Annotated[int, Meta(ge=1, le=60)]
    """A round is cut off after so much of one processor's time."""
    iterations: Annotated[int, Meta(ge=0, le=10_000_000)]
    ahead_s: Annotated[int, Meta(ge=0, le=2 * 86_400)]
    """Crews whose shift begins within this time are planned for already."""
    stale_tolerance_s: Seconds
    """A confirmed proposal that is out of date goes ahead if its crew, scored again, costs at most
    so many seconds more than the best."""
    red_proposal_within_s: Annotated[int, Meta(ge=1, le=3_600)]
    """A red ticket without a proposal for so long is told of."""
    red_settled_s: Annotated[int, Meta(ge=0, le=86_400)] = 600
    """Only once it has had one for so long is the duty manager told anew when it is gone again."""


class AutoConfirm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which proposals need no person."""

    levels: list[Literal["blue"]]
    start: str = "00:00"
    until: str = "24:00"
    margin_s: Seconds = 0
    """Only where the crew begins so long before the clock runs out, and nobody becomes late."""


class Grouping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tickets are one visit."""

    same_building: bool
    pipe_within_m: Annotated[int, Meta(ge=0, le=2_000)]
    """Tickets on one pipe no farther apart than this; 0: pipes do not group."""
    most: Annotated[int, Meta(ge=1, le=50)]
    further_pm: Annotated[int, Meta(ge=0, le=1_000)]
    """What each further ticket takes of its time, thousandths: it is set up once."""


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one sort of work asks of a crew. The first of the table that fits a ticket holds for it;
    an empty list fits all."""

    name: str
    kinds: list[RequestKind] = []
    places: list[NodeKind] = []
    levels: list[Level] = []
    words: list[str] = []
    """Words heard, as the reasons of a ticket name them, e.g. 爆管; or `danger` for any."""
    equipment: list[str] = []
    """How the record of what it concerns begins, e.g. QXX for QXX116-1.6/130/70-P."""
    trade: Trade
    owner: FaultOwner = "company"
    certificates: list[str] = []
    permits: list[PermitKind] = []
    skill: Skill = 1
    minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30
    crews: Annotated[int, Meta(ge=1, le=2)] = 1
    parts: dict[str, Annotated[int, Meta(ge=1, le=1_000)]] = {}
    vehicle: list[str] = []
    home_visit: bool = False


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights, rules and jobs; the version of the whole file is recorded with every decision."""

    weights: Weights
    rules: Rules
    gas: GasLimits
    displacing: Displacing
    churn: Churn
    rounds: Rounds
    auto_confirm: AutoConfirm
    grouping: Grouping
    impact_window_s: Annotated[int, Meta(ge=3_600, le=7 * 86_400)]
    """A building's degree-hours are counted over so long."""
    history_days: Annotated[int, Meta(ge=0, le=3_650)]
    """A crew's visits to a building count for so long."""
    pick_up_s: Seconds
    """What fetching parts from a store takes, beside the way."""
    work_spread_pm: Annotated[int, Meta(ge=0, le=4_000)]
    """So much longer than expected is work in nine of ten cases at most, thousandths."""
    overrun_s: Annotated[int, Meta(ge=60, le=7_200)]
    """Work that has taken longer than expected is taken to last so long yet."""
    jobs: list[Job]


def minutes_of(text: str) -> int:
    """Minutes since midnight of `HH:MM`, to 24:00. Raises ValueError."""
    if not _CLOCK.fullmatch(text) or text > "24:00":
        raise ValueError(f"{text!r} is no time of the day: these read HH:MM")
    return int(text[:2]) * 60 + int(text[3:])


def check(policy: Policy) -> None:
    """Refuse figures that make no sense together.

    Raises:
        ValueError: naming the field and what is wrong with it.
    """
    rules, auto = policy.rules, policy.auto_confirm
    for name, text in (
        ("rules.home_from", rules.home_from), ("rules.home_until", rules.home_until),
        ("rules.night_from", rules.night_from), ("rules.night_until", rules.night_until),
        ("auto_confirm.start", auto.start), ("auto_confirm.until", auto.until),
    ):  # fmt: skip
        try:
            minutes_of(text)
        except ValueError as error:
            raise ValueError(f"dispatch.{name}: {error}") from None
    _must(minutes_of(rules.home_from) < minutes_of(rules.home_until), "rules.home_until",
          "homes are visited until later than from")  # fmt: skip
    _must(policy.gas.oxygen_min_pct < policy.gas.oxygen_max_pct, "gas.oxygen_max_pct",
          "is not above oxygen_min_pct")  # fmt: skip
    _must(set(rules.permit_before) == {"red", "yellow", "blue"}, "rules.permit_before",
          "names each of red, yellow and blue")  # fmt: skip
    _must(len(set(policy.displacing.levels)) == len(policy.displacing.levels), "displacing.levels",
          "names a level twice")  # fmt: skip
    late, wait = policy.weights.lateness, policy.weights.level
    for name, by in (("lateness", late), ("level", wait)):
        _must(by.red >= by.yellow >= by.blue, f"weights.{name}", "a more urgent level counts less")
    if rules.night_territories != "all":
        seen = [district for group in rules.night_territories for district in group]
        _must(len(set(seen)) == len(seen), "rules.night_territories", "names a district twice")
    _check_jobs(policy)


def _check_jobs(policy: Policy) -> None:
    names = [job.name for job in policy.jobs]
    for job in policy.jobs:
        where = f"jobs.{job.name}"
        _must(names.count(job.name) == 1, where, "stands twice")
        hours = minutes_of(policy.rules.home_until) - minutes_of(policy.rules.home_from)
        _must(not job.home_visit or job.minutes <= hours, where,
              "takes longer than homes may be visited")  # fmt: skip
    asks = [(j.kinds, j.places, j.levels, j.words, j.equipment) for j in policy.jobs]
    _must(bool(asks) and not any(asks[-1]), "jobs",
           "the last one fits every ticket, so that none is without")  # fmt: skip


def _must(good: bool, field: str, wrong: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not good:
        raise ValueError(f"dispatch.{field}: {wrong}")
