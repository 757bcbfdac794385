"""Tickets brought to a state by the straight way, for the tests beside this file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import tickets
from dispatch_core.ids import Place, Words, unix
from dispatch_core.tickets import Ticket

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
AT0 = unix(T0)
PLACE = Place(
    building="b1",
    lon=126.6,
    lat=45.7,
    address="道里区 经纬街 3号",
    community="c1",
    district="道里区",
)
ELSEWHERE = Place(
    building="b2", lon=126.7, lat=45.8, address="道里区 和平路 7号", community=None, district=None
)
MINUTE = timedelta(minutes=1)
NOTE = Words(id="w1", digest="d1")


def receive(**changed: Any) -> c.ReceiveRequest:
    given: dict[str, Any] = {
        "ticket": "t1", "kind": "not_warm", "level": "yellow", "level_reason": "as_given",
        "source": "phone", "place": PLACE, "by": "user:1",
    }  # fmt: skip
    return c.ReceiveRequest(**{**given, **changed})


def carry(ticket: Ticket | None, command: Any, now: datetime) -> Ticket:
    for event in tickets.decide(ticket, command, now):
        ticket = tickets.apply(ticket, event, unix(now))
    assert ticket is not None
    return ticket


def dispatch(version: int, crew: str = "k1", **more: Any) -> c.Dispatch:
    return c.Dispatch(version=version, crew=crew, crew_name=f"{crew}班", by="user:1", **more)


def at_state(state: str, level: str = "yellow") -> Ticket:
    """A ticket brought to a state by the straight way, one minute a step."""
    ticket = carry(None, receive(level=level), T0)
    steps = {
        "accepted": lambda v: c.Accept(version=v, by="user:1"),
        "dispatched": dispatch,
        "confirmed": lambda v: c.Confirm(version=v),
        "handling": lambda v: c.Handle(version=v),
        "verifying": lambda v: c.Verify(version=v),
        "closed": lambda v: c.Close(version=v, satisfied=True),
    }
    if state == "cancelled":
        return carry(ticket, c.Cancel(version=1, reason_code="duplicate"), T0 + MINUTE)
    for i, (name, make) in enumerate(steps.items(), 1):
        if ticket.state == state:
            break
        ticket = carry(ticket, make(ticket.version), T0 + i * MINUTE)
        assert ticket.state == name
    return ticket


DAY = 24 * 3600
WORK = e.Work(trade="secondary", minutes=45, parts={"DN80": 1})
LIMITS = c.GasLimits(
    oxygen_min_pct=19.5, oxygen_max_pct=23.5, lel_max_pct=10.0, co_max_ppm=24.0,
    h2s_max_ppm=6.6, valid_s=1800,
)  # fmt: skip
COMMANDS: dict[str, Any] = {
    "accept": lambda v: c.Accept(version=v, by="user:1"),
    "dispatch": lambda v: dispatch(v, "k2", reason_code="nearer_crew"),
    "confirm": lambda v: c.Confirm(version=v),
    "handle": lambda v: c.Handle(version=v),
    "verify": lambda v: c.Verify(version=v),
    "close": lambda v: c.Close(version=v, satisfied=True),
    "cancel": lambda v: c.Cancel(version=v, reason_code="not_ours"),
    "reopen": lambda v: c.Reopen(version=v, reason_code="dissatisfied"),
    "change_level": lambda v: c.ChangeLevel(version=v, level="red", reason_code="danger"),
    "change_kind": lambda v: c.ChangeKind(
        version=v, kind="leak", by="user:1", reason_code="found_on_site"
    ),
    "change_owner": lambda v: c.ChangeOwner(version=v, owner="person:b", by="user:1"),
    "change_place": lambda v: c.ChangePlace(version=v, place=ELSEWHERE, by="user:1"),
    "merge": lambda v: c.Merge(version=v, into="t2", by="user:1"),
    "add_photos": lambda v: c.AddPhotos(version=v, photos=["f1"], by="user:1"),
    "link": lambda v: c.Link(version=v, digest=f"link-{v}", by="user:1"),
    "set_work": lambda v: c.SetWork(version=v, work=WORK, by="user:1"),
    "appoint": lambda v: c.Appoint(
        version=v, from_at=AT0 + 30 * DAY, until_at=AT0 + 30 * DAY + 7200, by="user:1"
    ),
    "permit": lambda v: c.Permit(
        version=v,
        permit="hot_work",
        number="YX-1",
        valid_until=AT0 + 60 * DAY,
        by="user:1",
        limits=LIMITS,
    ),
    "await_parts": lambda v: c.AwaitParts(
        version=v, parts={"DN80": 1}, expected_at=AT0 + DAY, by="user:1"
    ),
    "parts_ready": lambda v: c.PartsReady(version=v, by="user:1"),
    "pin": lambda v: c.Pin(version=v, crew="k1", crew_name="k1班", by="user:1"),
    "unpin": lambda v: c.Unpin(version=v, by="user:1"),
    "displace": lambda v: c.Displace(
        version=v, reason_code="by_hand", by="person:1", made_safe=True
    ),
}
CONTENT = {
    "no_photos", "no_parts_awaited", "not_pinned", "bad_time", "bad_window", "not_appointed",
    "with_other_crew",
}  # fmt: skip
"""Refusals of what a command says, not of the state that it meets."""
AFTER = {
    "accept": "accepted", "dispatch": "dispatched", "confirm": "confirmed", "handle": "handling",
    "verify": "verifying", "close": "closed", "cancel": "cancelled", "reopen": "accepted",
    "merge": "cancelled", "displace": "accepted",
}  # fmt: skip


def prepared(ticket: Ticket, name: str) -> Ticket:
    """The ticket with what the step ends: parts that it waits for, or a lock."""
    before = {"parts_ready": "await_parts", "unpin": "pin"}.get(name)
    if before is None or before not in tickets.POSSIBLE[ticket.state]:
        return ticket
    return carry(ticket, COMMANDS[before](ticket.version), T0 + 9 * MINUTE)


def kinds(events: list[e.Event]) -> list[str]:
    return [e.kind_of(type(event)) for event in events]
