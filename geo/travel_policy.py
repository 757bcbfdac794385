"""A company's figures for travel before anything is learnt, and how fast learning may move them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from geo.travel import DETOUR_MOST_PM, FASTEST_MMPS, SLOWEST_MMPS, SPREAD_MOST_PM, TravelModel

_SLOW, _USUAL, _EMPTY = 21, 25, 32
WORKDAY_KMH: Final = (
    (_EMPTY,) * 6 + (_USUAL,) + (_SLOW,) * 2 + (_USUAL,) * 7 + (_SLOW,) * 3 + (_USUAL,) * 2
    + (_EMPTY,) * 3
)  # fmt: skip
WEEKEND_KMH: Final = (_EMPTY,) * 8 + (_USUAL,) * 13 + (_EMPTY,) * 3

_Kmh = Annotated[int, Meta(ge=4, le=140)]
_Day = Annotated[tuple[_Kmh, ...], Meta(min_length=24, max_length=24)]
_Ages = Annotated[int, Meta(ge=1, le=86_400)]


class TravelPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[travel]` table of a policy file."""

    workday_kmh: _Day = WORKDAY_KMH
    """Speed along the way, hour by hour of the city's clock: a van in winter traffic."""
    weekend_kmh: _Day = WEEKEND_KMH
    detour_pm: Annotated[int, Meta(ge=1_000, le=DETOUR_MOST_PM)] = 1_350
    spread_pm: Annotated[int, Meta(ge=1_000, le=SPREAD_MOST_PM)] = 1_400
    prior_journeys: Annotated[int, Meta(ge=1, le=100_000)] = 40
    """These figures weigh as much as so many journeys of an hour."""
    learn_days: Annotated[int, Meta(ge=1, le=400)] = 56
    """Journeys longer ago are forgotten."""
    off_road_m: Annotated[int, Meta(ge=1, le=5_000)] = 300
    """A place farther from any road is reached by great circle."""
    position_fresh_s: _Ages = 120
    """A fix up to this old counts as where the crew is."""
    position_discount_s: _Ages = 300
    """From this age on a crew's arrival is discounted."""
    position_exclude_s: _Ages = 1_800
    """From this age on nobody knows where the crew is."""

    def __post_init__(self) -> None:
        if not self.position_fresh_s <= self.position_discount_s <= self.position_exclude_s:
            raise ValueError("a position is first fresh, then discounted, then left out")

    def prior(self, utc_offset_s: int) -> TravelModel:
        """The model before anything is learnt, for a city so far east of UTC."""
        kmh = (*self.workday_kmh, *self.weekend_kmh)
        return TravelModel(
            utc_offset_s=utc_offset_s,
            detour_pm=self.detour_pm,
            speed_mmps=tuple(
                min(FASTEST_MMPS, max(SLOWEST_MMPS, speed * 10_000 // 36)) for speed in kmh
            ),
            spread_pm=(self.spread_pm,) * len(kmh),
        )
