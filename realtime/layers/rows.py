"""The rows a screen may receive, one struct per topic:
the whole vocabulary of the wire, without a field for a resident.

Times are Unix seconds of the business clock unless the name says otherwise; coordinates are WGS-84
degrees. The TypeScript types and the AsyncAPI document are generated from this file and
dispatch_core.events.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events import Choice, PlannedVisit, Span
from dispatch_core.ids import (
    Clock,
    EvidenceNeed,
    EvidenceVerdict,
    Level,
    RuleCode,
    Slot,
    Support,
    TicketState,
)


class TicketRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `tickets`, key = ticket id: one open ticket, at its building and no closer."""

    kind: str
    level: Level
    state: TicketState
    lon: float
    lat: float
    address: str
    building: str | None
    community: str | None
    district: str | None
    source: str
    received_at: int
    due_at: int | None
    """The earliest running clock's deadline; None when no clock runs."""
    due_clock: Clock | None
    near: bool
    """A clock is within 15 minutes of its deadline (node warning committed)."""
    overdue: bool
    overdue_since: int | None
    lost_contact: bool
    crew: str | None
    crew_name: str | None
    crew_confirmed: bool
    outage: str | None
    reports: int
    """How many calls or complaints this ticket stands for, 1 or more."""
    located: bool = True
    """Its coordinate is where it is; else it only stands for a street, an area or the city, and is
    no spot on a map."""
    with_crew: str | None = None
    """The second crew of a job that needs two."""
    pinned: str | None = None
    """The crew that a person locked it to."""
    pinned_at: int | None = None
    appointed_from: int | None = None
    appointed_until: int | None = None
    parts_expected_at: int | None = None
    """It waits for parts until then."""
    escalated: bool = False
    """The duty manager was told, since it was taken in or reopened."""
    unproposed_since: int | None = None
    """A red ticket that no crew can be proposed for."""
    displaced_by: str | None = None
    """The ticket that took its crew; None once it has one again."""
    auto: bool = False
    """The policy gave it to its crew; no person did."""


class CrewRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `crews`, key = crew id: what a crew is doing.
    Where it is stands in topic `positions`."""

    name: str
    trades: list[str]
    members: int
    vehicle: str
    state: Literal["off", "free", "dispatched", "en_route", "on_site"]
    ticket: str | None
    position_lost: bool
    position_lost_since: int | None
    shift_ends_at: int | None
    certificates: list[str] = []
    skill: int = 3
    stopped: bool = False
    """It can take no work for now: breakdown, accident, somebody ill."""
    stopped_until: int | None = None
    tickets: list[str] = []
    """All tickets in hand, in order of assignment."""


class CrewDayRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `plan`, key = crew id: the crew's day as the plan has it."""

    plan: int
    visits: list[PlannedVisit]
    breaks: list[Span]


class RoundRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `rounds`, key = crew id: what of a crew's day is new; its phone asks for the day again
    whenever this row changes."""

    stamp: int
    starts: dict[str, int]
    """Ticket id -> start by the plan."""


class ProposalRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `proposals`, key = ticket id: the best crews for a ticket that waits for one."""

    plan: int
    ticket_version: int
    decision: str
    made_at: int
    choices: list[Choice]
    """Best first, three at most; empty: nobody can."""
    left_out: dict[RuleCode, int]
    """Rule -> crews that it left out."""
    travel: str
    waits_for: str | None
    policy: str


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `evidence`, key = ticket id: how the evidence of an open ticket stands."""

    verdict: EvidenceVerdict
    slots: dict[Slot, Literal["owed", "again", "pending", "accept", "review", "block"]]
    needs_person: EvidenceNeed | None
    """Why a person must look at it: a photo was blocked, or something is in doubt."""
    unjudged: bool
    """The checks could not judge one of the photos."""
    level: Level
    address: str
    since: int | None
    """Since when it waits for a person."""
    asks: Support | None = None
    """What the crew on site asks the desk for."""
    asks_since: int | None = None
    unanswered: int = 0
    """So often nobody opened."""
    to_desk: bool = False
    """So often that the desk has to reach the resident before a crew goes again."""


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `positions`, key = crew id: the latest accepted fix."""

    lon: float
    lat: float
    accuracy_m: float
    heading_deg: float | None
    speed_mps: float | None
    fixed_at: int


class RoomRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `rooms`, key = room-temperature point (a sensor number):
    one active alarm, placed at its building."""

    celsius: float
    bound_c: float
    since: int
    read_at: int
    lon: float
    lat: float
    address: str
    building: str
    community: str | None
    substation: str | None
    substation_name: str | None
    substation_lon: float | None
    substation_lat: float | None


class ArrearsRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `arrears`, key = `size:x:y`: one published cell of the projected grid;
    a banded rate, never a sum."""

    size_m: Literal[100, 200, 400, 800]
    west: float
    south: float
    east: float
    north: float
    band: Literal[1, 2, 3, 4, 5]
    """Share of households in arrears: 1 <10 %, 2 <15 %, 3 <20 %, 4 <30 %, 5 >=30 %."""
    published_at: int


class SentimentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `sentiment`, key = community id: mentions of the last three hours."""

    name: str
    lon: float
    lat: float
    radius_m: float
    mentions: int
    negative: int
    mean_value: float
    top_topic: str
    """Code of the commonest topic of the negative mentions, e.g. not_warm, billing, leak, attitude,
    other."""
    spike: bool
    spike_since: int | None


class OutageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `outages`, key = outage id: heat shut off at a node of the heat tree."""

    name: str
    node_kind: Literal["plant", "substation", "building"]
    lon: float
    lat: float
    buildings: int
    households: int
    cause: str
    opened_at: int
    expected_end_at: int


class NetworkRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `network`, key = plant or substation id: its latest reading against its bound."""

    name: str
    node_kind: Literal["plant", "substation"]
    lon: float
    lat: float
    supply_c: float | None
    return_c: float | None
    supply_low_c: float
    """Below this the supply counts as low."""
    low: bool
    read_at: int | None


class HourCount(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one local hour against the same hour's usual range."""

    hour_at: int
    count: int | None
    """None for an hour that has not begun."""
    usual_low: int | None
    usual: int | None
    usual_high: int | None


class WeatherFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="weather"):
    """Topic `figures`, key `weather`."""

    outdoor_c: float
    feels_c: float | None
    wind_mps: float | None
    wind_from_deg: float | None
    observed_at: int


class RequestsFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="requests"):
    """Topic `figures`, key `requests`:
    the current local hour so far, pro-rated usual, and 24 hours around it."""

    this_hour: int
    per_hour: int
    """Requests in the last 60 minutes."""
    usual_per_hour: int | None
    hours: list[HourCount]


class ClosingFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="closing"):
    """Topic `figures`, key `closing`:
    tickets whose 24 h ran out in the last 7 days and how many of them are closed."""

    due: int
    closed: int
    closed_today: int
    received_today: int
    target_pct: float


class RoomsFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="rooms"):
    """Topic `figures`, key `rooms`: how many points there are, report and stand below the bound."""

    points: int
    online: int
    below: int
    new_10min: int
    bound_c: float
    flood_limit_10min: int


class SupplyFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="supply"):
    """Topic `figures`, key `supply`: supply temperature over the substations that report."""

    median_c: float | None
    lowest_c: float | None
    lowest_name: str | None
    reporting: int
    substations: int
    low: int


class PlanFigure(msgspec.Struct, frozen=True, kw_only=True, tag_field="figure", tag="plan"):
    """Topic `figures`, key `plan`: how good the crews' plan is."""

    plan: int
    made_at: int
    visits: int
    unplanned: int
    late: int
    changed: int
    """Tickets that changed crew in the last round, and how many may at most."""
    cap: int
    travel: str
    travel_because: str | None
    lost_since: int | None = None
    """Since when the making of plans breaks off: this is the last one that was made."""


FigureRow = WeatherFigure | RequestsFigure | ClosingFigure | RoomsFigure | SupplyFigure | PlanFigure


class HappeningRow(msgspec.Struct, frozen=True, kw_only=True):
    """Topic `happenings`, key = slot 00..63 of a ring, ordered by row version:
    one line of what just happened."""

    what: Literal[
        "ticket_received",
        "ticket_accepted",
        "ticket_dispatched",
        "ticket_confirmed",
        "ticket_handling",
        "ticket_verifying",
        "ticket_closed",
        "ticket_cancelled",
        "ticket_reopened",
        "ticket_level_changed",
        "deadline_near",
        "deadline_passed",
        "lost_contact",
        "position_lost",
        "position_regained",
        "outage_opened",
        "outage_ended",
        "spike_started",
        "spike_ended",
        "ticket_displaced",
        "ticket_escalated",
        "ticket_unproposed",
        "crew_stopped",
        "crew_back",
    ]
    at: int
    stream: str
    """The journal stream this line comes from, e.g. `ticket:260114-000123`:
    one click leads to its records."""
    level: Level | None
    kind: str | None
    place: str
    crew_name: str | None
    minutes: int | None
    """What it took (closed), what is left (near) or by how much it is late (passed)."""


Row = (
    TicketRow | CrewRow | PositionRow | RoomRow | ArrearsRow | SentimentRow | OutageRow | NetworkRow
    | WeatherFigure | RequestsFigure | ClosingFigure | RoomsFigure | SupplyFigure | HappeningRow
    | CrewDayRow | ProposalRow | PlanFigure | RoundRow | EvidenceRow
)  # fmt: skip

TOPICS: dict[str, tuple[type, ...]] = {
    "tickets": (TicketRow,),
    "crews": (CrewRow,),
    "positions": (PositionRow,),
    "rooms": (RoomRow,),
    "arrears": (ArrearsRow,),
    "sentiment": (SentimentRow,),
    "outages": (OutageRow,),
    "network": (NetworkRow,),
    "figures": (
        WeatherFigure,
        RequestsFigure,
        ClosingFigure,
        RoomsFigure,
        SupplyFigure,
        PlanFigure,
    ),
    "happenings": (HappeningRow,),
    "plan": (CrewDayRow,),
    "proposals": (ProposalRow,),
    "rounds": (RoundRow,),
    "evidence": (EvidenceRow,),
}
