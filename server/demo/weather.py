"""The weather of a severe January in the demo: a function of time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400
CITY_OFFSET_S = 8 * 3600
"""The generated city keeps the time of Asia/Shanghai, which has no summer time."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Outdoor air, degrees Celsius, metres a second, degrees the wind comes from."""

    outdoor_c: float
    feels_c: float
    wind_mps: float
    wind_from_deg: float


def local(at: float) -> tuple[int, float]:
    """The day since the epoch and the hour, 0 to 24, by the city's clock. `at`: Unix seconds."""
    day, second = divmod(at + CITY_OFFSET_S, DAY)
    return int(day), second / 3600


def outdoor(at: float) -> float:
    """Degrees Celsius, -29 to -21: coldest at half past six, warmest at half past two."""
    _, hour = local(at)
    days = (at + CITY_OFFSET_S) / DAY
    spell = -25.2 + 0.8 * math.sin(days / 1.9) + 0.6 * math.sin(days / 0.83)
    # night cools slowly, the day warms fast: two half waves of different length
    since = (hour - 6.5) % 24
    wave = -math.cos(math.pi * since / 8) if since < 8 else math.cos(math.pi * (since - 8) / 16)
    return max(-29.0, min(-21.0, spell + 3.5 * wave))


def weather(at: float) -> Weather:
    """All that the station reports."""
    air = outdoor(at)
    hours = at / 3600
    wind = 5.2 + 1.6 * math.sin(hours / 3.7) + 0.8 * math.sin(hours / 0.9)
    pace = (wind * 3.6) ** 0.16
    feels = 13.12 + 0.6215 * air - 11.37 * pace + 0.3965 * air * pace
    from_deg = (312 + 18 * math.sin(hours / 5.3) + 6 * math.sin(hours / 0.7)) % 360
    return Weather(round(air, 1), round(feels, 1), round(wind, 1), round(from_deg, 0))
