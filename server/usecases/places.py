"""Where a request is: a building or node of the register, or a coordinate named by what is near.

What somebody typed never becomes part of a place: it may name a resident, and a place stands in the
journal and on the wall. The typed address stays with the caller's sealed words.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from dispatch_core.errors import Invalid, NotFound
from dispatch_core.ids import BuildingId, CommunityId, NodeKind, Place
from server.ports import Building, Household, Loaded, Node, Spot

NODES: dict[str, NodeKind] = {kind: kind for kind in get_args(NodeKind)}


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


def of_node(node: Node) -> Place:
    """The place of a plant or substation."""
    return Place(
        building=None,
        lon=node.lon,
        lat=node.lat,
        address=node.name,
        community=None,
        community_name=None,
        district=None,
        node=NODES.get(node.kind),
    )


def of_spot(spot: Spot, near: Building | None, area: str | None) -> Place:
    """A coordinate, named by the nearest building, else by its area, else by itself."""
    lon, lat = spot
    return Place(
        building=None,
        lon=lon,
        lat=lat,
        address=f"≈ {near.address}" if near else area or f"{lat:.4f}, {lon:.4f}",
        community=CommunityId(near.community) if near and near.community else None,
        community_name=near.community_name if near else None,
        district=near.district if near else None,
    )


def household_of(loaded: Loaded, household: str) -> Household:
    """A flat of the register. Raises NotFound `no_such_household`."""
    known = loaded.households.get(household)
    if known is None:
        raise NotFound(
            "no_such_household",
            f"The register has no household {household}.",
            "Check the household number, or give the building.",
        )
    return known


def place_of(
    loaded: Loaded,
    building: str | None,
    node: str | None,
    spot: Spot | None,
    area: str | None,
    best_known: Place | None = None,
) -> Place:
    """The place that a request names; a building is trusted over a node, a node over a coordinate,
    a coordinate over what is best known of a typed address.

    Raises NotFound `no_such_building`, `no_such_node`; Invalid `no_place`.
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
    if node is not None:
        found = loaded.nodes.get(node)
        if found is None:
            raise NotFound(
                "no_such_node",
                f"The heat tree has no node {node}.",
                "Choose a plant or substation of the register, or give a coordinate.",
            )
        return of_node(found)
    if spot is not None:
        return of_spot(spot, loaded.nearest.get(spot), area)
    if best_known is not None:
        return best_known
    raise Invalid(
        "no_place",
        "The request says neither a household, a building, an address nor a coordinate.",
        "Give a household number, a building of the register, an address, or a coordinate with its"
        " datum.",
    )


def check_photos(loaded: Loaded, photos: Collection[str]) -> None:
    """Raises NotFound `no_such_photo` for one that was never taken in."""
    missing = [photo for photo in photos if photo not in loaded.photos]
    if missing:
        raise NotFound(
            "no_such_photo",
            f"There is no photo {missing[0]}.",
            "Send the picture to POST /api/photos first, and name the id that it answers.",
        )
