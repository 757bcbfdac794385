"""Commands on an outage, by hand."""

from __future__ import annotations

import msgspec

from dispatch_core.ids import BuildingId, NodeKind, OutageCause, OutageId, Words


class OpenOutage(msgspec.Struct, frozen=True, kw_only=True):
    """Heat is shut off at a node: the node and what hangs on it come from the heat tree."""

    outage: OutageId
    name: str
    node_kind: NodeKind
    node: str
    lon: float
    lat: float
    buildings: list[BuildingId]
    households: int
    cause: OutageCause
    expected_end_at: int
    reason: Words | None = None


class ExtendOutage(msgspec.Struct, frozen=True, kw_only=True):
    """The outage will end at another time."""

    version: int
    expected_end_at: int
    reason: Words | None = None


class EndOutage(msgspec.Struct, frozen=True, kw_only=True):
    """Heat is back."""

    version: int


OutageCommand = OpenOutage | ExtendOutage | EndOutage
