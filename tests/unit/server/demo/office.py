"""An API in memory for the simulator's tests: the real core decides its tickets."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from dispatch_core import commands, requests, tickets
from dispatch_core.errors import Refused
from dispatch_core.ids import Place
from server.adapters.policies import SHIPPED, read_policy

POLICY = read_policy(SHIPPED / "harbin" / "default.toml", "2025-2026", "Asia/Shanghai")

STEPS = {
    "accept": commands.Accept, "dispatch": commands.Dispatch, "confirm": commands.Confirm,
    "handle": commands.Handle, "verify": commands.Verify, "close": commands.Close,
    "cancel": commands.Cancel, "reopen": commands.Reopen,
}  # fmt: skip


class Office:
    def __init__(self, register):
        self.buildings = {b.id: b for b in register.buildings}
        self.nodes = {n.id: n for n in register.nodes}
        self.homes = {h.id: h for h in register.households}
        self.callers, self.cases, self.stops, self.attached = {}, {}, [], 0
        self.register_calls = []
        self.crews = {c.id: c for c in register.crews}
        self.tickets, self.answers, self.outages = {}, {}, {}
        self.items, self.refused = Counter(), []
        self.readings = {}
        self.network = {}

    def show(self, id_):
        t = self.tickets[id_]
        return {
            "id": id_, "version": t.version, "state": t.state, "level": t.level, "kind": t.kind,
            "lon": t.place.lon, "lat": t.place.lat, "address": t.place.address,
            "building": t.place.building, "crew": t.crew, "received_at": t.received_at,
        }  # fmt: skip

    def open(self):
        return [
            self.show(i) for i, t in self.tickets.items() if t.state not in {"closed", "cancelled"}
        ]

    def open_cases(self):
        return [c for c in self.cases.values() if c["state"] != "closed"]

    def watch(self, at):
        now = datetime.fromtimestamp(at, UTC)
        for id_, t in self.tickets.items():
            if t.state not in {"closed", "cancelled"}:
                for e in tickets.watch(t, now):
                    self.tickets[id_] = tickets.apply(self.tickets[id_], e, int(at))

    def handle(self, call, at=None):
        if call.method == "GET" and call.step in {"visits", "completed"}:
            return 200, {"items": []}
        if call.method == "GET" and call.step == "case_read":
            return 200, {"case": self.cases[call.path.split("/")[-1]]}
        if call.method == "GET":
            id_ = call.path.split("/")[-1]
            return (200, {"ticket": self.show(id_)}) if id_ in self.tickets else (404, {})
        if call.key in self.answers:
            return self.answers[call.key]
        answer = self._post(call, datetime.fromtimestamp(at or call.at, UTC))
        if answer[0] < 300:
            self.answers[call.key] = answer
        return answer

    def _post(self, call, now):
        parts = call.path.strip("/").split("/")[1:]
        at = int(now.timestamp())
        if parts[0] == "batches":
            self.items[parts[1]] += len(call.body["items"])
            if parts[1] == "room-readings":
                self.readings.update({i["point"]: i for i in call.body["items"]})
            if parts[1] == "network-readings":
                self.network.update({i["node"]: i for i in call.body["items"]})
            return 200, {"accepted": len(call.body["items"]), "refused": []}
        if parts[0] == "outages":
            if parts[-1] == "end":
                self.outages.pop(parts[1])
                return 200, {"id": parts[1], "version": 2}
            id_ = f"O{len(self.answers)}"
            self.outages[id_] = call.body
            return 201, {"id": id_, "version": 1, "node": call.body["node"]}
        if parts[0] == "sources":
            return 200, {}
        if parts[0] == "suspensions":
            self.stops.append(call.body)
            return 201, {}
        if parts[0] in {"crews", "stores"}:
            self.register_calls.append((call.path, call.body))
            return 200, {}
        if parts[0] == "cases":
            return self._case(parts, call.body, now)
        return self._ticket(parts, call, now, at)

    def _case(self, parts, body, now):
        if len(parts) == 3:
            case = self.cases[parts[1]]
            assert body["version"] == case["version"]
            state = {"sign": "signed", "contact": "contacted", "reply": "replied",
                     "return": "returned", "close": "closed"}[parts[2]]  # fmt: skip
            case |= {"version": case["version"] + 1, "state": state}
            case["returned"] += state == "returned"
            return 200, dict(case)
        id_ = f"{body['origin']}-{body['number']}"
        assert id_ not in self.cases
        body = {"source": body["origin"], **body}
        ticket = self._ticket(["requests"], body, now, int(now.timestamp()))[1]
        self.cases[id_] = {
            "id": id_, "version": 1, "state": "received", "ticket": ticket["id"], "returned": 0,
            "received_at": body["received_at"], "clocks": {"sign_for": body["received_at"] + 7200},
        }  # fmt: skip
        return 201, {"case": dict(self.cases[id_]), "ticket": ticket}

    def _ticket(self, parts, call, now, at):
        asked = call if isinstance(call, dict) else call.body
        known = self.callers.get((asked.get("caller") or {}).get("phone"))
        if parts == ["requests"] and known in {t["id"] for t in self.open()}:
            self.attached += 1
            return 200, self.show(known)
        id_ = f"T{len(self.tickets) + 1:06d}" if parts == ["requests"] else parts[1]
        if parts == ["requests"] and asked.get("caller"):
            self.callers[asked["caller"]["phone"]] = id_
        try:
            command = (
                self._received(asked, id_) if parts == ["requests"] else self._step(parts[2], asked)
            )
            ticket = self.tickets.get(id_)
            for e in tickets.decide(ticket, command, now):
                ticket = tickets.apply(ticket, e, at)
        except Refused as refused:
            self.refused.append((call, refused.code))
            return 409, {"code": refused.code}
        self.tickets[id_] = ticket
        return (201 if parts == ["requests"] else 200), self.show(id_)

    def _received(self, body, id_):
        heard = requests.propose(body["words"], POLICY.requests, body.get("kind"))
        if "node" not in body:
            home = self.homes.get(body.get("household"))
            building = body.get("building") or (home.building if home else None)
            b = self.buildings[building or next(iter(self.buildings))]
            place = Place(
                building=b.id,
                lon=b.lon,
                lat=b.lat,
                address=b.address,
                community=b.community,
                district=b.district,
            )
        else:
            node = self.nodes[body["node"]]
            place = Place(
                building=None,
                lon=node.lon,
                lat=node.lat,
                address=node.name,
                community=None,
                district=None,
            )
        return commands.ReceiveRequest(
            ticket=id_, kind=heard.kind, level=body.get("level", heard.level),
            level_reason="as_given", green_channel=False, reasons=[], photos=[],
            source=body["source"],
            place=place, by="seat", reports=body.get("reports", 1),
            accepted=body.get("accepted", False),
        )  # fmt: skip

    def _step(self, name, body):
        body = dict(body)
        if name == "accept":
            body["by"] = "seat"
        if name == "dispatch":
            body |= {"crew_name": self.crews[body["crew"]].name, "by": "dispatcher"}
        return STEPS[name](**body)
