"""Where a request is: a building of the register, or a coordinate with words no closer than one."""

from __future__ import annotations

import re

from dispatch_core.errors import Invalid, NotFound
from dispatch_core.ids import BuildingId, CommunityId, Place
from server.ports import Building, Loaded

ADDRESS_MOST = 120

_INSIDE = re.compile(
    r"""
    [,，;；\s]*
    (?:
        [\dA-Za-z一二三四五六七八九十甲乙丙丁东西中]{1,4}\s*单元   # 2单元502
      | [\dA-Za-z]{1,5}\s*(?:室|户|门)                              # 502室
      | [\d一二三四五六七八九十]{1,3}\s*[层樓]                       # 5层
      | (?<=[号栋幢楼座])[,，\s]*\d{1,2}\s*[-－—/]\s*\d{1,4}         # 3号2-502
      | (?<=[号栋幢楼座])[,，\s]*\d{3,4}(?!\d)(?!\s*号)               # 3号楼502
      | (?<=[号栋幢楼座])[,，\s]*[\d一二三四五六七八九十]{1,3}\s*楼     # 3号5楼
      | (?<![\d-])\d{1,3}\s*[-－—]\s*\d{1,2}\s*[-－—]\s*\d{2,4}      # 3-2-502
      | \b(?:apt|apartment|flat|unit|room|suite|rm|fl|floor)\b\.?\s*\#?\s*[\w-]*
      | \#\s*\w+
    )
    .*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def building_level(address: str) -> str:
    """An address without what lies inside the building: unit, floor, flat and all that follows.

    A flat would say who asked, and the address stands on the wall.
    """
    one_line = " ".join(address.split())
    return _INSIDE.sub("", one_line).strip(" ,，;；")[:ADDRESS_MOST]


def of_building(building: Building) -> Place:
    """The place of a building of the register."""
    return Place(
        building=BuildingId(building.id),
        lon=building.lon,
        lat=building.lat,
        address=building.address,
        community=CommunityId(building.community) if building.community else None,
        community_name=building.community_name,
        district=building.district,
    )


def place_of(
    loaded: Loaded, building: str | None, spot: tuple[float, float] | None, address: str | None
) -> Place:
    """The place that a request names; a building is trusted over a coordinate.

    `spot` is (lon, lat) in WGS-84 degrees. Raises NotFound `no_such_building`, Invalid `no_place`.
    """
    if building is not None:
        known = loaded.buildings.get(building)
        if known is None:
            raise NotFound(
                "no_such_building",
                f"The register has no building {building}.",
                "Choose a building of the register, or give a coordinate.",
            )
        return of_building(known)
    if spot is None:
        raise Invalid(
            "no_place",
            "The request says neither a building nor a coordinate.",
            "Give a building of the register, or a coordinate with its datum.",
        )
    lon, lat = spot
    words = building_level(address or "")
    return Place(
        building=None,
        lon=lon,
        lat=lat,
        address=words or f"{lat:.5f}, {lon:.5f}",
        community=None,
        community_name=None,
        district=None,
    )
