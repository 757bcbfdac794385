"""Communities and what is said about them: a spike rises far above the usual, ends well below."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from dispatch_core.events import CommunityMood, Event, SpikeEnded, SpikeStarted
from dispatch_core.ids import unix


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as a spike within the window, and when it is over."""

    version: str = "sentiment-1"
    window_s: int = 3 * 3600
    negative_value: float = -0.3
    start_negative: int = 8
    start_times_usual: float = 3.0
    start_topic_hits: int = 50
    end_negative: int = 5
    end_times_usual: float = 2.0
    end_topic_hits: int = 30


POLICY = Policy()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A community on the map."""

    name: str
    lon: float
    lat: float
    radius_m: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The mentions of one community in the window; `topics` counts all mentions by topic code,
    `negative_topics` the negative ones."""

    mentions: int
    negative: int
    mean_value: float
    topics: dict[str, int]
    negative_topics: dict[str, int]


class Community(msgspec.Struct, frozen=True, kw_only=True):
    """A community after `version` facts: the mood last told, and its spike if it has one."""

    version: int
    mood: CommunityMood | None = None
    spike_since: int | None = None


def top(topics: Mapping[str, int]) -> tuple[str, int]:
    """The commonest topic and its count, ties by code; `other`, 0 when there is none."""
    return min(topics.items(), key=lambda item: (-item[1], item[0]), default=("other", 0))


def decide(
    community: Community | None,
    site: Site,
    window: Window,
    usual_negative: float,
    now: datetime,
    policy: Policy = POLICY,
) -> list[Event]:
    """The facts that a window makes; `usual_negative` is the usual count of the same hours."""
    events: list[Event] = []
    mood = CommunityMood(
        name=site.name,
        lon=site.lon,
        lat=site.lat,
        radius_m=site.radius_m,
        mentions=window.mentions,
        negative=window.negative,
        mean_value=round(window.mean_value, 2),
        top_topic=top(window.negative_topics)[0],
    )
    told = community.mood if community else None
    if mood != told and (told is not None or window.mentions > 0):
        events.append(mood)
    topic, hits = top(window.topics)
    since = community.spike_since if community else None
    if since is None:
        loud = window.negative >= max(
            policy.start_negative, policy.start_times_usual * usual_negative
        )
        if loud or hits >= policy.start_topic_hits:
            topic = mood.top_topic if loud else topic
            events.append(
                SpikeStarted(
                    name=site.name, topic=topic, negative=window.negative, usual=usual_negative
                )
            )
    else:
        quiet = (
            window.negative < policy.end_negative
            or window.negative < policy.end_times_usual * usual_negative
        )
        if quiet and hits < policy.end_topic_hits:
            events.append(SpikeEnded(name=site.name, lasted_s=max(0, unix(now) - since)))
    return events


def apply(community: Community | None, event: Event, at: int) -> Community:
    """The community after one more fact. Raises ValueError for a fact that is not a community's."""
    community = community or Community(version=0)
    version = community.version + 1
    match event:
        case CommunityMood():
            return msgspec.structs.replace(community, version=version, mood=event)
        case SpikeStarted():
            return msgspec.structs.replace(community, version=version, spike_since=at)
        case SpikeEnded():
            return msgspec.structs.replace(community, version=version, spike_since=None)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a community")
