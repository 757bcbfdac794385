"""Reminders: the day each is due, its hours and words, and a campaign to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core import campaigns
from dispatch_core.campaigns import Campaign, Count, Gather, Policy, Start
from dispatch_core.errors import Conflict
from dispatch_core.events import CampaignEnded, CampaignProgressed
from dispatch_core.ids import Words, unix

ZONE = ZoneInfo("Asia/Shanghai")
DEADLINE = "2026-10-31"
POLICY = Policy(
    days_before=[30, 15, 7], send_from="09:00", send_until="20:00", attempts_max=3,
    text_zh="还剩 {days} 天，{deadline}截止", text_en="{days} days until {deadline}",
)  # fmt: skip


def local(day: str, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (local("2026-09-30", "19:00"), None),  # 31 days before
        (local("2026-10-01", "08:59"), None),  # the day, too early
        (local("2026-10-01", "09:00"), 30),
        (local("2026-10-01", "19:59"), 30),
        (local("2026-10-01", "20:00"), None),  # too late at night
        (local("2026-10-02"), 30),  # caught up
        (local("2026-10-16"), 15),  # the next one's day: the missed one is not sent any more
        (local("2026-10-24"), 7),
        (local("2026-10-31"), 7),  # the last day, its end included
        (local("2026-11-01"), None),  # never after
    ],
)
def test_the_day_of_each_reminder(at: datetime, due: int | None) -> None:
    assert campaigns.due(POLICY, DEADLINE, at) == due


def test_the_deadline_ends_at_midnight_of_the_city() -> None:
    ends = campaigns.deadline_ends(DEADLINE, ZONE)
    assert ends.astimezone(UTC) == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_the_words_name_the_days_that_are_left() -> None:
    late = local("2026-10-03")
    assert campaigns.text(POLICY, DEADLINE, late, "zh") == "还剩 28 天，10月31日截止"
    assert campaigns.text(POLICY, DEADLINE, late, "en") == "28 days until 2026-10-31"


NOW = local("2026-10-01").astimezone(UTC)
START = Start(
    purpose="suspension_deadline", season="2026-2027", days_before=30,
    deadline_at=unix(campaigns.deadline_ends(DEADLINE, ZONE)), words=Words(id="w-1", digest="d"),
    by="system:core", policy="harbin/2026-2027@1",
)  # fmt: skip


def after(state: Campaign | None, command: Start | Gather | Count, at: datetime) -> Campaign:
    for event in campaigns.decide(state, command, at):
        state = campaigns.apply(state, event, unix(at))
    assert state is not None
    return state


def count(**more: int) -> Count:
    zero = dict.fromkeys(
        ("sent", "delivered", "failed", "waiting", "unwritten", "without_phone"), 0
    )
    return Count(**(zero | more))


def test_a_campaign_starts_once_and_not_after_the_deadline() -> None:
    started = after(None, START, NOW)
    with pytest.raises(Conflict) as again:
        campaigns.decide(started, START, NOW)
    assert again.value.code == "campaign_exists"
    with pytest.raises(Conflict) as late:
        campaigns.decide(None, START, local("2026-11-01", "00:00"))
    assert late.value.code == "deadline_passed"
    assert campaigns.decide(None, START, local("2026-10-31", "23:59"))


def test_nothing_is_counted_before_it_is_gathered_and_it_is_gathered_once() -> None:
    started = after(None, START, NOW)
    assert campaigns.decide(started, count(), NOW) == []
    gathered = after(started, Gather(recipients=10, without_phone=2), NOW)
    assert (gathered.recipients, gathered.without_phone) == (10, 2)
    assert campaigns.decide(gathered, Gather(recipients=11, without_phone=2), NOW) == []


def test_progress_is_told_every_few_seconds_until_the_end() -> None:
    state = after(after(None, START, NOW), Gather(recipients=10, without_phone=2), NOW)
    one = count(sent=1, waiting=7, without_phone=2)
    state = after(state, one, NOW)
    assert state.sent == 1
    assert campaigns.decide(state, one, NOW + timedelta(hours=1)) == []
    more = count(sent=5, waiting=3, without_phone=2)
    assert campaigns.decide(state, more, NOW + timedelta(seconds=1)) == []
    (progressed,) = campaigns.decide(state, more, NOW + timedelta(seconds=3))
    assert isinstance(progressed, CampaignProgressed)
    state = after(
        state, count(sent=7, delivered=3, failed=1, without_phone=2), NOW + timedelta(seconds=4)
    )
    assert (state.ended_at, state.never_reached) == (unix(NOW) + 4, 3)
    assert campaigns.decide(state, count(sent=8), NOW + timedelta(hours=1)) == []


def test_at_the_deadline_those_not_written_to_were_never_reached() -> None:
    state = after(None, START, NOW)
    state = after(state, Gather(recipients=10, without_phone=2), NOW)
    left = count(sent=5, unwritten=3, without_phone=2)
    before = campaigns.decide(state, left, local("2026-10-31", "23:59"))
    assert not any(isinstance(e, CampaignEnded) for e in before)
    state = after(state, left, local("2026-11-01", "00:00"))
    assert (state.sent, state.never_reached) == (5, 5)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 40)), max_size=20))
def test_counts_only_grow_and_end_where_nothing_waits(
    steps: list[tuple[int, bool, int]],
) -> None:
    people, sent, failed = 10, 0, 0
    now, state = NOW, after(None, START, NOW)
    state = after(state, Gather(recipients=people + 1, without_phone=1), NOW)
    for wanted, good, seconds in steps:
        now += timedelta(seconds=seconds)
        many = min(wanted, people - sent - failed)
        sent, failed = (sent + many, failed) if good else (sent, failed + many)
        waiting = people - sent - failed
        before = state
        state = after(state, count(sent=sent, failed=failed, waiting=waiting, without_phone=1), now)
        assert state.version - before.version in (0, 1)
        assert state.sent >= before.sent
        assert state.failed >= before.failed
        due = waiting == 0 and unix(now) - before.told_at >= 3
        assert (state.ended_at is not None) == (due or before.ended_at is not None)
        if state.ended_at is not None:
            assert state.sent + state.never_reached == people + 1
