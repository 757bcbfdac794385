"""The front door: proposals before anything is written, places below a door, and bad input."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import House

COLD = {"source": "phone", "words": "家里暖气不热"}


def propose(house: House, **asked: Any) -> Any:
    answer = house.person.http.post("/api/requests/propose", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def counted(house: House) -> int:
    tables = ("person", "person_words", "address_question", "idempotency")
    rows = sum(int(house.sql(f"SELECT count(*) FROM {table}")[0][0]) for table in tables)
    return rows + house.facts_of_callers()


def test_a_proposal_says_what_would_be_and_writes_nothing(house: House) -> None:
    before = counted(house)
    heard = propose(house, words="没有烫伤，立管漏水，暖气不热")
    assert (heard["kind"], heard["level"]) == ("leak", "yellow")
    assert heard["dangers"] == [{"word": "漏水", "level": "yellow"}]
    assert heard["reasons"] == [{"code": "danger", "said": "漏水"}]
    assert heard["attach"] is None
    silent = propose(house)
    assert silent["reasons"] == [{"code": "kind_unheard", "said": ""}]
    assert counted(house) == before


def test_a_proposal_names_the_ticket_it_would_join(house: House) -> None:
    ticket = house.person.ok("/api/requests", COLD | {"household": "H-052"})
    joined = propose(house, words="还是不热", household="H-052")["attach"]
    assert joined == {
        "ticket": ticket["id"], "kind": "not_warm", "level": "blue", "reports": 1,
        "level_after": "yellow", "reports_after": 2,
    }  # fmt: skip
    house.person.ok("/api/requests", COLD | {"household": "H-052", "words": "冰凉"})
    joined = propose(house, words="还是不热", household="H-052")["attach"]
    assert (joined["reports_after"], joined["level_after"]) == (3, "yellow")
    assert propose(house, words="漏水了", household="H-052")["attach"] is None
    assert propose(house, words="漏水了", household="H-052", kind="repair")["attach"] is not None
    body = COLD | {"building": "B05", "caller": {"phone": "13944440001"}}
    other = house.person.ok("/api/requests", body)
    found = propose(house, words="不热", building="B05", phone="139-4444-0001")["attach"]
    assert found["ticket"] == other["id"]
    assert propose(house, words="不热", building="B05", phone="13944440002")["attach"] is None


def test_a_proposal_finds_the_place_in_what_was_said(house: House) -> None:
    words = "你好，我姓王，我家和平路3号，暖气不热，老人受不了"
    assert propose(house, words=words)["place"]["building"]["id"] == "B04"
    assert propose(house, words="不热", address="和平路 3 号")["place"]["building"]["id"] == "B04"
    assert propose(house, words="暖气不热")["place"] is None


def test_a_pasted_text_of_any_length_is_heard(house: House) -> None:
    heard = propose(house, words="没有漏水。" * 19_990 + "跑水了")
    assert (heard["kind"], heard["level"]) == ("leak", "red")
    too_long = house.person.http.post("/api/requests/propose", json={"words": "热" * 100_001})
    assert (too_long.status_code, too_long.json()["code"]) == (413, "words_too_long")


def test_a_typed_address_finds_the_door(house: House) -> None:
    found = house.person.ok("/api/requests", COLD | {"address": "道里区和平路7号"})
    assert (found["building"], found["precision"]) == ("B08", "building")


def test_an_address_without_a_door_is_taken_in_and_asked(house: House) -> None:
    body = COLD | {"address": "火星街999号", "caller": {"phone": "13955550001"}}
    ticket = house.person.ok("/api/requests", body)
    assert (ticket["building"], ticket["precision"]) == (None, "none")
    assert "火星" not in str(ticket)
    asked = house.sql(
        "SELECT count(*) FROM address_question WHERE reference = $1", f"ticket:{ticket['id']}"
    )
    assert asked[0][0] == 1
    again = house.person.ok("/api/requests", body)
    assert (again["id"], again["attached"]) == (ticket["id"], True)
    placed = house.person.ok(
        f"/api/tickets/{ticket['id']}/place", {"version": again["version"], "household": "H-053"}
    )
    assert (placed["building"], placed["precision"]) == ("B05", "building")
    question = house.sql(
        "SELECT building_id, household_id, answered_by FROM address_question WHERE reference = $1",
        f"ticket:{ticket['id']}",
    )
    assert tuple(question[0]) == ("B05", "H-053", "person:admin")
    row = house.sql("SELECT household_id, building_id FROM ticket WHERE ticket_id = $1",
                    ticket["id"])  # fmt: skip
    assert (row[0][0], row[0][1]) == ("H-053", "B05")
    third = house.person.ok("/api/requests", COLD | {"household": "H-053"})
    assert (third["id"], third["reports"]) == (ticket["id"], 3)


def test_an_area_alone_is_a_place_too(house: House) -> None:
    ticket = house.person.ok("/api/requests", COLD | {"area": "道里区"})
    assert (ticket["address"], ticket["precision"]) == ("道里区", "area")


def test_a_suspension_of_a_known_household_has_its_own_door(house: House) -> None:
    body = {"source": "phone", "kind": "suspension", "household": "H-054"}
    answer = house.person.post("/api/requests", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "use_suspensions")
    assert "/api/suspensions" in answer.json()["what_to_do"]
    without = house.person.ok("/api/requests", body | {"household": None, "building": "B01"})
    assert without["kind"] == "suspension"
    heard = house.person.ok(
        "/api/requests", {"source": "app", "words": "我要报停", "household": "H-054"}
    )
    assert heard["kind"] == "suspension"


SPOT = {"lon": 126.63, "lat": 45.75, "datum": "wgs84"}


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"household": "H-999"}, 404, "no_such_household"),
        ({"building": "?"}, 404, "no_such_building"),
        ({"coordinate": SPOT | {"lat": 95}}, 422, "coordinate_out_of_range"),
        ({"coordinate": {"lon": 126.6, "lat": 45.7}}, 422, "datum_missing"),
        ({"coordinate": SPOT | {"lon": 0, "lat": 0}}, 422, "coordinate_elsewhere"),
        ({"coordinate": SPOT | {"lon": -126.63}}, 422, "coordinate_elsewhere"),
        ({"coordinate": SPOT | {"lat": -45.75}}, 422, "coordinate_elsewhere"),
        ({"coordinate": SPOT | {"datum": "mars2000"}}, 422, "datum_unknown"),
        ({}, 422, "no_place"),
        ({"building": "B01", "words": None}, 422, "kind_missing"),
        ({"building": "B01", "words": " \n"}, 422, "kind_missing"),
        ({"building": "B01", "words": "冷" * 10_001}, 413, "words_too_long"),
        ({"building": "B01", "words": "冷" * 100_000}, 413, "words_too_long"),
        ({"building": "B01", "words": "不热\x00"}, 422, "control_characters"),
        ({"building": "B\x0001"}, 422, "control_characters"),
        ({"household": "\x1b[2J"}, 422, "control_characters"),
        ({"building": "B01", "caller": {"name": "a\x07"}}, 422, "control_characters"),
        ({"building": "B01", "photos": ["0" * 64]}, 404, "no_such_photo"),
        ({"building": "B01", "photos": ["../../etc/passwd"]}, 422, "bad_body"),
        ({"building": "B01", "received_at": 9}, 422, "bad_body"),
        ({"building": "B01", "kind": "nonsense"}, 422, "bad_body"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    house: House, more: dict[str, Any], status: int, code: str
) -> None:
    before = counted(house)
    answer = house.person.post("/api/requests", COLD | more)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem["detail"]
    assert problem["what_to_do"]
    assert counted(house) == before


def test_a_request_may_bring_the_case_of_its_origin(house: House) -> None:
    case = {"origin": "hotline_12345", "number": "RD-2601140001"}
    body = COLD | {"source": "hotline_12345", "household": "H-055", "case": case}
    ticket = house.person.ok("/api/requests", body)
    hung = house.person.get("/api/cases", ticket=ticket["id"])["items"]
    assert [(c["origin"], c["number"]) for c in hung] == [("hotline_12345", "RD-2601140001")]
    again = house.person.post("/api/requests", body)
    assert (again.status_code, again.json()["id"]) == (200, ticket["id"])
    assert again.json()["reports"] == 1, "the same case again is no second call"
    second = body | {"case": case | {"number": "RD-2601140002"}, "words": "又打了12345，不热"}
    joined = house.person.ok("/api/requests", second)
    assert (joined["id"], joined["reports"]) == (ticket["id"], 2)
    assert house.person.get("/api/cases", ticket=ticket["id"])["total"] == 2
    other = house.person.ok("/api/requests", COLD | {"building": "B02"})
    path = f"/api/tickets/{ticket['id']}/merge"
    kept = house.person.ok(path, {"version": joined["version"], "into": other["id"]})
    assert house.person.get("/api/cases", ticket=kept["id"])["total"] == 2
    unknown = house.person.post("/api/requests", body | {"case": case | {"origin": "nobody"}})
    assert unknown.status_code >= 400
