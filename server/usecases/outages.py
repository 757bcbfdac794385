"""Commands on outages: opened at a node of the heat tree, moved in time, ended; all by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import msgspec

from dispatch_core import commands, outages
from dispatch_core.errors import Invalid, NotFound
from dispatch_core.events import Event
from dispatch_core.ids import BuildingId, NodeKind, OutageCause, OutageId, unix
from dispatch_core.outages import Outage
from server.ports import Decision, Loaded, Node, SecretText, Wanted
from server.usecases.streams import named

POLICY = "by-hand-1"
KINDS: dict[str, NodeKind] = {kind: kind for kind in get_args(NodeKind)}


class OutageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An outage as its commands answer it; times are Unix seconds."""

    id: OutageId
    version: int
    name: str
    node_kind: NodeKind
    node: str
    lon: float
    lat: float
    buildings: int
    households: int
    cause: OutageCause
    opened_at: int
    expected_end_at: int
    ended_at: int | None


def answer_of(outage_id: OutageId, outage: Outage) -> OutageAnswer:
    """What a caller is told of an outage."""
    return OutageAnswer(
        id=outage_id,
        version=outage.version,
        name=outage.name,
        node_kind=outage.node_kind,
        node=outage.node,
        lon=outage.lon,
        lat=outage.lat,
        buildings=len(outage.buildings),
        households=outage.households,
        cause=outage.cause,
        opened_at=outage.opened_at,
        expected_end_at=outage.expected_end_at,
        ended_at=outage.ended_at,
    )


def _decision(
    outage_id: OutageId,
    before: Outage | None,
    events: list[Event],
    now: datetime,
    grounds: str,
    reason: SecretText | None,
) -> Decision:
    outage = before
    for event in events:
        outage = outages.apply(outage, event, unix(now))
    if outage is None:
        raise ValueError("no fact, no outage")
    return Decision(
        appends={named("outage", outage_id): events},
        answer=answer_of(outage_id, outage),
        status=201 if before is None else 200,
        grounds=grounds,
        policy=POLICY,
        texts=(reason,) if reason else (),
        source="outages",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOutage:
    """Heat is shut off at a plant, substation or building; what hangs on it comes from the tree."""

    outage: OutageId
    node: str
    cause: OutageCause
    expected_end_at: int
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The outage's stream and the node."""
        return Wanted(streams=(named("outage", self.outage),), nodes=(self.node,))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """One outage. Raises NotFound `no_such_node`, Invalid `wrong_node`."""
        node = loaded.nodes.get(self.node)
        if node is None:
            raise NotFound(
                "no_such_node",
                f"The heat tree has no node {self.node}.",
                "Choose a plant, substation or building of the register.",
            )
        before: Outage | None = loaded.state(named("outage", self.outage))[0]
        events = outages.decide(before, self._command(node), now)
        return _decision(
            self.outage, before, events, now, f"opened by hand; cause: {self.cause}", self.reason
        )

    def _command(self, node: Node) -> commands.OpenOutage:
        kind = KINDS.get(node.kind)
        if kind is None:
            raise Invalid(
                "wrong_node",
                f"{node.name} is a {node.kind}; an outage is opened at what feeds buildings.",
                "Choose the plant, substation or building whose valve was closed.",
            )
        return commands.OpenOutage(
            outage=self.outage,
            name=node.name,
            node_kind=kind,
            node=node.id,
            lon=node.lon,
            lat=node.lat,
            buildings=[BuildingId(building) for building in node.buildings],
            households=node.households,
            cause=self.cause,
            expected_end_at=self.expected_end_at,
            reason=self.reason.words if self.reason else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOutage:
    """ExtendOutage or EndOutage; `reason` is the sealed text behind the command's digest."""

    outage: OutageId
    command: commands.ExtendOutage | commands.EndOutage
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The outage's stream."""
        return Wanted(streams=(named("outage", self.outage),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The outage's fact."""
        before: Outage | None = loaded.state(named("outage", self.outage))[0]
        events = outages.decide(before, self.command, now)
        ended = isinstance(self.command, commands.EndOutage)
        grounds = "heat is back" if ended else "another end is expected"
        return _decision(self.outage, before, events, now, grounds, self.reason)
