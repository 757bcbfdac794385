"""The records behind the wall's marks: points, nodes, communities, cells; buildings to find."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.handlers import BaseRouteHandler

from server.adapters.records import Records
from server.api.documents import found
from server.api.gate import Gate


class Buildings(msgspec.Struct, kw_only=True):
    """Buildings that resemble what was searched, best first."""

    items: list[dict[str, Any]]


def create_handlers(gate: Gate, records: Records) -> list[BaseRouteHandler]:
    """Reading only."""

    @get("/api/points/{point_id:str}", tags=["rooms"])
    async def point(request: Request[Any, Any, Any], point_id: str) -> dict[str, Any]:
        """A room-temperature point at its building, with its latest readings."""
        principal = await gate.principal(request)
        return found(await records.point(principal.company, point_id), "point", point_id)

    @get("/api/nodes/{node_id:str}", tags=["network"])
    async def node(request: Request[Any, Any, Any], node_id: str) -> dict[str, Any]:
        """A plant or substation with its latest readings."""
        principal = await gate.principal(request)
        return found(await records.node(principal.company, node_id), "node", node_id)

    @get("/api/communities/{community_id:str}", tags=["sentiment"])
    async def community(request: Request[Any, Any, Any], community_id: str) -> dict[str, Any]:
        """A community with its latest mentions, without their words."""
        principal = await gate.principal(request)
        return found(
            await records.community(principal.company, community_id), "community", community_id
        )

    @get("/api/cells/{key:str}", tags=["arrears"])
    async def cell(request: Request[Any, Any, Any], key: str) -> dict[str, Any]:
        """What a cell of the arrears map has shown: bands and rounds, never counts."""
        principal = await gate.principal(request)
        return found(await records.cell(principal.company, key), "cell", key)

    @get("/api/buildings", tags=["register"])
    async def buildings(
        request: Request[Any, Any, Any], words: Annotated[str, msgspec.Meta(max_length=200)]
    ) -> Buildings:
        """Buildings whose address resembles the words."""
        principal = await gate.principal(request)
        return Buildings(items=await records.building_search(principal.company, words))

    return [point, node, community, cell, buildings]
