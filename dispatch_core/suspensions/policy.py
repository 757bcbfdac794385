"""A city's rules for stopping the heating of a flat: section `suspension` of its policy file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from dispatch_core.ids import CheckCode, Department

Outcome = Literal["refuse", "refer", "allow"]
Billing = Literal["full", "by_days"]
Fen = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=366)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 86_400)]


class CheckRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a check that fails, or cannot be made, leads to; and the reason that is written then.

    The texts may say {found}, {wanted} and {deadline}.
    """

    fail: Outcome
    unknown: Outcome = "refer"
    zh: str
    en: str
    unknown_zh: str = "登记资料不全，须人工核实后答复。"
    unknown_en: str = "The register does not say; a person must look into it."


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One season's rules. Dates are local days `YYYY-MM-DD` of the city, ends included."""

    applications_from: str
    deadline: str
    """The last day on which a suspension may be applied for."""
    season_from: str
    season_until: str
    base_fee_pct: Annotated[float, msgspec.Meta(ge=0, le=100)]
    """Share of the full fee that a suspended flat owes."""
    fee_fen_per_m2: Fen
    temporary_billing: Billing
    """`by_days`: the days without heat are billed at the base share; `full`: as any other day."""
    resume_billing: Billing
    """`by_days`: from the resumption on in full, the days before at the base share."""
    arrears_max_fen: Fen
    temporary_min_days: Days
    temporary_max_days: Days
    resume_until: str
    proof_needed: bool
    visit_within_s: Seconds
    """A closing or opening visit is due this long after the approval."""
    misses_max: Annotated[int, msgspec.Meta(ge=1, le=100)]
    """So many visits in vain give the application back to a person."""
    known_within_s: Seconds
    """Departments must know of a valve this long after it was set: 24 h."""
    checks: dict[CheckCode, CheckRule]
    """A check that has no rule here is not made in this city."""
    departments: list[Department]


def check_texts(policy: Policy) -> None:
    """Raises ValueError for a written reason that cannot be filled in."""
    for code, rule in policy.checks.items():
        for text in (rule.zh, rule.en, rule.unknown_zh, rule.unknown_en):
            try:
                text.format(found="", wanted="", deadline="")
            except (LookupError, ValueError):
                raise ValueError(f"the text of the check {code} cannot be filled in") from None


def check_order(policy: Policy) -> None:
    """Raises ValueError for days of which the later comes before the earlier."""
    if not policy.applications_from <= policy.deadline <= policy.season_until:
        raise ValueError("applications_from, deadline and season_until are not in this order")
    if not policy.season_from < policy.season_until:
        raise ValueError("season_until is not after season_from")
    if policy.temporary_min_days > policy.temporary_max_days:
        raise ValueError("temporary_min_days is more than temporary_max_days")
