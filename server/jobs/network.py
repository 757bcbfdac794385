"""The network engine of one company:
the latest state of each plant and substation, and the figure over them."""

from __future__ import annotations

from datetime import timedelta

from dispatch_core import network
from dispatch_core.events import Event, NetworkState, SupplyMeasured
from server.adapters.engine_store import EngineTransaction, NetworkRead

SILENT_S = 900
REMEMBER = timedelta(hours=2)


class NetworkEngine:
    """Memory of the latest states, rebuilt from PostgreSQL when a core begins to lead."""

    def __init__(self) -> None:
        self._nodes: dict[str, network.Node] = {}
        self._states: dict[str, NetworkState] = {}
        self._loaded = False

    async def load(self, tx: EngineTransaction) -> list[tuple[str, Event]]:
        """The register and the latest readings;
        every node of the register is told once, so that screens know it."""
        self._nodes = await tx.network_nodes()
        self._states = {
            name: NetworkState(
                node=name,
                name=node.name,
                node_kind=node.node_kind,
                lon=node.lon,
                lat=node.lat,
                supply_c=None,
                return_c=None,
                supply_low_c=node.supply_low_c,
                low=False,
                read_at=None,
            )
            for name, node in self._nodes.items()
        }
        self._loaded = True
        self._decide(await tx.last_network_readings(tx.now - REMEMBER))
        return [(f"node:{state.node}", state) for state in self._states.values()]

    def _decide(self, readings: list[NetworkRead]) -> dict[str, NetworkState]:
        changed = {}
        for r in readings:
            node = self._nodes.get(r.node)
            if node is None or not (network.possible(r.supply_c) and network.possible(r.return_c)):
                continue
            state = network.decide(
                self._states.get(r.node), node, r.supply_c, r.return_c, r.read_at
            )
            if state is not None:
                self._states[r.node] = changed[r.node] = state
        return changed

    async def take(
        self, tx: EngineTransaction, readings: list[NetworkRead]
    ) -> list[tuple[str, Event]]:
        """What the feed is to be told of a batch."""
        told: list[tuple[str, Event]] = []
        if not self._loaded or any(r.node not in self._nodes for r in readings):
            told = await self.load(tx)
        return told + [(f"node:{s.node}", s) for s in self._decide(readings).values()]

    def forget(self) -> None:
        """The register has changed: load again before the next batch."""
        self._loaded = False

    @property
    def loaded(self) -> bool:
        """Whether the register has been read."""
        return self._loaded

    def figure(self, now: int) -> SupplyMeasured | None:
        """Supply temperature over the substations; None for a company without any."""
        if not self._nodes:
            return None
        return network.supply(self._states.values(), now, SILENT_S)
