"""Whether what dispatch says keeps the hard rules, judged from the answers of the API alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

RANK = {"red": 0, "yellow": 1, "blue": 2}
EIGHT_HOURS = timedelta(hours=8)
"""The city's clock is so much ahead."""


def clock(at: int) -> str:
    """HH:MM by the city's clock."""
    return f"{datetime.fromtimestamp(at, UTC) + EIGHT_HOURS:%H:%M}"


def check_register(ticket: Any, crew: Any, rules: Any, now: int) -> None:
    """The crew may do this work at all: trade, owner, papers, skill, van, district, lock."""
    work, why = ticket["work"], (ticket["id"], crew["id"])
    if work["owner"] != "company":
        assert ticket["level"] == "red", why
        assert rules["others_when_red"], why
    assert work["trade"] in crew["trades"], why
    assert set(work["certificates"]) <= set(crew["certificates"]), why
    assert work["skill"] <= crew["skill"], why
    assert set(work["vehicle"]) <= set(crew["equipment"]), why
    held = {p["permit"]: p for p in ticket["permits"] if p["valid_until"] > now}
    for permit in work["permits"]:
        assert permit in held or rules["permit_before"][ticket["level"]] == "work", why
    if "confined_space" in work["permits"]:
        guard = held.get("confined_space", {}).get("guard")
        assert guard or crew["members"] >= rules["guard_members"], why
    by_night = clock(now) >= rules["night_from"] or clock(now) < rules["night_until"]
    if crew["territory"] and ticket["district"] and not by_night:
        assert ticket["district"] in crew["territory"], why
    if ticket["pinned"] and crew["id"] != ticket["with_crew"]:
        assert crew["id"] == ticket["pinned"]["crew"] or work["crews"] == 2, why


def check_times(ticket: Any, start_at: int, end_at: int, rules: Any) -> None:
    """A home is entered by day or as agreed, and what was agreed is kept."""
    window = ticket["appointed"]
    if window is not None:
        if ticket["level"] != "red":
            assert window["from_at"] <= start_at <= window["until_at"], ticket["id"]
    elif ticket["work"]["home_visit"] and ticket["level"] != "red":
        assert rules["home_from"] <= clock(start_at), ticket["id"]
        assert clock(end_at) <= rules["home_until"], ticket["id"]


def check_choice(
    choice: Any, ticket: Any, crews: dict[str, Any], tickets: dict[str, Any], policy: Any, now: int
) -> None:
    """A proposed crew keeps every rule, and only what may give way would."""
    rules = policy["rules"]
    named = [choice["crew"]] + ([choice["with_crew"]] if choice["with_crew"] else [])
    assert len(set(named)) == len(named) >= ticket["work"]["crews"]
    assert choice["total"] == sum(choice["score"].values())
    assert choice["arrive_at"] <= choice["start_at"] < choice["end_at"]
    check_times(ticket, choice["start_at"], choice["end_at"], rules)
    for name in named:
        crew = crews[name]
        check_register(ticket, crew, rules, now)
        assert crew["stopped"] is None, (ticket["id"], name)
        assert crew["state"] not in {"off", "position_lost"}, (ticket["id"], name)
        assert len(crew["tickets"]) < rules["in_hand_max"], (ticket["id"], name)
        beyond = rules["red_beyond_shift_s"] if ticket["level"] == "red" else 0
        assert choice["end_at"] <= crew["shift_ends_at"] + beyond, (ticket["id"], name)
    gone = choice["displaced"]
    assert len(gone) <= policy["displacing"]["most"]
    assert not gone or ticket["level"] == "red"
    for one in gone:
        other = tickets[one["ticket"]]
        assert RANK[other["level"]] > RANK[ticket["level"]]
        assert other["level"] in policy["displacing"]["levels"]
        assert other["state"] in {"accepted", "dispatched", "confirmed"}


def check_plan(plan: Any, crews: dict[str, Any], tickets: dict[str, Any], policy: Any) -> None:
    """A plan that was made after everything it speaks of: nothing is lost, nothing is where it may
    not be, two crews begin together, and no more has changed than may."""
    where: dict[str, list[tuple[str, int]]] = {}
    for day in plan["crews"]:
        crew = crews[day["crew"]]
        for visit in day["day"]["visits"]:
            for name in visit["tickets"]:
                ticket = tickets[name]
                where.setdefault(name, []).append((crew["id"], visit["start_at"]))
                if name in crew["tickets"]:
                    continue  # a person gave it to this crew
                check_register(ticket, crew, policy["rules"], plan["made_at"])
                assert crew["stopped"] is None, (name, crew["id"])
                if len(visit["tickets"]) == 1:
                    check_times(ticket, visit["start_at"], visit["end_at"], policy["rules"])
    out = {u["ticket"]: u["reasons"] for u in plan["unplanned"]}
    assert all(out.values())
    assert not out.keys() & where.keys()
    waiting = {t["id"] for t in tickets.values() if t["state"] == "accepted"}
    assert waiting <= out.keys() | where.keys(), waiting - out.keys() - where.keys()
    for name, placed in where.items():
        if tickets[name]["state"] == "accepted":
            assert len(placed) == tickets[name]["work"]["crews"], name
            assert len({at for _, at in placed}) == 1, name
    assert plan["figures"]["changed"] <= plan["figures"]["cap"]
