"""A small town for dispatch: crews and tickets with sensible defaults, and random ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from dispatch_core.dispatch import InHand, Inputs, Policy, Spot, Task, Team
from dispatch_core.events import Work
from geo.travel import TravelModel, TravelTable

AT = 1_768_356_000  # Wednesday 14 January 2026, 10:00 at UTC+8
OFFSET = 28_800
HOUR = 3_600
_FILE = Path(__file__).parents[3] / "server/policies/default/default.toml"


class _File(msgspec.Struct):
    dispatch: Policy


POLICY = msgspec.toml.decode(_FILE.read_bytes(), type=_File).dispatch
MODEL = TravelModel(utc_offset_s=OFFSET)
NO_TABLE = TravelTable(model=MODEL, at=AT, source="great_circle", origins=b"", destinations=b"")


def changed(policy: Policy, **parts: dict[str, Any] | Any) -> Policy:
    """A policy with other figures: `rules={"in_hand_max": 2}`, or a whole field."""
    replace = msgspec.structs.replace
    return replace(
        policy,
        **{
            name: replace(getattr(policy, name), **value) if isinstance(value, dict) else value
            for name, value in parts.items()
        },
    )


def spot(x: int, y: int) -> Spot:
    """A place so many metres, about, east and north of the middle of the town."""
    return Spot(126_600_000 + x * 14, 45_750_000 + y * 9)


def team(name: str = "C1", at: tuple[int, int] = (0, 0), **more: Any) -> Team:
    """A crew on duty until 18:00 that can do indoor work."""
    data: dict[str, Any] = {
        "crew": name, "name": f"{name}班", "version": 3, "trades": ["indoor"], "on_duty": True,
        "shift": "06:00-18:00", "shift_ends_at": AT + 8 * HOUR, "place": spot(*at),
        "base": spot(*at), "fix_age_s": 20, "members": 3,
    }  # fmt: skip
    return Team(**data | more)


def task(name: str = "T1", at: tuple[int, int] | None = (500, 0), **more: Any) -> Task:
    """A blue ticket that waits for a crew: half an hour indoors."""
    level = more.get("level", "blue")
    limit = {"red": 1_800, "yellow": 2 * HOUR, "blue": 24 * HOUR}[level]
    data: dict[str, Any] = {
        "ticket": name, "version": 2, "kind": "not_warm", "level": "blue", "state": "accepted",
        "address": f"{name} 号楼", "received_at": AT - 60, "due_at": AT - 60 + limit,
        "work": Work(trade="indoor"), "place": None if at is None else spot(*at),
    }  # fmt: skip
    return Task(**data | more)


def inputs(teams: list[Team], tasks: list[Task], **more: Any) -> Inputs:
    """One moment of the town, at 10:00 on a working day."""
    data: dict[str, Any] = {
        "at": AT, "utc_offset_s": OFFSET, "policy": POLICY, "policy_version": "test@1",
        "position_discount_s": 300, "position_exclude_s": 1_800, "travel": NO_TABLE,
        "teams": sorted(teams, key=lambda t: t.crew),
        "tasks": sorted(tasks, key=lambda t: t.ticket),
    }  # fmt: skip
    return Inputs(**data | more)


def given(
    crew: Team, ticket: Task, stage: Any = "dispatched", since: int = -60
) -> tuple[Team, Task]:
    """A crew and a ticket after it was given to it."""
    states = {"dispatched": "dispatched", "confirmed": "confirmed", "en_route": "confirmed",
              "on_site": "handling"}  # fmt: skip
    hand = InHand(ticket=ticket.ticket, stage=stage, since_at=AT + since)
    place = ticket.place if stage == "on_site" else crew.place
    return (
        msgspec.structs.replace(crew, in_hand=[*crew.in_hand, hand], place=place),
        msgspec.structs.replace(ticket, crew=crew.crew, state=states[stage]),
    )
