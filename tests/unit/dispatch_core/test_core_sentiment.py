"""Spikes of a community: far above the usual to start, well below to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dispatch_core import events as e
from dispatch_core import sentiment
from dispatch_core.ids import unix
from dispatch_core.sentiment import Community, Window

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
SITE = sentiment.Site(name="经纬小区", lon=126.6, lat=45.7, radius_m=300)


def window(negative: int, hits: int = 0, mentions: int = 60) -> Window:
    return Window(
        mentions=mentions, negative=negative, mean_value=-0.4567,
        topics={"billing": hits, "not_warm": negative}, negative_topics={"not_warm": negative},
    )  # fmt: skip


def step(
    community: Community | None, seen: Window, usual: float = 1.0, now: datetime = T0
) -> tuple[Community | None, list[str]]:
    made = sentiment.decide(community, SITE, seen, usual, now)
    for event in made:
        community = sentiment.apply(community, event, unix(now))
    return community, [e.kind_of(type(event)) for event in made]


@pytest.mark.parametrize(
    ("negative", "usual", "hits", "starts"),
    [
        (7, 0.0, 0, False),
        (8, 0.0, 0, True),
        (8, 2.6, 0, True),
        (8, 2.7, 0, False),
        (29, 10.0, 0, False),
        (30, 10.0, 0, True),
        (0, 1.0, 49, False),
        (0, 1.0, 50, True),
    ],
)
def test_when_a_spike_starts(negative: int, usual: float, hits: int, starts: bool) -> None:
    community, kinds = step(None, window(negative, hits), usual)
    assert ("spike_started" in kinds) == starts
    assert kinds[0] == "community_mood"
    assert community is not None
    assert community.spike_since == (unix(T0) if starts else None)


def test_a_spike_ends_only_well_below_where_it_started() -> None:
    community, _ = step(None, window(9))
    for negative in (8, 7, 6, 5):
        community, kinds = step(community, window(negative))
        assert kinds == ["community_mood"]
    later = T0 + timedelta(hours=2)
    community, kinds = step(community, window(4), now=later)
    assert kinds == ["community_mood", "spike_ended"]
    assert community is not None
    assert community.spike_since is None


def test_a_topic_keeps_its_spike_alive() -> None:
    community, _ = step(None, window(0, 50))
    community, kinds = step(community, window(0, 30))
    assert kinds == []  # the mood is the same
    _, kinds = step(community, window(0, 29))
    assert kinds == ["spike_ended"]


def test_where_much_is_usual_a_spike_ends_below_twice_the_usual() -> None:
    community, _ = step(None, window(30), 10.0)
    community, kinds = step(community, window(20), 10.0)
    assert kinds == ["community_mood"]
    _, kinds = step(community, window(19), 10.0)
    assert kinds == ["community_mood", "spike_ended"]


def test_silence_is_told_once() -> None:
    silent = Window(mentions=0, negative=0, mean_value=0.0, topics={}, negative_topics={})
    assert step(None, silent) == (None, [])
    community, _ = step(None, window(1))
    community, kinds = step(community, silent)
    assert kinds == ["community_mood"]
    assert step(community, silent)[1] == []


def test_the_mood_names_the_commonest_negative_topic_and_ties_go_by_code() -> None:
    assert sentiment.top({"b": 2, "a": 2, "c": 1}) == ("a", 2)
    assert sentiment.top({}) == ("other", 0)
    (mood, _) = sentiment.decide(None, SITE, window(9), 0, T0)
    assert isinstance(mood, e.CommunityMood)
    assert (mood.top_topic, mood.mean_value) == ("not_warm", -0.46)


def test_a_fact_of_another_kind_is_a_broken_journal() -> None:
    with pytest.raises(ValueError, match="no fact"):
        sentiment.apply(None, e.CellHidden(size_m=100, x=0, y=0), 0)
