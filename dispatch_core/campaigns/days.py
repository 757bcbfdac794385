"""Which reminder is due on which local day, at which hours it goes out, and what it says."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

from dispatch_core.campaigns.policy import Policy


def deadline_ends(deadline: str, zone: tzinfo | None) -> datetime:
    """The moment at which the last day `YYYY-MM-DD` is over."""
    return datetime.combine(date.fromisoformat(deadline) + timedelta(days=1), time(0), zone)


def within_hours(policy: Policy, local: datetime) -> bool:
    """Whether messages may go out at this local time."""
    first, last = time.fromisoformat(policy.send_from), time.fromisoformat(policy.send_until)
    return first <= local.time() < last


def due(policy: Policy, deadline: str, local: datetime) -> int | None:
    """The reminder, named by its days before the deadline, that is due at a local time.

    One that was missed is caught up until the next one's day, and none goes out after the deadline:
    nobody gets two for one day.
    """
    left = days_left(deadline, local)
    if left < 0 or not within_hours(policy, local):
        return None
    return min((days for days in policy.days_before if days >= left), default=None)


def days_left(deadline: str, local: datetime) -> int:
    """Days until the last day; 0 on that day, negative after it."""
    return (date.fromisoformat(deadline) - local.date()).days


def text(policy: Policy, deadline: str, local: datetime, language: Literal["zh", "en"]) -> str:
    """The reminder as it reads when it is sent at a local time."""
    last = date.fromisoformat(deadline)
    day = f"{last.month}月{last.day}日" if language == "zh" else deadline
    words = policy.text_zh if language == "zh" else policy.text_en
    left = str(max(0, days_left(deadline, local)))
    return words.replace("{days}", left).replace("{deadline}", day)
