"""Events that are told but not journalled: their records are in the telemetry tables."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import CrewId


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted position of a crew."""

    crew: CrewId
    lon: float
    lat: float
    accuracy_m: float
    heading_deg: float | None
    speed_mps: float | None
    fixed_at: int


class CrewPositions(Body, frozen=True, kw_only=True):
    """Telemetry: a batch of accepted fixes."""

    fixes: list[Fix]


class NetworkState(Body, frozen=True, kw_only=True):
    """Telemetry: the latest reading of a plant or substation against its bound."""

    node: str
    name: str
    node_kind: Literal["plant", "substation"]
    lon: float
    lat: float
    supply_c: float | None
    return_c: float | None
    supply_low_c: float
    low: bool
    read_at: int | None


class WeatherObserved(Body, frozen=True, kw_only=True):
    """Telemetry: the weather at the city's station."""

    outdoor_c: float
    feels_c: float | None
    wind_mps: float | None
    wind_from_deg: float | None
    observed_at: int


class HourUsual(msgspec.Struct, frozen=True, kw_only=True):
    """One local hour's requests and what is usual; `count` is None before the hour begins."""

    hour_at: int
    count: int | None
    usual_low: int | None
    usual: int | None
    usual_high: int | None


class RequestsCounted(Body, frozen=True, kw_only=True, tag="requests_figure"):
    """Telemetry: requests of this hour and of the hours around it."""

    this_hour: int
    per_hour: int
    usual_per_hour: int | None
    hours: list[HourUsual]


class ClosingCounted(Body, frozen=True, kw_only=True, tag="closing_figure"):
    """Telemetry: tickets that fell due in the last seven days and how many of them are closed."""

    due: int
    closed: int
    closed_today: int
    received_today: int
    target_pct: float


class RoomsCounted(Body, frozen=True, kw_only=True, tag="rooms_figure"):
    """Telemetry: how many points there are, report, and stand below the bound."""

    points: int
    online: int
    below: int
    new_10min: int
    bound_c: float
    flood_limit_10min: int


class SupplyMeasured(Body, frozen=True, kw_only=True, tag="supply_figure"):
    """Telemetry: supply temperature over the substations that report."""

    median_c: float | None
    lowest_c: float | None
    lowest_name: str | None
    reporting: int
    substations: int
    low: int


class SourceHeartbeat(Body, frozen=True, kw_only=True):
    """Telemetry: a source is alive and promises to be heard every `cadence_s` seconds."""

    source: str
    topics: list[str]
    cadence_s: float
