"""Events of what the wall marks: cold rooms, arrears cells, communities, outages."""

from __future__ import annotations

from typing import Literal

from dispatch_core.events.base import Body
from dispatch_core.ids import BuildingId, CommunityId, NodeKind, OutageCause, Words


class RoomAlarmRaised(Body, frozen=True, kw_only=True):
    """A room fell below its bound. Placed at the building, with the substation that feeds it."""

    celsius: float
    bound_c: float
    read_at: int
    building: BuildingId
    lon: float
    lat: float
    address: str
    community: CommunityId | None
    substation: str | None
    substation_name: str | None
    substation_lon: float | None
    substation_lat: float | None


class RoomAlarmChanged(Body, frozen=True, kw_only=True):
    """A cold room's temperature moved enough to be worth telling."""

    celsius: float
    read_at: int


class RoomAlarmCleared(Body, frozen=True, kw_only=True):
    """A cold room is warm again."""

    celsius: float
    read_at: int


class CellPublished(Body, frozen=True, kw_only=True):
    """A cell of the arrears grid shows a banded rate (bounds in degrees)."""

    size_m: Literal[100, 200, 400, 800]
    x: int
    y: int
    west: float
    south: float
    east: float
    north: float
    band: Literal[1, 2, 3, 4, 5]


class CellHidden(Body, frozen=True, kw_only=True):
    """A cell of the arrears grid shows nothing any more."""

    size_m: Literal[100, 200, 400, 800]
    x: int
    y: int


class CommunityMood(Body, frozen=True, kw_only=True):
    """What was said about a community in the last three hours."""

    name: str
    lon: float
    lat: float
    radius_m: float
    mentions: int
    negative: int
    mean_value: float
    top_topic: str


class SpikeStarted(Body, frozen=True, kw_only=True):
    """Negative mentions of a community are far above its usual, or one topic is."""

    name: str
    topic: str
    negative: int
    usual: float


class SpikeEnded(Body, frozen=True, kw_only=True):
    """A community is back to its usual."""

    name: str
    lasted_s: int


class OutageOpened(Body, frozen=True, kw_only=True):
    """Heat is shut off at a node of the heat tree; `buildings` are those behind it."""

    name: str
    node_kind: NodeKind
    node: str
    lon: float
    lat: float
    buildings: list[BuildingId]
    households: int
    cause: OutageCause
    expected_end_at: int
    reason: Words | None


class OutageExtended(Body, frozen=True, kw_only=True):
    """The expected end of an outage moved."""

    name: str
    expected_end_at: int
    reason: Words | None


class OutageEnded(Body, frozen=True, kw_only=True):
    """Heat is back."""

    name: str
    lasted_s: int
