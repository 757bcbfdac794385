"""The automatic checks of an application, and what a city's policy makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

import msgspec

from dispatch_core.events import Check
from dispatch_core.ids import CheckCode, CheckVerdict, PhotoId, Standing, StopKind, Valve
from dispatch_core.suspensions.policy import CheckRule, Outcome, Policy

ON_THE_FLAT: tuple[CheckCode, ...] = (
    "owner", "arrears", "valve", "gable", "ground_floor", "top_floor", "warranty",
    "already_suspended", "proof",
)  # fmt: skip
APPLY: dict[StopKind, tuple[CheckCode, ...]] = {
    "suspension": ("deadline", *ON_THE_FLAT),
    "temporary_stop": ("temporary_days", *ON_THE_FLAT),
    "resume": ("resume_deadline", "owner", "arrears", "not_suspended"),
}
"""Which checks an application of each kind undergoes, in the order in which they are told."""


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """Who applies, as far as it may be known here: a pseudonym and keyed digests."""

    pseudonym: str
    name: bytes | None
    certificate: bytes | None


class Flat(msgspec.Struct, frozen=True, kw_only=True):
    """What the register and billing hold of the household."""

    owner: str
    """Pseudonym of the registered owner."""
    owner_name: bytes | None
    owner_certificate: bytes | None
    valve: bool
    gable: bool
    ground_floor: bool
    top_floor: bool
    warranty_until: date | None
    unpaid_fen: int | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the checks of one application look at; days are local days of the city."""

    action: StopKind
    today: date
    applicant: Applicant
    flat: Flat
    standing: Standing
    valve: Valve
    stop_days: int | None
    photos: Sequence[PhotoId]


Finding = tuple[CheckVerdict, str, str]
"""Verdict, what was found, what is wanted."""


def make(facts: Facts, policy: Policy) -> list[Check]:
    """Every check that the policy has a rule for, with its written reason unless it passed."""
    made = []
    for code in APPLY[facts.action]:
        rule = policy.checks.get(code)
        if rule is None or (code == "proof" and not policy.proof_needed):
            continue
        verdict, found, wanted = _FIND[code](facts, policy)
        zh, en = _written(rule, verdict, found, wanted, policy.deadline)
        made.append(Check(code=code, verdict=verdict, found=found, wanted=wanted, zh=zh, en=en))
    return made


def outcome(
    checks: Sequence[Check], policy: Policy
) -> tuple[Literal["approve", "refuse", "refer"], list[CheckCode]]:
    """What the policy decides, refusal before referral before approval, and everything that stands
    against an approval."""
    led: dict[Outcome, list[CheckCode]] = {"refuse": [], "refer": [], "allow": []}
    for check in checks:
        if check.verdict != "pass":
            rule = policy.checks[check.code]
            led[rule.fail if check.verdict == "fail" else rule.unknown].append(check.code)
    against = led["refuse"] + led["refer"]
    if led["refuse"]:
        return "refuse", against
    return ("refer" if against else "approve"), against


def _written(
    rule: CheckRule, verdict: CheckVerdict, found: str, wanted: str, deadline: str
) -> tuple[str | None, str | None]:
    if verdict == "pass":
        return None, None
    failed = verdict == "fail"
    texts = (rule.zh, rule.en) if failed else (rule.unknown_zh, rule.unknown_en)
    zh, en = (t.format(found=found, wanted=wanted, deadline=deadline) for t in texts)
    return zh, en


def _by(today: date, last: str) -> Finding:
    in_time = today <= date.fromisoformat(last)
    return ("pass" if in_time else "fail"), today.isoformat(), last


def _must(wanted: str, *, is_so: bool, otherwise: str) -> Finding:
    return ("pass", wanted, wanted) if is_so else ("fail", otherwise, wanted)


def _owner(facts: Facts, _: Policy) -> Finding:
    """A certificate decides where both sides have one; else the phone, or the name, will do."""
    applicant, flat = facts.applicant, facts.flat
    wanted = "registered owner"
    if applicant.certificate is not None and flat.owner_certificate is not None:
        same = applicant.certificate == flat.owner_certificate
        return ("pass" if same else "fail"), "certificate" if same else "another person", wanted
    # The name first: who gives nothing else is kept under the owner's pseudonym.
    if applicant.name is not None and applicant.name == flat.owner_name:
        return "pass", "owner's name", wanted
    if applicant.pseudonym == flat.owner:
        return "pass", "owner's phone", wanted
    if flat.owner_name is None:
        return "unknown", "no owner registered", wanted
    return "fail", "another person", wanted


def _arrears(facts: Facts, policy: Policy) -> Finding:
    unpaid_fen, most = facts.flat.unpaid_fen, policy.arrears_max_fen
    wanted = f"¥{most / 100:,.2f}"
    if unpaid_fen is None:
        return "unknown", "no balance reported", wanted
    return ("pass" if unpaid_fen <= most else "fail"), f"¥{unpaid_fen / 100:,.2f}", wanted


def _warranty(facts: Facts, _: Policy) -> Finding:
    until, today = facts.flat.warranty_until, facts.today
    if until is None:
        return "pass", "none", today.isoformat()
    return ("fail" if until >= today else "pass"), until.isoformat(), today.isoformat()


def _days(facts: Facts, policy: Policy) -> Finding:
    low, high, days = policy.temporary_min_days, policy.temporary_max_days, facts.stop_days
    if days is None:
        return "unknown", "", f"{low}-{high}"
    return ("pass" if low <= days <= high else "fail"), str(days), f"{low}-{high}"


def _stopped(facts: Facts, _: Policy) -> Finding:
    """A flat whose valve is shut can be opened, whatever the season's papers say."""
    standing = facts.standing
    stopped = standing != "heated" or facts.valve in {"closed", "sealed"}
    found = standing if standing != "heated" else f"heated, valve {facts.valve}"
    return ("pass" if stopped else "fail"), found, "suspended"


def _heated(facts: Facts, _: Policy) -> Finding:
    return ("pass" if facts.standing == "heated" else "fail"), facts.standing, "heated"


def _proof(facts: Facts, _: Policy) -> Finding:
    photos = len(facts.photos)
    return ("pass" if photos else "fail"), f"{photos} photos", "1 photo or more"


_FIND: dict[CheckCode, Callable[[Facts, Policy], Finding]] = {
    "deadline": lambda f, p: _by(f.today, p.deadline),
    "resume_deadline": lambda f, p: _by(f.today, p.resume_until),
    "owner": _owner,
    "arrears": _arrears,
    "valve": lambda f, _: _must("household valve", is_so=f.flat.valve, otherwise="none"),
    "gable": lambda f, _: _must("no gable flat", is_so=not f.flat.gable, otherwise="gable flat"),
    "ground_floor": lambda f, _: _must(
        "above the ground floor", is_so=not f.flat.ground_floor, otherwise="ground floor"
    ),
    "top_floor": lambda f, _: _must(
        "below the top floor", is_so=not f.flat.top_floor, otherwise="top floor"
    ),
    "warranty": _warranty,
    "already_suspended": _heated,
    "not_suspended": _stopped,
    "temporary_days": _days,
    "proof": _proof,
}
"""How each check looks; `visit_missed` is no check but what visits find."""
