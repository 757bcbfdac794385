"""The alarm engine of one company's rooms:
takes reading batches, raises and clears alarms, counts."""

from __future__ import annotations

from datetime import timedelta

from dispatch_core import rooms
from dispatch_core.events import RoomsCounted
from server.adapters.engine_store import EngineTransaction, Reading

ONLINE_S = 2 * 3600
"""A sensor that uploads hourly and missed one upload still counts as online."""
FLOOD_10MIN = 10
NEW_S = 600
REMEMBER = timedelta(hours=3)
FACTS_AT_ONCE = 4000


class RoomEngine:
    """Memory of every point, rebuilt from PostgreSQL when a core begins to lead."""

    def __init__(self) -> None:
        self._sites: dict[str, rooms.Site] = {}
        self._points: dict[str, rooms.Point] = {}
        self._loaded = False

    async def load(self, tx: EngineTransaction) -> None:
        """Alarms from the heads of their streams, the other points from their latest readings."""
        self._sites = await tx.point_sites()
        heads = await tx.streams_like("point:")
        self._points = {stream.removeprefix("point:"): state for stream, state in heads.items()}
        for reading in await tx.last_room_readings(tx.now - REMEMBER):
            point = self._points.get(reading.point)
            if (point is None or point.read_at < reading.read_at) and rooms.possible(
                reading.celsius
            ):
                self._points[reading.point] = rooms.Point(
                    celsius=reading.celsius,
                    read_at=reading.read_at,
                    alarm_since=point.alarm_since if point else None,
                    told_c=point.told_c if point else None,
                )
        self._loaded = True

    async def take(self, tx: EngineTransaction, readings: list[Reading]) -> dict[str, rooms.Point]:
        """Decide every reading; facts go to the journal in the transaction that takes the batch.

        Returns the points as they are after it;
        the caller gives them to `keep` once the transaction has committed.
        """
        if not self._loaded or any(r.point not in self._sites for r in readings):
            await self.load_sites(tx)
        after: dict[str, rooms.Point] = {}
        facts = []
        for reading in readings:
            site = self._sites.get(reading.point)
            if site is None:
                continue  # the point left the register after its reading was taken in
            point = after.get(reading.point) or self._points.get(reading.point)
            outcome = rooms.decide(point, reading.celsius, reading.read_at, site)
            if outcome.point is not None:
                after[reading.point] = outcome.point
            if outcome.event is not None:
                facts.append((f"point:{reading.point}", outcome.event))
        for start in range(0, len(facts), FACTS_AT_ONCE):
            part = facts[start : start + FACTS_AT_ONCE]
            await tx.own_heads({stream for stream, _ in part})
            for stream, event in part:
                tx.append(
                    stream,
                    [event],
                    grounds="room reading against its bound",
                    policy=rooms.POLICY.version,
                )
        return after

    async def load_sites(self, tx: EngineTransaction) -> None:
        """The register may have grown."""
        if not self._loaded:
            await self.load(tx)
        else:
            self._sites = await tx.point_sites()

    def keep(self, after: dict[str, rooms.Point]) -> None:
        """The transaction has committed: remember what it decided."""
        self._points.update(after)

    def forget(self) -> None:
        """The register has changed: load again before the next batch."""
        self._loaded = False

    def figure(self, now: int) -> RoomsCounted | None:
        """How many points there are, report and stand below the bound;
        None for a company without points."""
        if not self._sites:
            return None
        here = [p for name, p in self._points.items() if name in self._sites]
        return RoomsCounted(
            points=len(self._sites),
            online=sum(p.read_at >= now - ONLINE_S for p in here),
            below=sum(
                p.celsius < rooms.POLICY.raise_c and p.read_at >= now - ONLINE_S for p in here
            ),
            new_10min=sum(p.alarm_since is not None and p.alarm_since >= now - NEW_S for p in here),
            bound_c=rooms.POLICY.raise_c,
            flood_limit_10min=FLOOD_10MIN,
        )
