"""External cases over HTTP: taken in once, hung on a ticket, carried to the reply, moved whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from path_cases import kinds, messages, new_number, one, refused, step, take
from path_house import Caller, House, NewHouse, eventually
from path_work import at_once, receive
from path_work import step as ticket_step


def test_the_procedure_from_receipt_to_close(house: House) -> None:
    person = house.person
    case = take(person, words="张三丰家里不热")["case"]
    assert (case["state"], case["due_clock"], case["possible"]) == (
        "received",
        "sign_for",
        ["sign", "extend"],
    )
    clocks = case["clocks"]
    case = step(person, case, "sign")
    case = step(person, case, "contact")
    assert case["clocks"] == clocks
    case = step(person, case, "extend", reason="李四海家须开挖")
    assert case["clocks"]["reply"] > clocks["reply"]
    answer = refused(person, case, "extend", reason="再等等")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_extension_left")
    case = step(person, case, "reply", words="王五洲家已修复", satisfied=True)
    assert (case["due_at"], case["due_clock"], case["satisfied"]) == (None, None, True)
    case = step(person, case, "close")
    assert (case["state"], case["possible"]) == ("closed", ["return"])
    case = step(person, case, "return", reason="市民不满意")
    assert (case["state"], case["returned"], case["due_clock"]) == ("returned", 1, "sign_for")
    assert case["satisfied"] is None
    found = one(person, case)
    assert found["chain"]["holds"]
    assert [w["text"] for w in found["words"]] == [
        "张三丰家里不热", "李四海家须开挖", "王五洲家已修复", "市民不满意",
    ]  # fmt: skip
    for name in ("张三丰", "李四海", "王五洲", "市民"):
        assert name not in str(found["trace"])
    assert {f["actor"] for f in found["trace"]} <= {"person:admin", "system:core"}
    told = [m["kind"] for m in reversed(messages(person, case))]
    assert told == ["case_signed", "case_contacted", "case_extended", "case_replied"]
    assert "body" not in messages(person, case)[0]


def test_a_step_out_of_order_shows_what_is_possible(house: House) -> None:
    case = take(house.person)["case"]
    for name, more in (("contact", {}), ("reply", {"words": "x"}), ("close", {}), ("return", {})):
        answer = refused(house.person, case, name, **more)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "wrong_state"), name
        assert problem["present"]["state"] == "received"
        assert problem["present"]["possible"] == ["sign", "extend"]
    after = step(house.person, case, "sign")
    stale = refused(house.person, case, "contact")
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert stale.json()["present"]["version"] == after["version"]
    nobody = house.person.post("/api/cases/hotline_12345-none/sign", {"version": 1})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no_such_case")
    assert house.person.http.get("/api/cases/hotline_12345-none").status_code == 404


def test_the_same_number_again_is_the_same_case(house: House) -> None:
    number = new_number()
    body = {"origin": "hotline_12345", "number": number, "kind": "leak", "building": "B02"}
    first = house.person.post("/api/cases", body)
    step(house.person, first.json()["case"], "sign")
    again = house.source.post("/api/cases", body | {"number": f" {number} ", "building": "B03"})
    assert (first.status_code, again.status_code) == (201, 200)
    case = again.json()["case"]
    assert (case["id"], case["state"]) == (first.json()["case"]["id"], "signed")
    assert again.json()["ticket"]["id"] == first.json()["ticket"]["id"]
    other_origin = house.person.post("/api/cases", body | {"origin": "property_firm"})
    assert other_origin.status_code == 201
    assert other_origin.json()["case"]["id"] != case["id"]


def test_however_often_it_comes_at_once_it_is_one_case(house: House) -> None:
    before = house.sql("SELECT count(*) FROM ticket")[0][0]
    body = {"origin": "hotline_12345", "number": new_number(), "kind": "leak", "building": "B04"}
    answers = at_once([lambda: house.person.post("/api/cases", body) for _ in range(24)])
    assert sorted(a.status_code for a in answers) == [200] * 23 + [201], [a.text for a in answers]
    assert len({a.json()["case"]["id"] for a in answers}) == 1
    assert len({a.json()["ticket"]["id"] for a in answers}) == 1
    assert kinds(house, answers[0].json()["case"]) == ["case_received"]
    assert house.sql("SELECT count(*) FROM ticket")[0][0] == before + 1


def test_a_ticket_may_have_several_and_be_closed_before_them(house: House) -> None:
    ticket = receive(house.person, building="B05")
    made = [take(house.person, ticket=ticket["id"], words=f"第{n}件") for n in range(3)]
    assert {m["ticket"]["id"] for m in made} == {ticket["id"]}
    assert len({m["case"]["id"] for m in made}) == 3
    ticket = ticket_step(house.person, ticket, "cancel", reason_code="outage_ended")
    shown = house.person.get(f"/api/tickets/{ticket['id']}")["cases"]
    assert {c["id"] for c in shown} == {m["case"]["id"] for m in made}
    listed = house.person.get("/api/cases", ticket=ticket["id"], open="true")
    assert listed["total"] == 3
    assert all(c["due_at"] for c in listed["items"]), "a case has its own clocks"
    late = house.person.post(
        "/api/cases", {"origin": "hotline_12345", "number": new_number(), "ticket": ticket["id"]}
    )
    assert (late.status_code, late.json()["code"]) == (409, "ticket_cancelled")


def test_merging_tickets_moves_every_case_whole(house: House) -> None:
    one_ticket, other = (receive(house.person, building="B06", separate=True) for _ in range(2))
    made = [take(house.person, ticket=one_ticket["id"])["case"] for _ in range(2)]
    kept = take(house.person, ticket=other["id"])["case"]
    body = {"version": one_ticket["version"], "into": other["id"]}
    house.person.ok(f"/api/tickets/{one_ticket['id']}/merge", body)
    moved = house.person.get("/api/cases", ticket=other["id"])["items"]
    assert {c["id"] for c in moved} == {c["id"] for c in [*made, kept]}
    before = {c["id"]: (c["number"], c["clocks"], c["state"]) for c in [*made, kept]}
    assert {c["id"]: (c["number"], c["clocks"], c["state"]) for c in moved} == before
    assert house.person.get("/api/cases", ticket=one_ticket["id"])["total"] == 0
    late = {"origin": "hotline_12345", "number": new_number(), "ticket": one_ticket["id"]}
    problem = house.person.post("/api/cases", late).json()
    assert (problem["code"], other["id"] in problem["what_to_do"]) == ("ticket_merged", True)
    assert kinds(house, made[0]) == ["case_received", "case_moved"]
    assert one(house.person, made[0])["chain"]["holds"]
    assert step(house.person, made[0], "sign")["ticket"] == other["id"], "seen before the merge"


def test_a_case_hung_while_its_ticket_is_merged_is_never_left_behind(house: House) -> None:
    """Whoever is first: no case hangs on a ticket that has ended in another."""
    for _ in range(4):
        gone, stays = (receive(house.person, building="B09", separate=True) for _ in range(2))
        merge = {"version": gone["version"], "into": stays["id"]}
        wishes = [
            {"origin": "hotline_12345", "number": new_number(), "ticket": gone["id"]}
            for _ in range(10)
        ]
        calls: list[Callable[[], httpx.Response]] = [
            lambda w=w: house.source.post("/api/cases", w) for w in wishes
        ]
        calls.insert(
            5, lambda m=merge, g=gone: house.person.post(f"/api/tickets/{g['id']}/merge", m)
        )
        answers = at_once(calls)
        codes = [a.status_code for a in answers]
        assert codes.pop(5) == 200, answers[5].text
        assert set(codes) <= {201, 409}
        assert house.person.get("/api/cases", ticket=gone["id"])["total"] == 0
        assert house.person.get("/api/cases", ticket=stays["id"])["total"] == codes.count(201)


def test_a_case_of_a_fault_that_is_known_hangs_on_its_ticket(house: House) -> None:
    caller = {"name": "赵六顺", "phone": "10055500001"}
    call = {"kind": "not_warm", "source": "phone", "household": "H-050", "caller": caller}
    ticket = house.person.ok("/api/requests", call)
    made = take(house.person, household="H-050", caller=caller, words="打了电话没人来，还是不热")
    assert (made["ticket"]["id"], made["ticket"]["attached"]) == (ticket["id"], True)
    assert (made["ticket"]["reports"], made["case"]["ticket"]) == (2, ticket["id"])
    again = take(house.person, household="H-050", caller=caller, origin="property_firm")
    assert again["ticket"]["id"] == ticket["id"]
    assert house.person.get("/api/cases", ticket=ticket["id"])["total"] == 2


def test_what_was_written_is_for_people_who_speak_with_residents(house: House) -> None:
    case = take(house.person, words="钱七巧家不热")["case"]
    assert one(house.person, case)["words"][0]["text"] == "钱七巧家不热"
    assert one(house.source, case)["words"] == []
    one(house.person, case)
    noted = house.sql(
        "SELECT by_whom FROM resident_access WHERE company_id = $1 AND what = $2",
        house.company,
        f"case:{case['id']}",
    )
    assert [r[0] for r in noted] == ["person:admin"], "noted, once for each sitting"


def test_cases_that_cannot_be_taken_in(house: House) -> None:
    now = int(house.business_now().timestamp())
    before = house.sql("SELECT count(*) FROM ticket")[0][0]
    good = {"origin": "hotline_12345", "number": new_number(), "kind": "leak", "building": "B01"}
    for change, status, code in (
        ({"origin": "nobody"}, 422, "unknown_origin"),
        ({"origin": "../x"}, 422, "bad_body"),
        ({"number": ""}, 422, "bad_body"),
        ({"number": " \t "}, 422, "bad_number"),
        ({"number": "12\u000034"}, 422, "bad_number"),
        ({"number": "1" * 61}, 422, "bad_body"),
        ({"received_at": now + 3600}, 422, "future_time"),
        ({"received_at": now - 400 * 86400}, 422, "too_old"),
        ({"words": "长" * 10_001}, 422, "bad_body"),
        ({"building": "nowhere"}, 404, "no_such_building"),
        ({"ticket": "260101-999999"}, 404, "no_such_ticket"),
        ({"flat": "502"}, 422, "bad_body"),
    ):
        answer = house.person.post("/api/cases", good | change)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (change, answer.text)
        assert answer.json()["what_to_do"]
    assert house.sql("SELECT count(*) FROM ticket")[0][0] == before
    assert house.person.get("/api/cases", number=good["number"])["total"] == 0


def test_a_batch_takes_the_good_ones_and_names_the_bad(house: House) -> None:
    numbers = [new_number() for _ in range(3)]
    good = [
        {"origin": "hotline_12345", "number": n, "kind": "leak", "building": "B07"} for n in numbers
    ]
    items = [good[0], {"origin": "nobody", "number": "1"}, good[1], good[0], "no case", good[2]]
    key = f"test-batch-{numbers[0]}"
    first = house.source.post("/api/batches/cases", {"items": items}, key=key)
    assert first.status_code == 200, first.text
    answer = first.json()
    assert answer["accepted"] == 4
    assert [(r["index"], r["code"]) for r in answer["refused"]] == [
        (1, "unknown_origin"),
        (4, "bad_body"),
    ]
    assert [t["index"] for t in answer["taken"]] == [0, 2, 3, 5]
    assert sorted(t["new"] for t in answer["taken"]) == [False, True, True, True]
    assert house.source.post("/api/batches/cases", {"items": items}, key=key).json() == answer
    again = house.source.ok("/api/batches/cases", {"items": items})
    assert not any(t["new"] for t in again["taken"])
    many = house.source.post("/api/batches/cases", {"items": [good[0]] * 1001})
    assert (many.status_code, many.json()["code"]) == (413, "too_many_items")


def test_the_list_puts_first_what_runs_out_first(house: House) -> None:
    person, now = house.person, int(house.business_now().timestamp())
    for ago in (60, 5000, 1000):
        take(person, received_at=now - ago, building="B08")
    listed = person.get("/api/cases", state="received", limit=500)
    dues = [c["due_at"] for c in listed["items"]]
    assert dues == sorted(dues)
    pages, after = [], None
    while True:
        page = person.get(
            "/api/cases", limit=2, state="received", **({"after": after} if after else {})
        )
        pages += page["items"]
        after = page["next"]
        if after is None:
            break
    assert [c["id"] for c in pages] == [c["id"] for c in listed["items"]]
    for query in ({"after": "x"}, {"limit": 0}, {"after": "1e999,0,x"}):
        assert person.http.get("/api/cases", params=query).status_code == 422


def test_clocks_warn_near_and_when_they_have_passed(own_house: House) -> None:
    person = own_house.person
    case = take(person)["case"]
    own_house.set_clock(own_house.business_now() + timedelta(hours=1, minutes=50))

    def warned() -> bool:
        return bool(one(person, case)["case"]["near"])

    eventually(warned, "sign-for is near")
    own_house.set_clock(own_house.business_now() + timedelta(minutes=20))
    eventually(lambda: one(person, case)["case"]["overdue"], "sign-for has passed")
    listed = person.get("/api/cases", overdue="true")
    assert [c["id"] for c in listed["items"]] == [case["id"]]
    assert kinds(own_house, case) == ["case_received", "case_near", "case_passed"]
    signed = step(person, case, "sign")
    assert (signed["overdue"], signed["due_clock"]) == (False, "contact")


def test_from_two_processes_at_once_it_is_one_case(new_house: NewHouse) -> None:
    with new_house(webs=2) as pair:
        callers = [Caller(web.url, pair.token) for web in pair.webs]
        for building in ("B01", "B02", "B03"):
            body = {"origin": "hotline_12345", "number": new_number(), "kind": "leak"} | {
                "building": building
            }
            answers = at_once(
                [lambda c=callers[n % 2], b=body: c.post("/api/cases", b) for n in range(30)]
            )
            assert sorted(a.status_code for a in answers) == [200] * 29 + [201]
            assert len({a.json()["case"]["id"] for a in answers}) == 1
        assert pair.sql("SELECT count(*) FROM ticket")[0][0] == 3
        assert pair.sql("SELECT count(*) FROM external_case")[0][0] == 3


@pytest.mark.parametrize("text", ["a\u0000b", "\u202e", "%", "'; --", "热" * 300])
def test_odd_names_are_answered_not_stumbled_over(house: House, text: str) -> None:
    http = house.person.http
    name = quote(text, safe="")
    answers = [
        http.get(f"/api/cases/{name}"),
        http.get("/api/cases", params={"number": text}),
        http.get("/api/cases", params={"origin": text}),
        http.get("/api/cases", params={"ticket": text}),
        http.get("/api/messages", params={"about": text}),
        house.person.post(f"/api/cases/{name}/sign", {"version": 1}),
        house.person.post("/api/messages/99999999999999999999999/delivered", {"delivered": True}),
        house.person.post(f"/api/messages/{name}/delivered", {"delivered": True}),
    ]
    assert all(a.status_code in {200, 404, 422} for a in answers), [a.text for a in answers]
