"""Readings of the demo's sensors: rooms, substations, plants, the weather station."""

from __future__ import annotations

import math
from typing import Any

from server.demo import chance
from server.demo.faults import Faults
from server.demo.records import Node, Register
from server.demo.weather import outdoor, weather

Item = dict[str, Any]

ROOM_PERIOD_S = 3600
NETWORK_PERIOD_S = 30
WEATHER_PERIOD_S = 300


class Rooms:
    """Every point uploads once an hour, on its own minute."""

    def __init__(self, register: Register, faults: Faults, seed: int) -> None:
        homes = {h.id: h for h in register.households}
        fed = {b.id: b.substation for b in register.buildings}
        self._faults = faults
        self._by_minute: list[list[tuple[str, str, float, float, float]]] = [[] for _ in range(60)]
        for p in register.points:
            h = homes[p.household]
            usual = 20.95 + 1.15 * _normal(seed, p.id)
            usual -= 0.75 * h.gable + 0.45 * h.ground + 0.45 * h.top
            tau = chance.between(2.4, 5.0, seed, p.id, "tau") * 3600
            phase = chance.between(0, math.tau, seed, p.id, "phase")
            minute = int(chance.unit(seed, p.id, "minute") * 60)
            self._by_minute[minute].append((p.id, fed[p.building], usual, tau, phase))

    def batch(self, minute_at: int) -> list[Item]:
        """Readings of the points whose minute this is; `minute_at` Unix seconds, a whole minute."""
        air = outdoor(minute_at - 5400)
        faults = self._faults.around(minute_at)
        out: list[Item] = []
        for point, substation, usual, tau, phase in self._by_minute[minute_at // 60 % 60]:
            c = usual + 0.06 * (air + 25) + 0.3 * math.sin(minute_at / 9100 + phase)
            for f in faults:
                if f.substation == substation:
                    c -= 9.5 * f.chill(minute_at, tau)
            out.append({"point": point, "celsius": round(c, 1), "read_at": minute_at})
        return out


def _normal(*name: object) -> float:
    a, b = chance.unit(*name, "a"), chance.unit(*name, "b")
    return math.sqrt(-2 * math.log(1 - a)) * math.cos(math.tau * b)


class Network:
    """Plants and substations, every half minute."""

    def __init__(self, register: Register, faults: Faults, seed: int) -> None:
        self._nodes = [n for n in register.nodes if n.kind in {"plant", "substation"}]
        self._faults, self._seed = faults, seed

    def batch(self, at: int) -> list[Item]:
        """One reading of each node. Degrees Celsius, cubic metres an hour, kilopascals."""
        faults = self._faults.around(at)
        depth: dict[str, float] = {}
        for f in faults:
            depth[f.substation] = max(f.depth(at), depth.get(f.substation, 0.0))
        return [self._reading(n, at, depth.get(n.id, 0.0)) for n in self._nodes]

    def _reading(self, n: Node, at: int, depth: float) -> Item:
        own = chance.between(-1, 1, self._seed, n.id)
        sway = math.sin(at / 700 + 9 * own) + 0.4 * math.sin(at / 131 + 5 * own)
        need = -25 - outdoor(at - 2400)
        if n.kind == "plant":
            supply, back, flow, makeup, bar = (
                117 + 0.8 * need,
                61 + 0.3 * need,
                2100.0,
                22.0,
                1050.0,
            )
        else:
            supply = 71.5 + 2.6 * own + 0.45 * need - 30 * depth
            back, flow, makeup, bar = 47 + 1.5 * own, 210 + 40 * own, 1.6 + 0.5 * own, 620.0
            back, flow = back - 12 * depth, flow * (1 - 0.93 * depth)
            makeup, bar = makeup + 12 * depth, bar - 190 * depth
        return {
            "node": n.id, "read_at": at, "supply_c": round(supply + 0.35 * sway, 1),
            "return_c": round(back + 0.25 * sway, 1), "flow_m3h": round(flow + 3 * sway, 1),
            "makeup_m3h": round(max(0.0, makeup + 0.15 * sway), 2),
            "pressure_kpa": round(bar + 4 * sway, 0),
        }  # fmt: skip


def station(at: int) -> Item:
    """What the weather station reports at a time."""
    w = weather(at)
    return {
        "observed_at": at, "outdoor_c": w.outdoor_c, "feels_c": w.feels_c, "wind_mps": w.wind_mps,
        "wind_from_deg": w.wind_from_deg,
    }  # fmt: skip
