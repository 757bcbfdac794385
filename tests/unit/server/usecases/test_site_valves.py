"""A crew's valve: closing opens an outage, opening ends it, and nothing is done with one shut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from site_desk import CITY, SLOTS, SiteDesk

from dispatch_core import commands as c
from dispatch_core import outages
from dispatch_core.errors import Refused
from dispatch_core.ids import unix
from server.usecases.site import GiveBack
from server.usecases.valves import TurnSiteValve


@pytest.fixture
def desk() -> SiteDesk:
    made = SiteDesk()
    made.given()
    made.arrive()
    return made


def turn(desk: SiteDesk, to: Any, valve: Any = "b1", **more: Any) -> Any:
    outage: Any = f"o{unix(desk.now)}"
    return desk.carry(TurnSiteValve(**desk.who(), valve=valve, to=to, outage=outage, **more))


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as found:
        act()
    return found.value.code


def test_closing_opens_an_outage_over_what_hangs_behind_and_opening_ends_it(
    desk: SiteDesk,
) -> None:
    answer = turn(desk, "closed", "s1")
    outage = desk.heads[f"outage:{answer['outage']}"][0]
    assert (outage.households, outage.buildings, outage.cause) == (60, ["b1", "b2"], "valve")
    assert outage.expected_end_at == unix(desk.now) + CITY.evidence.outage_expected_s
    assert answer["shut"] == ["一号站"]
    assert refused(lambda: turn(desk, "closed", "s1")) == "valve_so"
    back = turn(desk, "open", "s1", vented=True)
    assert (back["outage"], back["shut"], back["unvented"]) == (answer["outage"], [], [])
    assert desk.heads[f"outage:{answer['outage']}"][0].ended_at == unix(desk.now)


def test_the_crew_says_when_heat_will_be_back(desk: SiteDesk) -> None:
    end = unix(desk.now) + 7200
    answer = turn(desk, "closed", expected_end_at=end)
    assert desk.heads[f"outage:{answer['outage']}"][0].expected_end_at == end
    desk.heads.pop(f"outage:{answer['outage']}")
    assert refused(lambda: turn(desk, "closed", "s1", expected_end_at=9)) == "bad_expected_end"


def test_an_end_that_passed_while_the_word_waited_is_expected_no_more(desk: SiteDesk) -> None:
    said = unix(desk.now)
    desk.now += timedelta(hours=3)
    answer = turn(desk, "closed", expected_end_at=said + 7200, said_at=said)
    found = desk.heads[f"outage:{answer['outage']}"][0].expected_end_at
    assert found == unix(desk.now) + CITY.evidence.outage_expected_s


def test_nothing_is_done_with_a_valve_shut_or_a_pipe_unvented(desk: SiteDesk) -> None:
    for slot in SLOTS:
        desk.photo(slot)
    turn(desk, "closed")
    assert refused(desk.done) == "valve_shut"
    back = GiveBack(**desk.who(), presence=desk.presence(), reason_code="no_parts", made_safe=True)
    assert refused(lambda: desk.carry(back)) == "valve_shut"
    turn(desk, "open", vented=False)
    assert refused(desk.done) == "not_vented"
    turn(desk, "open", vented=True)
    assert desk.done()["ticket"]["state"] == "verifying"


def test_under_an_outage_already_no_second_one_is_opened(desk: SiteDesk) -> None:
    desk.under["b1"] = "o-burst"
    answer = turn(desk, "closed")
    assert (answer["outage"], answer["warnings"]) == (None, ["no_outage"])
    assert desk.kinds() == {"evidence:t1": ["valve_turned"]}
    assert turn(desk, "open", vented=True)["outage"] is None


def test_a_valve_that_feeds_no_known_building_is_written_down_all_the_same(
    desk: SiteDesk,
) -> None:
    assert turn(desk, "closed", "r1")["shut"] == ["三单元立管"]
    assert refused(lambda: turn(desk, "closed", "v-unknown")) == "valve_unnamed"
    answer = turn(desk, "closed", "v-unknown", name="楼道阀门")
    assert (answer["outage"], answer["shut"]) == (None, ["三单元立管", "楼道阀门"])
    assert turn(desk, "open", "v-unknown", vented=True)["shut"] == ["三单元立管"]


def test_an_outage_that_the_desk_has_ended_is_left_so(desk: SiteDesk) -> None:
    answer = turn(desk, "closed")
    stream = f"outage:{answer['outage']}"
    outage = desk.heads[stream][0]
    desk.write(stream, outages.decide(outage, c.EndOutage(version=outage.version), desk.now))
    assert turn(desk, "open", vented=True)["shut"] == []
    assert desk.kinds() == {"evidence:t1": ["valve_turned"]}
