"""A valve closed or opened by a crew: closing cuts off what hangs behind it, which is an outage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from dispatch_core import commands, outages
from dispatch_core.errors import Invalid
from dispatch_core.events import SiteFix
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import BuildingId, OutageId, ValveId, ValveTurn, unix
from server.ports import Decision, Loaded, Wanted
from server.usecases.on_site import OnSite, Site, evidence_of
from server.usecases.outages import KINDS
from server.usecases.streams import named


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSiteValve(OnSite):
    """The valve before a plant, substation or building that feeds the ticket's own building, by
    that node's id; another valve by its node, or by a name that the crew gives it."""

    valve: ValveId
    to: ValveTurn
    outage: OutageId
    """The number for the outage that closing opens."""
    name: str | None = None
    vented: bool | None = None
    expected_end_at: int | None = None
    said_at: int | None = None
    """When the crew pressed it, by its phone; Unix seconds."""
    fix: SiteFix | None = None

    @override
    def wanted(self) -> Wanted:
        """The ticket, its evidence, the crew, the node behind the valve, and the outage to come."""
        streams = (*super(TurnSiteValve, self).wanted().streams, named("outage", self.outage))
        return Wanted(
            streams=streams, nodes=(self.valve,), buildings=(self.valve,), outages=True
        )  # fmt: skip

    @override
    def more(self, loaded: Loaded, /) -> Wanted:
        """The crews that have the ticket, and the outage that closing this valve opened."""
        hands = super(TurnSiteValve, self).more(loaded).streams
        known = self._opened(evidence_of(loaded, self.ticket))
        return Wanted(streams=(*hands, *((named("outage", known),) if known else ())))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The valve's fact, and the outage's, in one commit.

        Raises Conflict `valve_so`, `not_your_ticket`; Invalid `valve_unnamed`, `bad_expected_end`.
        """
        site = self._site(loaded, now, was_there=True)
        node = loaded.nodes.get(self.valve)
        held = site.record.valves.get(self.valve) if site.record else None
        name = node.name if node else self.name or (held.name if held else None)
        if name is None:
            raise Invalid(
                "valve_unnamed", f"The heat tree has no node {self.valve}.",
                "Choose the valve of a plant, substation or building, or give this one a name.",
            )  # fmt: skip
        outage = self._close(site) if self.to == "closed" else self._open(site)
        site.say(
            commands.TurnValve(
                ticket=site.label, by=self.by, crew=self.crew, valve=self.valve, name=name,
                to=self.to, vented=self.vented, outage=outage, fix=self.fix,
            )
        )  # fmt: skip
        vented = "" if self.to == "closed" else ", vented" if self.vented else ", not vented"
        behind = f"; outage {outage}" if outage else ""
        warnings = ["no_outage"] if self.to == "closed" and outage is None else []
        return site.decision(
            f"valve {self.to}{vented}: {name}{behind}", outage=outage, warnings=warnings
        )

    def _close(self, site: Site) -> OutageId | None:
        """The outage that closing opens. None where the valve does not feed the ticket's building,
        or where it lies under an outage already: that one ends by itself."""
        node = site.loaded.nodes.get(self.valve)
        kind = KINDS.get(node.kind) if node else None
        if node is None or kind is None or site.ticket.place.building not in node.buildings:
            return None
        if self.valve in site.loaded.outages:
            return None
        expected = self._expected(unix(site.now), site.city.evidence.outage_expected_s)
        command = commands.OpenOutage(
            outage=self.outage, name=node.name, node_kind=kind, node=node.id, lon=node.lon,
            lat=node.lat, buildings=[BuildingId(b) for b in node.buildings],
            households=node.households, cause="valve", expected_end_at=expected,
        )  # fmt: skip
        stream = named("outage", self.outage)
        site.write(stream, outages.decide(site.loaded.state(stream)[0], command, site.now))
        site.source = "outages"
        return self.outage

    def _expected(self, now: int, usual_s: int) -> int:
        """The end that the crew said; one that passed while its word waited on the phone is no
        longer expected."""
        end = self.expected_end_at
        waited = end is not None and self.said_at is not None and self.said_at < end <= now
        return now + usual_s if end is None or waited else end

    def _open(self, site: Site) -> OutageId | None:
        """The outage that opening ends: this valve was the one that opened it. The desk may have
        ended it meanwhile."""
        known = self._opened(site.record)
        if known is None:
            return None
        stream = named("outage", known)
        outage: outages.Outage | None = site.loaded.state(stream)[0]
        if outage is None or outage.ended_at is not None:
            return known
        end = commands.EndOutage(version=outage.version)
        site.write(stream, outages.decide(outage, end, site.now))
        site.source = "outages"
        return known

    def _opened(self, record: SiteRecord | None) -> OutageId | None:
        held = record.valves.get(self.valve) if record is not None and self.to == "open" else None
        return held.outage if held is not None else None
