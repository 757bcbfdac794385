"""Addresses over HTTP: resolved, suggested, queued, answered by a person, taught and forgotten."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from path_house import HOUSEHOLDS, Caller, House, eventually, fetch, run
from path_work import at_once

PHONE = "13812345678"


@pytest.fixture(scope="module")
def desk(own_house: House) -> House:
    """A house whose queue belongs to this module."""
    return own_house


def resolve(caller: Caller, *texts: str) -> list[Any]:
    items = [{"text": text} for text in texts]
    found: list[Any] = caller.ok("/api/addresses/resolve", {"items": items})["items"]
    return found


def ask(desk: House, address: str) -> tuple[Any, Any]:
    """A ticket at an address that no rule can place, and its question."""
    ticket = desk.person.ok(
        "/api/requests",
        {"kind": "not_warm", "source": "phone", "address": address, "separate": True},
    )
    questions = desk.person.get("/api/address-questions")["items"]
    [question] = [q for q in questions if q["reference"] == f"ticket:{ticket['id']}"]
    return ticket, question


def test_texts_households_and_coordinates(desk: House) -> None:
    body = {
        "items": [
            {"text": "道里区和平路３号一单元"},
            {"household": HOUSEHOLDS[0]},
            {"household": "H-nobody"},
            {"coordinate": {"lon": 126.6401, "lat": 45.75, "datum": "wgs84"}},
            {"coordinate": {"lon": 126.7, "lat": 45.9, "datum": "wgs84"}},
            {"coordinate": {"lon": 126.7, "lat": 45.9, "datum": "mars"}},
            {"text": "和平路 999 号"},
            {"text": ""},
        ]
    }
    found = desk.source.ok("/api/addresses/resolve", body)["items"]
    assert [f["verdict"] for f in found] == [
        "matched", "matched", "unmatched", "matched", "unmatched", "unmatched", "unmatched",
        "unmatched",
    ]  # fmt: skip
    text, home, nobody, near, far, mars, wrong, nothing = found
    assert (text["building"]["id"], text["unit"], text["precision"]) == ("B04", 1, "unit")
    assert (home["building"]["id"], home["household"], home["score"]) == ("B01", "H-001", 1.0)
    assert nobody["reasons"] == ["no_such_household"]
    assert near["building"]["id"] == "B02"
    assert near["score"] > 0.9
    assert far["reasons"] == ["no_building_near"]
    assert mars["reasons"] == ["datum_unknown"]
    assert "number_unknown" in wrong["reasons"]
    assert wrong["building"] is None
    assert wrong["area"] == "和平路"
    assert nothing["reasons"]


def test_a_flat_is_the_registers_household(desk: House) -> None:
    [found, unknown] = resolve(desk.source, "和平路0号1单元7室", "和平路0号1单元903室")
    assert (found["household"], found["floor"], found["precision"]) == ("H-008", 2, "flat")
    assert (unknown["household"], unknown["precision"]) == (None, "unit")
    assert "flat_unknown" in unknown["reasons"]


def test_a_household_number_in_a_text(desk: House) -> None:
    [alone, elsewhere] = resolve(desk.source, "户号 H-008", "和平路5号 户号:H-008")
    assert (alone["verdict"], alone["household"]) == ("matched", "H-008")
    assert elsewhere["verdict"] == "ambiguous"
    assert elsewhere["reasons"][0] == "household_elsewhere"


def test_suggestions_as_one_types(desk: House) -> None:
    def shown(words: str) -> list[Any]:
        items: list[Any] = desk.person.get("/api/addresses/suggest", words=words)["items"]
        return items

    assert [s["address"] for s in shown("和平")][:2] == ["和平路 0 号", "和平路 1 号"]
    assert {s["building"] for s in shown("和平路1")} >= {"B02", "B11", "B12"}
    assert shown("和平路11号")[0]["building"] == "B12"
    assert len(shown("和")) <= 8
    assert shown("   ") == []


def test_too_many_at_once(desk: House) -> None:
    answer = desk.source.post("/api/addresses/resolve", {"items": [{"text": "x"}] * 1001})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_items")


def test_a_choice_moves_the_ticket_teaches_and_settles_others(desk: House) -> None:
    first, question = ask(desk, f"老机务段大街3号2单元 刘女士{PHONE}")
    second, _ = ask(desk, "老机务段大街 5 号")
    assert question["text"].startswith("老机务段大街3号")
    assert first["precision"] != "building"
    answer = desk.person.post(
        f"/api/address-questions/{question['id']}/answer", {"building": "B04"}, key="choice-0001"
    )
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["moved"]
    assert done["taught"] == [{"alias": "老机务段大街", "kind": "street", "means": "和平路"}]
    assert done["also_answered"] == 1
    assert done["question"]["answered_by"] == "person:admin"
    places = [
        desk.person.get(f"/api/tickets/{t['id']}")["ticket"]["building"] for t in (first, second)
    ]
    assert places == ["B04", "B06"]
    [taught] = resolve(desk.source, "老机务段大街 7 号")
    assert taught["building"]["id"] == "B08"
    # the same again changes nothing; another answer is refused with the present one
    again = desk.person.ok(f"/api/address-questions/{question['id']}/answer", {"building": "B04"})
    assert (again["question"], again["taught"]) == (done["question"], [])
    other = desk.person.post(f"/api/address-questions/{question['id']}/answer", {"building": "B05"})
    assert (other.status_code, other.json()["code"]) == (409, "question_answered")
    assert other.json()["present"]["building"] == "B04"


def test_what_was_taught_is_forgotten(desk: House) -> None:
    _, question = ask(desk, "铁路红砖楼2单元")
    answered = desk.person.ok(
        f"/api/address-questions/{question['id']}/answer", {"household": HOUSEHOLDS[9]}
    )
    assert answered["taught"] == [{"alias": "铁路红砖楼", "kind": "building", "means": "B01"}]
    [found] = resolve(desk.source, "铁路红砖楼1单元")
    assert found["building"]["id"] == "B01"
    known = desk.person.get("/api/address-aliases")["items"]
    assert "铁路红砖楼" in {a["alias"] for a in known}
    wrong = {"alias": "铁路红砖楼", "kind": "street"}
    assert not desk.person.ok("/api/address-aliases/forget", wrong)["forgotten"]
    right = {"alias": "铁路红砖楼", "kind": "building"}
    assert desk.person.ok("/api/address-aliases/forget", right)["forgotten"]
    eventually(
        lambda: resolve(desk.source, "铁路红砖楼1单元")[0]["building"] is None, "it is forgotten"
    )


def test_no_such_door_and_nothing_learnt(desk: House) -> None:
    ticket, question = ask(desk, "某某新村88栋")
    path = f"/api/address-questions/{question['id']}/answer"
    done = desk.person.ok(path, {"no_such_door": True})
    assert (done["question"]["no_such_door"], done["taught"], done["moved"]) == (True, [], False)
    assert desk.person.get(f"/api/tickets/{ticket['id']}")["ticket"]["building"] is None
    open_ones = desk.person.get("/api/address-questions")["items"]
    assert question["id"] not in {q["id"] for q in open_ones}
    answered = desk.person.get("/api/address-questions", answered="true")["items"]
    assert question["id"] in {q["id"] for q in answered}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "choice_unclear"),
        ({"building": "B01", "no_such_door": True}, 422, "choice_unclear"),
        ({"building": "B99"}, 404, "no_such_building"),
        ({"household": "H-999"}, 404, "no_such_household"),
    ],
)
def test_bad_choices_change_nothing(
    desk: House, body: dict[str, Any], status: int, code: str
) -> None:
    _, question = ask(desk, f"没有这条街 {len(body)}{code}")
    answer = desk.person.post(f"/api/address-questions/{question['id']}/answer", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    still = desk.person.get("/api/address-questions")["items"]
    assert question in still


def test_of_two_answers_at_once_only_one_moves_the_ticket(desk: House) -> None:
    for n in range(5):
        ticket, question = ask(desk, f"红砖大院那片儿 {n}")
        path = f"/api/address-questions/{question['id']}/answer"
        answers = at_once(
            [
                partial(desk.person.post, path, {"building": building, "teach": False})
                for building in ("B02", "B03", "B04", "B05")
            ]
        )
        taken = [a.json()["question"]["building"] for a in answers if a.status_code == 200]
        refused = [a.json()["code"] for a in answers if a.status_code == 409]
        assert (len(taken), set(refused)) == (1, {"question_answered"})
        now = desk.person.get(f"/api/tickets/{ticket['id']}")["ticket"]
        assert now["building"] == taken[0]


def test_only_people_read_the_queue(desk: House) -> None:
    for path in ("/api/address-questions", "/api/address-aliases"):
        answer = desk.source.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")
        # the texts may name residents: no cache keeps them
        assert desk.person.http.get(path).headers["cache-control"] == "no-store"
    missing = desk.person.post("/api/address-questions/424242/answer", {"no_such_door": True})
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_question")


def test_another_company_sees_nothing_of_it(desk: House) -> None:
    company, token = desk.open_company("cold")
    stranger = Caller(desk.url, token)
    [found] = resolve(stranger, "老机务段大街 7 号")
    assert found["building"] is None
    run(
        fetch(
            desk.database_url,
            "UPDATE building SET street = '光明街', address = '光明街 ' || house_number || ' 号'"
            " WHERE company_id = $1",
            company,
        )
    )
    bump = (
        "INSERT INTO register_version VALUES ($1, 7)"
        " ON CONFLICT (company_id) DO UPDATE SET version = 7"
    )
    run(fetch(desk.database_url, bump, company))
    eventually(
        lambda: resolve(stranger, "光明街7号")[0]["verdict"] == "matched", "a changed register"
    )
    assert resolve(desk.source, "和平路7号")[0]["verdict"] == "matched"
    for caller, street in ((stranger, "光明街"), (desk.source, "和平路")):
        # likeness is asked of the whole table; each company sees its own
        shown = caller.get("/api/addresses/suggest", words="光明街和平路 3 号附近的楼")["items"]
        assert shown
        assert all(s["address"].startswith(street) for s in shown)


def test_no_phone_or_name_outside_the_sealed_words(desk: House) -> None:
    tables = ("address_question", "address_alias")
    for table in tables:
        rows = run(fetch(desk.database_url, f"SELECT t::text FROM {table} t"))
        assert rows
        for row in rows:
            assert PHONE not in row[0]
            assert "刘女士" not in row[0]
