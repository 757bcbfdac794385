"""Handover at eight in the morning and in the evening: drawn up, signed by both shifts."""

from __future__ import annotations

from collections.abc import Iterator

from server.demo.calls import Body, Call
from server.demo.dispatcher import Dispatcher
from server.demo.weather import CITY_OFFSET_S

SHIFT_S = 12 * 3600
FIRST_HOUR = 8
_NOTE = "注意两处停热的恢复时间，待件工单已和库房核对。"


class ShiftChange:
    """The list that one shift hands to the next; its two people take turns."""

    def __init__(self, seed: int, dispatcher: Dispatcher) -> None:
        self._seed, self._dispatcher = seed, dispatcher
        self._next: list[Call] = []

    def acts(self, from_at: float, to_at: float) -> Iterator[Call]:
        """The list drawn up at the change of shifts, and each signature after the other."""
        yield from self._next
        self._next = []
        people = self._dispatcher.people
        number = int((to_at + CITY_OFFSET_S - FIRST_HOUR * 3600) // SHIFT_S)
        began = number * SHIFT_S - CITY_OFFSET_S + FIRST_HOUR * 3600
        if len(people) < 2 or not from_at < began <= to_at:
            return
        leaving = people[number % 2]
        yield self._call("", {"note": _NOTE}, f"{number}", to_at, leaving)

    def answer(self, call: Call, status: int, body: Body) -> None:
        """It was drawn up or signed: the next signature."""
        if status not in {200, 201} or call.by is None:
            return
        people = self._dispatcher.people
        signed = body["signed"]
        side = next((s for s in ("leaving", "coming") if not signed.get(s)), None)
        if side is None:
            return
        drew = call.by if side == "leaving" else next(p for p in people if p != call.by)
        said: Body = {"version": body["version"], "side": side}
        self._next.append(
            self._call(f"/{body['id']}/sign", said, f"{body['id']}-{side}", call.at, drew)
        )

    def _call(self, path: str, body: Body, name: str, at: float, by: str) -> Call:
        key = f"demo-{self._seed}-handover-{name}"
        return Call("POST", f"/api/handovers{path}", body, key, at, None, "handover", by=by)
