"""Single cases of layers and lines that are easy to get wrong."""

from __future__ import annotations

import pytest

from dispatch_core import events as e
from dispatch_core.ids import Place
from realtime.facts import Fact
from realtime.layers import LAYERS, happenings
from realtime.layers.rows import TicketRow

T0 = 1_768_345_500


def fact(event: e.Event, stream: str = "ticket:t1", version: int = 1, at: int = T0) -> Fact:
    return Fact(company=1, stream=stream, version=version, at=at, event=event)


PLACE = Place(building="b1", lon=1.5, lat=2.5, address="x", community="c1", district="d1")
LABEL = e.TicketLabel(level="red", kind="leak", address="经纬街 3号")


@pytest.mark.parametrize(
    ("event", "minutes", "crew"),
    [
        (
            e.TicketClosed(ticket=LABEL, due=None, satisfied=True, took_s=5400, crew_name="一班"),
            90,
            "一班",
        ),
        (e.DeadlineNear(ticket=LABEL, due=None, clock="respond", deadline=T0 + 899), 14, None),
        (e.DeadlinePassed(ticket=LABEL, due=None, clock="respond", deadline=T0 - 61), 1, None),
        (e.PositionLost(name="一班", since=T0), None, "一班"),
        (e.OutageEnded(name="三号站", lasted_s=7200), 120, None),
    ],
)
def test_a_line_says_how_long_and_who(
    event: e.Event, minutes: int | None, crew: str | None
) -> None:
    line = happenings.line(fact(event))
    assert line is not None
    assert (line.minutes, line.crew_name, line.stream) == (minutes, crew, "ticket:t1")


def test_a_line_is_placed_and_others_make_none() -> None:
    near = happenings.line(
        fact(e.DeadlineNear(ticket=LABEL, due=None, clock="solved", deadline=T0))
    )
    assert near is not None
    assert (near.place, near.level, near.kind) == ("经纬街 3号", "red", "leak")
    ended = happenings.line(fact(e.SpikeEnded(name="小区", lasted_s=1), "community:c1"))
    assert ended is not None
    assert (ended.place, ended.level) == ("小区", None)
    assert happenings.line(fact(e.ContactRegained(ticket=LABEL, due=None))) is None


def test_a_fact_that_changes_nothing_gives_back_the_very_row() -> None:
    fix = e.Fix(
        crew="k1", lon=1, lat=2, accuracy_m=5, heading_deg=None, speed_mps=None, fixed_at=T0
    )
    told = fact(e.CrewPositions(fixes=[fix]), "telemetry:fixes")
    layer = LAYERS["positions"]
    row = layer.fold("k1", None, told)
    assert layer.fold("k1", row, told) is row
    assert layer.touches(told) == ("k1",)


def test_a_ticket_given_to_another_crew_is_no_longer_confirmed() -> None:
    dispatched = e.TicketDispatched(
        ticket=LABEL, due=None, crew="k2", crew_name="二班", from_crew="k1", by="u1",
        reason_code="no_answer", reason=None,
    )  # fmt: skip
    received = e.TicketReceived(
        ticket=LABEL, due=None, level_reason="as_given", source="phone", place=PLACE, reports=1,
        resident=None, words=None, outage=None, policy="levels-1",
        clocks=e.Clocks(first_contact=1, respond=1, on_site=None, solved=1),
    )  # fmt: skip
    confirmed = e.TicketConfirmed(
        ticket=LABEL, due=None, crew="k1", crew_name="一班", on_site_by=T0
    )
    layer, row = LAYERS["tickets"], None
    for event in (received, confirmed):
        row = layer.fold("t1", row, fact(event))
    assert isinstance(row, TicketRow)
    assert row.crew_confirmed
    row = layer.fold("t1", row, fact(dispatched))
    assert isinstance(row, TicketRow)
    assert (row.crew, row.crew_name, row.crew_confirmed) == ("k2", "二班", False)


def test_warnings_of_a_ticket_that_is_gone_bring_nothing_back() -> None:
    late = fact(e.DeadlinePassed(ticket=LABEL, due=None, clock="solved", deadline=T0))
    assert LAYERS["tickets"].fold("t1", None, late) is None


def test_a_ticket_below_its_building_is_counted_and_no_spot() -> None:
    tickets = LAYERS["tickets"]
    street = Place(
        building=None, lon=1.5, lat=2.5, address="经纬街", community=None, district="d1",
        precision="street",
    )  # fmt: skip
    clocks = e.Clocks(first_contact=T0 + 1, respond=T0 + 2, on_site=None, solved=T0 + 3)
    received = e.TicketReceived(
        ticket=LABEL, due=None, level_reason="as_given", source="phone", place=street, reports=1,
        resident=None, words=None, outage=None, clocks=clocks, policy="p",
    )  # fmt: skip
    row = tickets.fold("t1", None, fact(received))
    assert isinstance(row, TicketRow)
    assert not row.located
    placed = e.TicketPlaced(ticket=LABEL, due=None, place=PLACE, household="h1", by="u1")
    found = tickets.fold("t1", row, fact(placed, version=2))
    assert isinstance(found, TicketRow)
    assert (found.located, found.building, found.address) == (True, "b1", "x")
    assert "h1" not in str(found)
