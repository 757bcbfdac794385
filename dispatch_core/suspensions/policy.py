"""A city's rules for stopping the heating of a flat: section `suspension` of its policy file."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.ids import CheckCode, Department

Outcome = Literal["refuse", "refer", "allow"]


class CheckRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a check that fails, or cannot be made, leads to; and the reason that is written then."""

    fail: Outcome
    unknown: Outcome = "refer"
    zh: str
    en: str


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One season's rules. Dates are local days `YYYY-MM-DD` of the city, ends included."""

    applications_from: str
    deadline: str
    """The last day on which a suspension may be applied for."""
    season_from: str
    season_until: str
    base_fee_pct: float
    """Share of the full fee that a suspended flat owes."""
    fee_fen_per_m2: int
    arrears_max_fen: int
    temporary_min_days: int
    temporary_max_days: int
    resume_until: str
    proof_needed: bool
    visit_within_s: int
    """A closing or opening visit is due this long after the approval."""
    known_within_s: int
    """Departments must know of a valve this long after it was set: 24 h."""
    near_s: int
    checks: dict[CheckCode, CheckRule]
    departments: list[Department]
