"""One application of each outcome, followed over HTTP to the end of its loop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from path_heating import (
    PHOTO,
    a_photo,
    apply,
    close_loop,
    household,
    kinds,
    local,
    refused,
    report,
    seen,
    visited,
    wish,
)
from path_house import House

AUGUST = local(2026, 8, 15)
DAY = 86_400


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    """A city in August, whose households can still apply."""
    own_house.set_clock(AUGUST)
    a_photo(own_house)
    return own_house


def against(application: Any) -> list[str]:
    """What stands against it; each with a written reason in both languages."""
    checks = {c["code"]: c for c in application["checks"]}
    for code in application["because"]:
        assert checks[code]["zh"], checks[code]
        assert checks[code]["en"], checks[code]
        assert "{" not in checks[code]["zh"] + checks[code]["en"]
    return list(application["because"])


def test_approved_visited_known_closed(city: House) -> None:
    home = household(city, area_m2=80.0)
    made = apply(city.source, home)
    assert (made["state"], made["answered_by"], made["because"]) == ("approved", "policy", [])
    assert 0 <= made["took_s"] < 60
    assert made["base_fee_fen"] == round(0.3 * 80 * 3832)
    assert [c["verdict"] for c in made["checks"]] == ["pass"] * 10
    assert {c["code"] for c in made["checks"]} >= {"deadline", "owner", "arrears", "warranty"}

    visit = visited(city.person, made)
    assert (visit["action"], visit["building"], visit["unit"]) == ("close", "B05", 1)
    assert visit["due_at"] == made["visit_due_at"]
    assert visit["due_at"] - made["answered_at"] == 3 * DAY
    after = report(city.source, visit, "sealed", made)
    assert (after["done"], after["made_at"] is not None) == (1, True)

    done = seen(city.person, made)
    assert (done["state"], done["valve"], done["known"]) == ("completed", "sealed", ["service"])
    assert done["known_by"] - done["completed_at"] == DAY
    told = city.sql(
        "SELECT target, kind, about FROM message WHERE about = $1 ORDER BY target",
        f"heating:{home['household']}",
    )
    assert [tuple(r) for r in told] == [
        (d, "valve_set", f"heating:{home['household']}") for d in ("finance", "operations")
    ]
    standing = city.sql(
        "SELECT season, service, application_id, valve FROM household_standing"
        " WHERE household_id = $1",
        home["household"],
    )
    assert [tuple(r) for r in standing] == [("2026-2027", "suspended", made["id"], "sealed")]

    for department in ("operations", "operations", "finance"):  # the second one changes nothing
        body = {"version": seen(city.person, made)["version"], "department": department}
        done = city.source.ok(f"/api/suspensions/{made['id']}/known", body)
    assert (done["state"], done["known"]) == ("closed", ["service", "operations", "finance"])
    assert done["possible"] == []
    assert kinds(city.person, made) == [
        "applied", "approved", "scheduled", "valve_set", "made_known", "made_known", "closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("register", "code", "found"),
    [
        ({"unpaid_fen": 123_456}, "arrears", "¥1,234.56"),
        ({"valve": False}, "valve", None),
        ({"gable": True}, "gable", None),
        ({"ground_floor": True}, "ground_floor", None),
        ({"top_floor": True}, "top_floor", None),
        ({"warranty_until": local(2027, 1, 1).date()}, "warranty", "2027-01-01"),
    ],
)
def test_refused_with_its_written_reason(
    city: House, register: dict[str, Any], code: str, found: str | None
) -> None:
    made = apply(city.source, household(city, **register))
    assert (made["state"], made["answered_by"]) == ("refused", "policy")
    assert against(made) == [code]
    if found:
        check = next(c for c in made["checks"] if c["code"] == code)
        assert check["found"] == found
        assert found in check["zh"]
        assert found in check["en"]
    assert kinds(city.person, made) == ["applied", "refused"]


def test_every_reason_is_told_and_refusal_comes_before_referral(city: House) -> None:
    home = household(city, unpaid_fen=1, gable=True, valve=False)
    made = apply(city.source, home, photos=[])
    assert made["state"] == "refused"
    assert against(made) == ["arrears", "valve", "gable", "proof"]


def test_suspended_already_and_not_suspended(city: House) -> None:
    home = household(city)
    assert against(apply(city.source, home, "resume")) == ["not_suspended"]
    close_loop(city.person, apply(city.source, home), "closed")
    again = apply(city.source, home)
    assert (again["state"], against(again)) == ("refused", ["already_suspended"])


def test_referred_then_approved_by_a_person(city: House) -> None:
    made = apply(city.source, household(city), applicant={"name": "别人"})
    assert (made["state"], against(made)) == ("referred", ["owner"])
    assert made["answered_at"] is None
    path = f"/api/suspensions/{made['id']}/approve"
    assert refused(city.source, path, {"version": made["version"]}) == (403, "role_needed")
    assert refused(city.person, path, {"version": made["version"]}) == (422, "reason_needed")
    body = {"version": made["version"], "reason": "户主张三丰之女，房产证已核对"}
    done = city.person.ok(path, body)
    assert (done["state"], done["answered_by"]) == ("approved", "person:admin")
    assert done["base_fee_fen"] == round(0.3 * 80 * 3832)
    found = city.person.get(f"/api/suspensions/{made['id']}")
    assert found["reason"] == body["reason"]
    assert "张三丰" not in str(found["trace"])
    assert city.source.get(f"/api/suspensions/{made['id']}")["reason"] is None
    assert close_loop(city.person, made, "closed")["state"] == "closed"


def test_what_cannot_be_checked_is_referred_and_approved_without_a_reason(city: House) -> None:
    made = apply(
        city.source, household(city, unpaid_fen=None, owned=False), applicant={"name": "某人"}
    )
    assert (made["state"], against(made)) == ("referred", ["owner", "arrears"])
    assert {c["verdict"] for c in made["checks"] if c["code"] in made["because"]} == {"unknown"}
    body = {"version": made["version"]}
    assert city.person.ok(f"/api/suspensions/{made['id']}/approve", body)["state"] == "approved"


def test_referred_then_refused_by_a_person(city: House) -> None:
    made = apply(city.source, household(city), photos=[])
    path = f"/api/suspensions/{made['id']}/refuse"
    assert refused(city.person, path, {"version": made["version"]}) == (422, "reason_needed")
    done = city.person.ok(path, {"version": made["version"], "because": ["proof"]})
    assert (done["state"], done["because"], done["possible"]) == ("refused", ["proof"], [])
    assert refused(city.person, path, {"version": done["version"], "because": ["proof"]}) == (
        409,
        "wrong_state",
    )
    assert apply(city.source, {**done, "name": "x", "phone": "1"}, photos=[])["duplicate"] is False


def test_the_certificate_tells_the_owner(city: House) -> None:
    home = household(city)
    other = apply(
        city.source, home, applicant={"name": home["name"], "certificate": "11010119000101001X"}
    )
    assert against(other) == ["owner"]
    home = household(city)
    written = home["certificate"].lower().replace("23", "23 ", 1)
    made = apply(city.source, home, applicant={"name": "别人", "certificate": written})
    assert made["state"] == "approved"


def test_withdrawn_before_the_visit(city: House) -> None:
    home = household(city)
    made = apply(city.source, home)
    visit = visited(city.person, made)
    body = {"version": seen(city.person, made)["version"]}
    done = city.source.ok(f"/api/suspensions/{made['id']}/withdraw", body)
    assert done["state"] == "withdrawn"
    after = city.person.get(f"/api/visits/{visit['id']}")["visit"]
    assert [h["state"] for h in after["households"]] == ["left"]
    assert after["made_at"] is not None
    assert apply(city.source, home)["state"] == "approved"


def test_resumed(city: House) -> None:
    home = household(city)
    close_loop(city.person, apply(city.source, home), "closed")
    made = apply(city.source, home, "resume", photos=[])
    assert (made["state"], made["base_fee_pct"]) == ("approved", 100.0)  # before the season begins
    visit = visited(city.person, made)
    assert visit["action"] == "open"
    path, results = f"/api/visits/{visit['id']}/results", {"version": visit["version"]}
    results["results"] = [{"application": made["id"], "outcome": "closed"}]
    assert refused(city.person, path, results) == (422, "valve_does_not_fit")
    done = close_loop(city.person, made, "open")
    assert (done["state"], done["valve"]) == ("closed", "open")
    rows = city.sql(
        "SELECT service, application_id, valve FROM household_standing WHERE household_id = $1",
        home["household"],
    )
    assert [tuple(r) for r in rows] == [("heated", made["id"], "open")]


def test_a_later_report_of_the_valve_is_not_overwritten(city: House) -> None:
    home = household(city)
    made = apply(city.source, home)
    report(city.source, visited(city.person, made), "closed", made)
    body = {"household": home["household"], "valve": "open", "network": "connected"}
    answer = city.source.ok("/api/batches/household-standings", {"items": [body]})
    assert answer["accepted"] == 1, answer
    known = {"version": seen(city.person, made)["version"], "department": "operations"}
    city.source.ok(f"/api/suspensions/{made['id']}/known", known)
    rows = city.sql(
        "SELECT service, valve, network FROM household_standing WHERE household_id = $1",
        home["household"],
    )
    assert [tuple(r) for r in rows] == [("suspended", "open", "connected")]


def test_a_repeat_is_counted_and_never_doubled(city: House) -> None:
    home = household(city)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: city.source.post("/api/suspensions", wish(home)), range(24))
        )
    assert sorted(a.status_code for a in answers) == [200] * 23 + [201]
    made = [a.json() for a in answers]
    assert {a["id"] for a in made} == {made[0]["id"]}
    assert sorted(a["times"] for a in made) == list(range(1, 25))
    assert [a["duplicate"] for a in made].count(False) == 1
    rows = city.sql("SELECT times FROM application WHERE household_id = $1", home["household"])
    assert [tuple(r) for r in rows] == [(24,)]
    assert refused(city.source, "/api/suspensions", wish(home, "resume")) == (
        409,
        "another_application_open",
    )


def test_a_repeat_may_bring_what_was_missing(city: House) -> None:
    home = household(city)
    made = apply(city.source, home, photos=[], words="先申请，照片稍后补")
    assert (made["state"], made["because"]) == ("referred", ["proof"])
    stranger = apply(city.source, home, applicant={"name": "邻居"})
    assert (stranger["state"], stranger["duplicate"]) == ("referred", True)
    assert stranger["photos"] == [PHOTO]
    done = apply(city.source, home, photos=[], words="照片补好了")
    assert (done["state"], done["duplicate"], done["times"]) == ("approved", True, 3)
    assert (done["id"], done["answered_by"]) == (made["id"], "policy")
    assert {c["verdict"] for c in done["checks"]} == {"pass"}
    assert kinds(city.person, made)[:5] == [
        "applied", "referred", "repeated", "repeated", "approved",
    ]  # fmt: skip
    opened = city.person.get(f"/api/suspensions/{made['id']}")
    assert opened["words"] == "照片补好了"
    looks = city.sql(
        "SELECT by_whom FROM resident_access WHERE what = $1", f"application:{made['id']}"
    )
    assert [r[0] for r in looks] == ["person:admin"]


def test_households_on_one_riser_are_visited_together(city: House) -> None:
    one = household(city, building_id="B06", riser_ids=["a", "b"])
    two = household(city, building_id="B06", riser_ids=["b", "c"])
    elsewhere = household(city, building_id="B06", riser_ids=["z"])
    other_unit = household(city, building_id="B06", unit=2, riser_ids=["a"])
    made = [apply(city.source, h) for h in (one, two, elsewhere, other_unit)]
    visits = [visited(city.person, a)["id"] for a in made]
    assert visits[0] == visits[1]
    assert len(set(visits)) == 3
    late = apply(city.source, household(city, building_id="B06", riser_ids=["c", "d"]))
    assert visited(city.person, late)["id"] == visits[0]
    visit = city.person.get(f"/api/visits/{visits[0]}")["visit"]
    assert len(visit["households"]) == 3
    assert {h["state"] for h in visit["households"]} == {"waiting"}
    assert visit["due_at"] == min(a["visit_due_at"] for a in made[:2])
    visit = report(city.person, visit, "closed", made[0], made[1])
    assert (visit["done"], visit["made_at"]) == (2, None)
    assert report(city.person, visit, "closed", late)["made_at"] is not None
    assert refused(
        city.person,
        f"/api/visits/{visits[0]}/results",
        {"version": visit["version"], "results": []},
    ) == (409, "visit_is_made")


def test_the_third_miss_goes_back_to_a_person(city: House) -> None:
    made = apply(city.source, household(city))
    visit = visited(city.person, made)
    for n in (1, 2):
        visit = report(city.person, visit, "nobody_home", made)
        assert [(h["state"], h["misses"]) for h in visit["households"]] == [("missed", n)]
    visit = report(city.person, visit, "entry_refused", made)
    assert visit["households"][0]["state"] == "left"
    back = seen(city.person, made)
    assert (back["state"], back["because"]) == ("referred", ["visit_missed"])
    again = city.person.ok(f"/api/suspensions/{made['id']}/approve", {"version": back["version"]})
    assert again["took_s"] == made["took_s"]
    second = visited(city.person, made)
    assert second["id"] != visit["id"]
    assert close_loop(city.person, made, "sealed")["state"] == "closed"


def test_the_valve_may_be_set_without_the_visit(city: House) -> None:
    made = apply(city.source, household(city))
    visit = visited(city.person, made)
    path = f"/api/suspensions/{made['id']}/valve"
    body = {"version": seen(city.person, made)["version"], "valve": "open"}
    assert refused(city.source, path, body) == (422, "valve_does_not_fit")
    done = city.source.ok(path, body | {"valve": "sealed", "seal": "F-7"})
    assert (done["state"], done["seal"]) == ("completed", "F-7")
    assert city.person.get(f"/api/visits/{visit['id']}")["visit"]["made_at"] is not None
