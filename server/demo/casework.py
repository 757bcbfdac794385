"""The demo's people on external cases: signed for, the citizen spoken to, replied, closed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.weather import local

MINUTE, HOUR = 60.0, 3600.0
PATIENCE_S = 600.0
SLOW = 0.14
"""Of cases are signed for just before their clock runs out."""
RETURNED = 0.16
LONGEST_S = 20 * HOUR
"""After so long a case is replied to, even if its ticket is open still."""
_REPLIES = (
    "已派班组上门处理，室温恢复至 20 ℃，用户认可。",
    "经现场排气，暖气片已全部热起来，已电话回访。",
    "漏点已更换阀门，恢复供热，感谢监督。",
)
_SHORT = ("回复未说明处理结果，请重新办理。", "市民反映问题仍未解决，退回重办。")


@dataclass(slots=True)
class Case:
    """A case as the demo last saw it."""

    id: str
    version: int
    state: str
    ticket: str
    since: float
    received: float
    sign_for: float
    returned: int
    not_before: float = 0.0
    waiting: bool = False


class Casework:
    """Every open case and the next step on it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.cases: dict[str, Case] = {}

    def see(self, case: Body, at: float) -> None:
        """Take a case as the API shows it; a closed one is forgotten."""
        known = self.cases.get(case["id"])
        if case["state"] == "closed":
            self.cases.pop(case["id"], None)
            return
        since = known.since if known and known.state == case["state"] else at
        if known is None and case["state"] == "received":
            since = float(case["received_at"])
        self.cases[case["id"]] = Case(
            id=case["id"], version=case["version"], state=case["state"], ticket=case["ticket"],
            since=since, received=float(case["received_at"]),
            sign_for=float(case["clocks"]["sign_for"]), returned=case["returned"],
        )  # fmt: skip

    def refused(self, call: Call) -> None:
        """It cannot be now, or somebody was faster: look at it again later."""
        case = self.cases.get(call.path.split("/")[3])
        if case is not None:
            case.waiting, case.not_before = False, call.at + PATIENCE_S

    def acts(self, to_at: float, open_tickets: Collection[str]) -> Iterator[Call]:
        """The steps whose time has come by `to_at`; a refused one looks at its case first."""
        for case in list(self.cases.values()):
            if case.waiting or case.not_before > to_at:
                continue
            if case.not_before:
                case.waiting = True
                yield Call("GET", f"/api/cases/{case.id}", None, "", to_at, None, "case_read")
                continue
            step = self._next(case, to_at, open_tickets)
            if step is not None:
                case.waiting = True
                name, more = step
                key = f"demo-{self._seed}-case-{case.id}-{name}-{case.version}"
                body: Body = {"version": case.version, **more}
                path = f"/api/cases/{case.id}/{name}"
                yield Call("POST", path, body, key, to_at, None, "case_step")

    def _next(
        self, case: Case, at: float, open_tickets: Collection[str]
    ) -> tuple[str, Body] | None:
        name = (self._seed, case.id, case.state, case.returned)
        waited = at - case.since
        match case.state:
            case "received" | "returned":
                slow = chance.unit(*name, "slow") < SLOW or _at_night(case.received)
                wait = chance.skewed(16, 0.7, *name) * MINUTE
                late = case.sign_for - chance.between(2, 7, *name, "late") * MINUTE
                due = late if slow else min(case.since + wait, case.sign_for - 20 * MINUTE)
                return ("sign", {}) if at >= due else None
            case "signed":
                return ("contact", {}) if waited > chance.skewed(35, 0.6, *name) * MINUTE else None
            case "contacted":
                solved = case.ticket not in open_tickets and waited > 20 * MINUTE
                if not solved and at - case.received < LONGEST_S:
                    return None
                words = chance.pick(_REPLIES, *name)
                return "reply", {"words": words, "satisfied": chance.unit(*name, "glad") < 0.85}
            case "replied" if waited > chance.between(1, 5, *name) * HOUR:
                if not case.returned and chance.unit(*name, "back") < RETURNED:
                    return "return", {"reason": chance.pick(_SHORT, *name)}
                return "close", {"satisfied": True}
            case _:
                return None


def _at_night(received: float) -> bool:
    """In the last hours of the night shift cases wait for the morning's seats."""
    return 5 <= local(received)[1] < 5.5
