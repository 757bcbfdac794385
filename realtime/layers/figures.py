"""Topic `figures`: the figures a duty manager lives by, one row each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import (
    ClosingCounted,
    PlanFigures,
    RequestsCounted,
    RoomsCounted,
    SupplyMeasured,
    WeatherObserved,
)
from realtime.facts import Fact
from realtime.layers.rows import (
    ClosingFigure,
    FigureRow,
    HourCount,
    PlanFigure,
    RequestsFigure,
    RoomsFigure,
    Row,
    SupplyFigure,
    WeatherFigure,
)

TOPIC = "figures"
_decoder: msgspec.msgpack.Decoder[FigureRow] = msgspec.msgpack.Decoder(FigureRow)
decode = _decoder.decode

KEYS: dict[type, str] = {
    WeatherObserved: "weather",
    RequestsCounted: "requests",
    ClosingCounted: "closing",
    RoomsCounted: "rooms",
    SupplyMeasured: "supply",
    PlanFigures: "plan",
}


def touches(fact: Fact) -> Sequence[str]:
    """The figure that the fact gives."""
    key = KEYS.get(type(fact.event))
    return (key,) if key else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The figure as the fact gives it; older weather than the last changes nothing."""
    if KEYS.get(type(fact.event)) != key:
        return row
    match fact.event:
        case WeatherObserved() as event:
            return _weather(row, event)
        case RequestsCounted() as event:
            return _requests(event)
        case ClosingCounted() as event:
            return ClosingFigure(
                due=event.due,
                closed=event.closed,
                closed_today=event.closed_today,
                received_today=event.received_today,
                target_pct=event.target_pct,
            )
        case PlanFigures() as event:
            return PlanFigure(
                plan=event.plan,
                made_at=event.made_at,
                visits=event.visits,
                unplanned=event.unplanned,
                late=event.late,
                changed=event.changed,
                cap=event.cap,
                travel=event.travel,
                travel_because=event.travel_because,
                lost_since=event.lost_since,
            )
        case RoomsCounted() as event:
            return RoomsFigure(
                points=event.points,
                online=event.online,
                below=event.below,
                new_10min=event.new_10min,
                bound_c=event.bound_c,
                flood_limit_10min=event.flood_limit_10min,
            )
        case SupplyMeasured() as event:
            return SupplyFigure(
                median_c=event.median_c,
                lowest_c=event.lowest_c,
                lowest_name=event.lowest_name,
                reporting=event.reporting,
                substations=event.substations,
                low=event.low,
            )
        case _:
            return row


def _weather(row: Row | None, event: WeatherObserved) -> Row:
    if isinstance(row, WeatherFigure) and event.observed_at < row.observed_at:
        return row
    return WeatherFigure(
        outdoor_c=event.outdoor_c,
        feels_c=event.feels_c,
        wind_mps=event.wind_mps,
        wind_from_deg=event.wind_from_deg,
        observed_at=event.observed_at,
    )


def _requests(event: RequestsCounted) -> RequestsFigure:
    return RequestsFigure(
        this_hour=event.this_hour,
        per_hour=event.per_hour,
        usual_per_hour=event.usual_per_hour,
        hours=[
            HourCount(
                hour_at=hour.hour_at,
                count=hour.count,
                usual_low=hour.usual_low,
                usual=hour.usual,
                usual_high=hour.usual_high,
            )
            for hour in event.hours
        ],
    )
