"""Counting the facts of 24 hours into the figures of a morning report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dispatch_core import events as e
from dispatch_core.events import Event
from dispatch_core.ids import CrewId, unix

COUNTED: dict[type, str] = {
    e.TicketReceived: "received_n",
    e.TicketRepeated: "repeat_calls_n",
    e.TicketDispatched: "dispatched_n",
    e.TicketClosed: "closed_n",
    e.TicketCancelled: "cancelled_n",
    e.TicketReopened: "reopened_n",
    e.LostContact: "lost_contact_n",
    e.TicketDisplaced: "displaced_n",
    e.TicketEscalated: "escalated_n",
    e.TicketUnproposed: "without_proposal_n",
    e.TicketPartsLate: "parts_late_n",
    e.OutageOpened: "outages_opened_n",
    e.OutageEnded: "outages_ended_n",
    e.PositionLost: "position_lost_n",
    e.CrewStopped: "crews_stopped_n",
    e.SpikeStarted: "spikes_n",
    e.RoomAlarmRaised: "rooms_turned_cold_n",
    e.RoomAlarmCleared: "rooms_warm_again_n",
    e.CaseReceived: "cases_received_n",
    e.CaseClosed: "cases_closed_n",
    e.CasePassed: "cases_overdue_n",
}
"""Events that count as one each, and the figure they count in."""
_PASSED = {
    "first_contact": "first_contact_late_n",
    "respond": "respond_late_n",
    "on_site": "on_site_late_n",
    "solved": "solved_late_n",
}
ALL_COUNTED: tuple[type, ...] = (
    *COUNTED, e.TicketVerifying, e.TicketConfirmed, e.TicketHandling, e.DeadlinePassed,
)  # fmt: skip
"""Everything that a report counts, in figures or crew by crew."""
_ALSO: dict[type, tuple[str, ...]] = {
    e.TicketReceived: (
        "received_red_n", "received_yellow_n", "received_blue_n", "repeat_repairs_n",
    ),
    e.DeadlinePassed: tuple(_PASSED.values()),
    e.TicketDispatched: ("auto_confirmed_n", "by_hand_n", "first_choice_n", "overridden_n"),
    e.TicketClosed: ("called_back_n", "satisfied_n", "nobody_reached_n"),
    e.TicketReopened: ("called_back_n", "dissatisfied_n"),
}  # fmt: skip
"""Events that count by what they say, and the figures they may count in."""
_ALWAYS = (
    *COUNTED.values(), *_PASSED.values(), "received_red_n", "received_yellow_n", "received_blue_n",
    "repeat_repairs_n", "dissatisfied_n", "called_back_n", "satisfied_n", "nobody_reached_n",
    "first_choice_n", "overridden_n", "auto_confirmed_n", "by_hand_n", "households_cut_off_n",
)  # fmt: skip


def counted_in(figure: str) -> list[type]:
    """Which facts a figure counts one by one; none for a median, a rate or an unknown name."""
    return [
        kind for kind in ALL_COUNTED if COUNTED.get(kind) == figure or figure in _ALSO.get(kind, ())
    ]


class Tally:
    """Counts facts in order of time, and keeps which streams stand behind each figure."""

    def __init__(self) -> None:
        self.behind: dict[str, list[str]] = defaultdict(list)
        self._numbers: dict[str, int] = defaultdict(int)
        self._spans: dict[str, list[int]] = defaultdict(list)
        self._crews: dict[CrewId, dict[str, Any]] = {}

    def take(self, stream: str, event: Event, at: int, received_at: int | None) -> None:
        """One fact; `received_at` is when its ticket was taken in, where it is one's."""
        name = COUNTED.get(type(event))
        if name and not (isinstance(event, e.TicketUnproposed) and event.again):
            self._count(name, stream)
        waited = None if received_at is None else at - received_at
        match event:
            case e.TicketReceived():
                self._count(f"received_{event.ticket.level}_n", stream)
                if any(r.startswith("history:") for r in event.reasons):
                    self._count("repeat_repairs_n", stream)
            case e.DeadlinePassed():
                self._count(_PASSED[event.clock], stream)
            case e.TicketDispatched():
                self._dispatched(stream, event)
            case e.TicketConfirmed():
                self._span("respond_min", waited)
                self._crew(event.crew, event.crew_name)["confirmed"] += 1
            case e.TicketHandling():
                self._span("on_site_min", waited)
                self._crew(event.crew, event.crew_name)["on_site"] += 1
            case e.TicketVerifying():
                self._crew(event.crew, event.crew_name)["finished"] += 1
            case e.TicketClosed():
                self._span("solved_min", event.took_s)
                self._called_back(stream, satisfied=event.satisfied)
            case e.TicketReopened(reason_code="dissatisfied"):
                self._count("dissatisfied_n", stream)
                self._count("called_back_n", stream)
            case e.OutageOpened():
                self._numbers["households_cut_off_n"] += event.households
            case _:
                pass

    def _dispatched(self, stream: str, event: e.TicketDispatched) -> None:
        self._crew(event.crew, event.crew_name)["dispatched"] += 1
        if event.auto:
            self._count("auto_confirmed_n", stream)
        elif event.decision is None:
            self._count("by_hand_n", stream)
        elif event.rank == 1:
            self._count("first_choice_n", stream)
        else:
            self._count("overridden_n", stream)

    def _called_back(self, stream: str, *, satisfied: bool | None) -> None:
        if satisfied is None:
            self._count("nobody_reached_n", stream)
            return
        self._count("called_back_n", stream)
        self._count("satisfied_n", stream)

    def _count(self, name: str, stream: str) -> None:
        self._numbers[name] += 1
        self.behind[name].append(stream)

    def _span(self, name: str, seconds: int | None) -> None:
        if seconds is not None:
            self._spans[name].append(max(0, seconds))

    def _crew(self, crew: CrewId, name: str) -> dict[str, Any]:
        blank = {"crew": crew, "dispatched": 0, "confirmed": 0, "on_site": 0, "finished": 0}
        found = self._crews.setdefault(crew, blank)
        found["name"] = name
        return found

    def figures(self) -> dict[str, float | int | None]:
        """Every figure; a median over nothing is None."""
        medians = {
            f"median_{name}": None if not spans else round(_median(spans) / 60, 1)
            for name in ("respond_min", "on_site_min", "solved_min")
            for spans in (self._spans.get(name, []),)
        }
        return {**dict.fromkeys(_ALWAYS, 0), **self._numbers, **medians}

    def by_crew(self) -> list[dict[str, int | str]]:
        """What each crew did, by id."""
        return [self._crews[crew] for crew in sorted(self._crews)]


def _median(values: Sequence[int]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def frozen(
    span: tuple[datetime, datetime],
    tally: Tally,
    more: dict[str, float | int | None],
    reds: list[e.HandedTicket],
) -> e.ReportFrozen:
    """The fact that freezes 24 hours; `more` are figures that no fact counts."""
    return e.ReportFrozen(
        from_at=unix(span[0]),
        until_at=unix(span[1]),
        figures={**tally.figures(), **more},
        by_crew=tally.by_crew(),
        reds=reds,
    )
