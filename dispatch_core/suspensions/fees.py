"""What a flat owes for a season in which it is not heated all the time (基础热费)."""

from __future__ import annotations

from datetime import date

from dispatch_core.ids import StopKind
from dispatch_core.suspensions.policy import Policy


def share_pct(action: StopKind, policy: Policy, cold: tuple[date | None, date | None]) -> float:
    """The share of the season's full fee that is owed, in percent to two places.

    `cold` is the first day without heat and the day on which heat returns; None: as long as the
    season reaches.
    """
    base = policy.base_fee_pct
    if action == "suspension":
        return base
    billing = policy.temporary_billing if action == "temporary_stop" else policy.resume_billing
    if billing == "full":
        return 100.0
    season = (date.fromisoformat(policy.season_from), date.fromisoformat(policy.season_until))
    days = (season[1] - season[0]).days + 1
    first = max(cold[0] or season[0], season[0])
    unheated = max(0, (min(cold[1] or season[1], season[1]) - first).days)
    hundredths = round(base * 100)
    return (10_000 - _half_up((10_000 - hundredths) * unheated, days)) / 100


def fee_fen(area_m2: float, pct: float, policy: Policy) -> int:
    """pct of area x fee, in whole fen, rounded half up."""
    return _half_up(round(area_m2 * 100) * round(pct * 100) * policy.fee_fen_per_m2, 1_000_000)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
