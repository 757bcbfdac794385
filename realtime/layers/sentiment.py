"""Topic `sentiment`: what is said about each community that is spoken of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import CommunityMood, SpikeEnded, SpikeStarted
from realtime.facts import Fact
from realtime.layers.rows import Row, SentimentRow

TOPIC = "sentiment"
decode = msgspec.msgpack.Decoder(SentimentRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The community that the fact is about."""
    ours = isinstance(fact.event, CommunityMood | SpikeStarted | SpikeEnded)
    return (fact.name,) if ours else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The community's row; None once nobody speaks of it and no spike is left to end."""
    if fact.name != key:
        return row
    old = row if isinstance(row, SentimentRow) else None
    match fact.event:
        case CommunityMood() as event:
            new = SentimentRow(
                name=event.name,
                lon=event.lon,
                lat=event.lat,
                radius_m=event.radius_m,
                mentions=event.mentions,
                negative=event.negative,
                mean_value=event.mean_value,
                top_topic=event.top_topic,
                spike=old.spike if old else False,
                spike_since=old.spike_since if old else None,
            )
            return new if new.mentions or new.spike else None
        case SpikeStarted() if old:
            return replace(old, spike=True, spike_since=fact.at)
        case SpikeEnded() if old:
            return replace(old, spike=False, spike_since=None) if old.mentions else None
        case _:
            return row
