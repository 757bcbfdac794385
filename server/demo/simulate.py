"""A live January day: which calls to the API fall into a span of business time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from server.demo.autumn import Autumn
from server.demo.calls import Body, Call
from server.demo.casework import Casework
from server.demo.demand import Demand
from server.demo.desk import Desk
from server.demo.faults import Fault, Faults
from server.demo.fleet import FIX_PERIOD_S, Fleet
from server.demo.records import Register
from server.demo.shift_change import ShiftChange
from server.demo.stops import Stops
from server.demo.supply import Supply, first_stock
from server.demo.telemetry import NETWORK_PERIOD_S, WEATHER_PERIOD_S, Network, Rooms, station

BALANCE_PERIOD_S = 600
MENTION_PERIOD_S = 60
ALIVE_PERIOD_S = 300
CADENCE_S = {
    "room-readings": 180, "network-readings": 90, "weather": 700, "crew-positions": 30,
    "account-balances": 3 * BALANCE_PERIOD_S, "mentions": 3 * ALIVE_PERIOD_S,
}  # fmt: skip
"""How often each feed promises to be heard, with room for one that is late."""
BALANCE_BATCH = 20_000
"""Opening balances in one call; the API takes up to 30,000."""
_CASES = frozenset({"case", "case_read", "case_step"})
_LOOKS = frozenset({"visits", "completed"})
_CONTRACTS = _LOOKS | {"stop", "visit", "known"}
_HEARD = frozenset({"plan", "presence", "given"})
CATCH_UP_S = 90.0
"""A longer span is history: sensors then send their latest reading only."""


class Day:
    """The demo's whole world for one register and seed.

    `step` says what to send, `answer` takes what came back. Everything but open tickets is a
    function of time: shown those with `adopt`, a new process goes on where the old one stopped.
    """

    def __init__(self, register: Register, seed: int) -> None:
        self._register, self._seed = register, seed
        self._faults = Faults(register, seed)
        self._rooms = Rooms(register, self._faults, seed)
        self._network = Network(register, self._faults, seed)
        self._demand = Demand(register, self._faults, seed)
        self._fleet = Fleet(register, seed)
        self._nodes = {n.id: n for n in register.nodes if n.kind == "substation"}
        self._supply = Supply(register, self._fleet, seed)
        self.desk = Desk(self._fleet, self._faults, self._supply, seed)
        self._shifts = ShiftChange(seed, self.desk.dispatcher)
        self.casework = Casework(seed)
        self.autumn = Autumn(register, seed)
        self._stops = Stops(register, self.autumn, seed)
        self._outages: dict[str, tuple[str, int]] = {}
        """Substation to the id and version of its open outage."""
        self._asked: set[str] = set()

    def opening(self, at: int) -> Iterator[Call]:
        """What is known when the company starts: what lies on the vans, households' balances."""
        yield from first_stock(self._register, self._seed)
        accounts = self._register.accounts
        for n in range(0, len(accounts), BALANCE_BATCH):
            items = [
                {"household": a.household, "unpaid_fen": a.unpaid_fen, "balance_at": at}
                for a in accounts[n : n + BALANCE_BATCH]
            ]
            yield self._batch("account-balances", items, f"opening-{n}", at)

    def adopt(
        self,
        tickets: Sequence[Body],
        outages: Sequence[Body],
        cases: Sequence[Body],
        positions: dict[str, tuple[float, float]],
        at: float,
    ) -> None:
        """Go on from what the API shows: open tickets, outages and cases, crews' last places."""
        for ticket in tickets:
            self.desk.see(ticket, at)
        for outage in outages:
            self._saw_outage(outage)
        for case in cases:
            self.casework.see(case, at)
        for crew, place in positions.items():
            if crew in self._fleet.vans:
                self._fleet.vans[crew].at = place

    def go_live(self, people: Sequence[str]) -> None:
        """From now on these people give tickets out, on what the engine proposes."""
        self.desk.dispatcher.people = tuple(people)

    def listen(self, at: float, *, behind: bool, pace: float = 1.0) -> list[Call]:
        """What the desk hears every few seconds; `behind`: what is lived is long past; `pace`:
        business seconds in a real one."""
        self.desk.dispatcher.behind, self.desk.dispatcher.pace = behind, pace
        return list(self.desk.dispatcher.listen(at))

    def urgent(self, at: float) -> list[Call]:
        """What follows at once from the answers to a step."""
        return list(self.desk.urgent(at)) if self.desk.dispatcher.scores(at) else []

    def step(self, from_at: float, to_at: float) -> list[Call]:
        """The calls of (from_at, to_at], Unix seconds of business time; send them in any order."""
        self._fleet.drive(from_at, to_at, self.desk.busy)
        out = list(self._telemetry(from_at, to_at))
        for minute in range(int(from_at // 60) + 1, int(to_at // 60) + 1):
            for n, (path, body) in enumerate(self._demand.requests(minute)):
                key = f"demo-{self._seed}-request-{minute}-{n}"
                step = "case" if path == "/api/cases" else "request"
                out.append(Call("POST", path, body, key, to_at, None, step))
            for n, body in enumerate(self._stops.applications(minute)):
                key = f"demo-{self._seed}-stop-{minute}-{n}"
                out.append(Call("POST", "/api/suspensions", body, key, to_at, None, "stop"))
        for fault in self._faults.around(to_at):
            out.extend(self._fault(fault, from_at, to_at))
        out.extend(self.desk.acts(from_at, to_at))
        out.extend(self.casework.acts(to_at, self.desk.jobs))
        out.extend(self._stops.acts(from_at, to_at))
        out.extend(self._supply.acts(from_at, to_at))
        out.extend(self._shifts.acts(from_at, to_at))
        return out

    def answer(self, call: Call, status: int, body: Body) -> None:
        """What came back. Refusals that time cures are tried again by themselves."""
        if call.step in _CONTRACTS:
            if call.step in _LOOKS and status == 200:
                self._stops.see(call, body)
        elif call.step in _CASES:
            self._case(call, status, body)
        elif call.step in _HEARD:
            if status == 200:
                self._heard(call, body)
        elif call.step == "handover":
            self._shifts.answer(call, status, body)
        elif call.step in {"outage", "outage_end"}:
            self._asked.discard(call.key)
            if call.step == "outage" and status in {200, 201}:
                self._saw_outage(body)
            elif call.step == "outage_end" and status in {200, 201, 404, 409}:
                self._outages = {
                    s: o for s, o in self._outages.items() if o[0] != call.path.split("/")[-2]
                }
        else:
            self.desk.answer(call, status, body)

    def _heard(self, call: Call, body: Body) -> None:
        if call.step == "given":
            self.desk.given(body["items"], call.at)
        else:
            self.desk.dispatcher.hear(call, body)

    def _case(self, call: Call, status: int, body: Body) -> None:
        if status not in {200, 201}:
            if call.step != "case":
                self.casework.refused(call)
            return
        self.casework.see(body.get("case", body), call.at)
        if call.step == "case":
            self.desk.see(body["ticket"], call.at)

    def _saw_outage(self, outage: Body) -> None:
        substation = outage.get("node")
        if isinstance(substation, str):
            self._outages[substation] = (outage["id"], outage["version"])

    def _fault(self, fault: Fault, from_at: float, to_at: float) -> Iterator[Call]:
        node = self._nodes[fault.substation]
        if from_at < fault.ticket_at <= to_at:
            body: Body = {
                "kind": "repair", "level": "red", "source": "control_room", "node": node.id,
                "words": "循环泵跳停，供水温度持续下降，补水量上升", "accepted": True,
            }  # fmt: skip
            key = f"demo-{self._seed}-fault-{fault.day}"
            yield Call("POST", "/api/requests", body, key, to_at, None, "request")
        if from_at < fault.outage_at <= to_at:
            body = {
                "node": fault.substation, "cause": "pump",
                "expected_end_at": int(max(fault.end, to_at) // 900 * 900 + 1800),
            }  # fmt: skip
            key = f"demo-{self._seed}-outage-{fault.day}"
            yield Call("POST", "/api/outages", body, key, to_at, None, "outage")
        held = self._outages.get(fault.substation)
        if held and fault.outage_end_at <= to_at:
            key = f"demo-{self._seed}-outage-end-{fault.day}"
            if key not in self._asked:
                self._asked.add(key)
                path = f"/api/outages/{held[0]}/end"
                yield Call("POST", path, {"version": held[1]}, key, to_at, None, "outage_end")

    def _telemetry(self, from_at: float, to_at: float) -> Iterator[Call]:
        slow = to_at - from_at > CATCH_UP_S
        for at in _ticks(from_at, to_at, WEATHER_PERIOD_S, last=slow):
            yield self._batch("weather", [station(at)], at, at)
        for at in _ticks(from_at, to_at, NETWORK_PERIOD_S, last=slow):
            yield self._batch("network-readings", self._network.batch(at), at, at)
        for at in _ticks(from_at, to_at, FIX_PERIOD_S, last=True):
            yield self._batch(
                "crew-positions", self._fleet.fixes(at, sorted(self.desk.busy)), at, at
            )
        rooms = _ticks(from_at, to_at, 60, last=False)
        if slow and rooms:
            items = [i for at in rooms for i in self._rooms.batch(at)]
            yield self._batch("room-readings", items, f"{rooms[0]}-{rooms[-1]}", rooms[-1])
        else:
            for at in rooms:
                yield self._batch("room-readings", self._rooms.batch(at), at, at)
        for at in _ticks(from_at, to_at, MENTION_PERIOD_S, last=False):
            said = list(self._demand.mentions(at // 60))
            if said:
                yield self._batch("mentions", said, at, at)
        for at in _ticks(from_at, to_at, ALIVE_PERIOD_S, last=True):
            yield self._alive("sentiment", CADENCE_S["mentions"], at)
            yield self._alive("tickets", CADENCE_S["mentions"], at)
        for at in _ticks(from_at, to_at, BALANCE_PERIOD_S, last=False):
            paid = [i for m in range(at // 60 - 9, at // 60 + 1) for i in self._demand.payments(m)]
            if paid:
                # the last word of an account is the one that counts
                items = list({i["household"]: i for i in paid}.values())
                yield self._batch("account-balances", items, at, at)
            elif not slow:
                yield self._alive("arrears", CADENCE_S["account-balances"], at)

    def _batch(self, kind: str, items: list[Body], name: object, at: float) -> Call:
        key = f"demo-{self._seed}-{kind}-{name}"
        body = {"items": items, "cadence_s": CADENCE_S[kind]}
        return Call("POST", f"/api/batches/{kind}", body, key, at)

    def _alive(self, source: str, cadence_s: int, at: float) -> Call:
        key = f"demo-{self._seed}-alive-{source}-{at}"
        return Call("POST", f"/api/sources/{source}/heartbeat", {"cadence_s": cadence_s}, key, at)


def _ticks(from_at: float, to_at: float, every: int, *, last: bool) -> list[int]:
    """Whole multiples of `every` in (from_at, to_at]; the last one only, or all."""
    first, final = int(from_at // every) + 1, int(to_at // every)
    if final < first:
        return []
    return [final * every] if last else [k * every for k in range(first, final + 1)]
