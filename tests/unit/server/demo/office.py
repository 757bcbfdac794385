"""An API in memory for the simulator's tests: the real core decides its tickets."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from dispatch_core import commands, tickets
from dispatch_core.errors import Refused
from dispatch_core.ids import Place

STEPS = {
    "accept": commands.Accept, "dispatch": commands.Dispatch, "confirm": commands.Confirm,
    "handle": commands.Handle, "verify": commands.Verify, "close": commands.Close,
    "cancel": commands.Cancel, "reopen": commands.Reopen,
}  # fmt: skip


class Office:
    def __init__(self, register):
        self.buildings = {b.id: b for b in register.buildings}
        self.nodes = {n.id: n for n in register.nodes}
        self.nodes = {n.id: n for n in register.nodes}
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

    def watch(self, at):
        now = datetime.fromtimestamp(at, UTC)
        for id_, t in self.tickets.items():
            if t.state not in {"closed", "cancelled"}:
                for e in tickets.watch(t, now):
                    self.tickets[id_] = tickets.apply(self.tickets[id_], e, int(at))

    def handle(self, call, at=None):
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
        id_ = f"T{len(self.tickets) + 1:06d}" if parts == ["requests"] else parts[1]
        try:
            command = (
                self._received(call.body, id_)
                if parts == ["requests"]
                else self._step(parts[2], call.body)
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
        if "building" in body:
            b = self.buildings[body["building"]]
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
            ticket=id_, kind=body["kind"], level=body["level"], level_reason="source",
            source=body["source"],
            place=place, by="seat", reports=body.get("reports", 1), accepted=body["accepted"],
        )  # fmt: skip

    def _step(self, name, body):
        body = dict(body)
        if name == "accept":
            body["by"] = "seat"
        if name == "dispatch":
            body |= {"crew_name": self.crews[body["crew"]].name, "by": "dispatcher"}
        return STEPS[name](**body)
