"""Photos that come in chunks: in any pieces, again, at several processes, after a kill; each is
kept as it was sent, and is one fact."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from path_house import Caller, House, NewHouse, eventually
from path_phone import Phone, key, picture, signed_in
from path_work import crew_on_duty, given, step

from server.adapters.photo_blobs import open_blobs
from server.adapters.photos import Photos
from server.adapters.pool import Pool
from server.adapters.vault import Vault

SLOTS = ("fault_point", "in_progress", "user_confirmation")


@pytest.fixture(scope="module")
def house(new_house: NewHouse) -> Iterator[House]:
    with new_house(apart=True, webs=2) as house:
        yield house


@pytest.fixture(scope="module")
def phone(house: House) -> Phone:
    return signed_in(house, crew_on_duty(house, "UP1"))


def on_site(house: House, phone: Phone) -> str:
    ticket = given(house, phone.crew)
    phone.check_in_key = key("in")
    phone.ok(ticket, "check-in", once=phone.check_in_key)
    return ticket


def facts(house: House, ticket: str, kind: str = "photo_taken") -> list[Any]:
    trace = house.person.get(f"/api/tickets/{ticket}")["trace"]
    return [f["event"] for f in trace if f["kind"] == kind]


def stored(house: House, photo: str) -> bytes:
    async def read() -> bytes:
        pool = Pool(house.app_url)
        photos = Photos(pool, Vault(house.keys), open_blobs(None, house.data / "photos"))
        try:
            return (await photos.read(house.company, photo)).data
        finally:
            await pool.close()

    return asyncio.run(read())


def refused(answer: httpx.Response) -> tuple[int, str]:
    problem = answer.json()
    assert problem["detail"]
    assert problem["what_to_do"]
    return answer.status_code, problem["code"]


def begin(phone: Phone, body: dict[str, Any]) -> httpx.Response:
    return phone.caller.post("/api/crew/uploads", body)


def test_whatever_becomes_of_the_chunks_the_photo_is_what_was_sent_and_one_fact(
    house: House, phone: Phone
) -> None:
    """Two web processes, chunks of any length, some sent again or out of place, several uploads of
    one phone among one another, and one process that is killed in the middle."""
    dice = random.Random(20260114)
    ticket = on_site(house, phone)
    photos = {slot: picture(n, 900, 95) for n, slot in enumerate((*SLOTS, "room", "windows"))}
    begun = {s: phone.begin(phone.announce(ticket, s, p))["upload"] for s, p in photos.items()}
    doors = [phone, phone.at(house.webs[1].url)]
    kill_at = sum(map(len, photos.values())) // 2
    waiting, sent, killed = set(photos), 0, False
    while waiting:
        slot = dice.choice(sorted(waiting))
        photo, upload = photos[slot], begun[slot]
        try:
            have = dice.choice(doors).how_far(upload)["have"]
            at = have if dice.random() < 0.8 else dice.randrange(len(photo))
            chunk = photo[at : at + dice.choice((1, 500, 7_000, 30_000, len(photo)))]
            answer = dice.choice(doors).put(upload, at, chunk)
        except httpx.TransportError:
            doors = [phone]  # the killed one answers no more
            continue
        if answer.status_code == 409:
            assert refused(answer)[1] == "wrong_offset"
            assert answer.json()["present"]["have"] == have != at
            continue
        assert answer.status_code == 200, answer.text
        sent += len(chunk)
        if not killed and sent > kill_at:
            killed = True
            house.webs[1].kill()
        if answer.json()["done"]:
            waiting.discard(slot)
    assert killed
    taken = facts(house, ticket)
    assert sorted(f["slot"] for f in taken) == sorted(photos)
    for fact in taken:
        assert stored(house, fact["photo"]) == photos[fact["slot"]]
        assert (fact["bytes"], fact["device"]) == (len(photos[fact["slot"]]), phone.device)
    folder = house.data / "uploads" / str(house.company)
    assert list(folder.iterdir()) == [], "no part is left"
    again = house.web()
    again.wait()
    for slot, upload in begun.items():
        answer = phone.at(again.url).put(upload, 0, photos[slot])
        assert answer.json()["done"] == phone.how_far(upload)["done"], "a finished one stays so"
    assert len(facts(house, ticket)) == len(photos)


def test_the_last_chunk_at_two_processes_at_once_is_one_fact(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    other = house.webs[-1] if house.webs[-1].popen.poll() is None else house.web()
    other.wait()
    doors = [phone, phone.at(other.url)]
    for n, slot in enumerate(SLOTS):
        photo = picture(100 + n)
        upload = phone.begin(phone.announce(ticket, slot, photo))["upload"]
        middle = len(photo) // 2
        assert phone.put(upload, 0, photo[:middle]).status_code == 200
        with ThreadPoolExecutor(6) as threads:
            ends = [
                threads.submit(doors[i % 2].put, upload, middle, photo[middle:]) for i in range(6)
            ]
            answers = [end.result() for end in ends]
        assert {a.status_code for a in answers} == {200}, [a.text for a in answers]
        assert len({a.content for a in answers}) == 1
    assert [f["slot"] for f in facts(house, ticket)] == list(SLOTS)


def test_beginning_again_is_the_same_upload(house: House, phone: Phone) -> None:
    ticket, photo, once = on_site(house, phone), picture(200), key()
    body = phone.announce(ticket, "fault_point", photo)
    first = phone.begin(body, once)
    assert (first["have"], first["bytes"], first["done"]) == (0, len(photo), None)
    phone.put(first["upload"], 0, photo[:1000])
    assert phone.begin(body, once) == first | {"have": 1000}
    other = phone.caller.post("/api/crew/uploads", body | {"slot": "in_progress"}, key=once)
    assert refused(other) == (422, "key_reused")
    phone.put(first["upload"], 1000, photo[1000:])
    assert phone.begin(body, once)["done"]["slot"] == "fault_point"


def test_an_answer_that_was_lost_is_given_again(house: House, phone: Phone) -> None:
    """Of a process that was killed between the last byte and the answer: an empty chunk ends it."""
    ticket, photo = on_site(house, phone), picture(210)
    upload = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    assert phone.put(upload, 0, photo[:-1]).status_code == 200
    house.sql("UPDATE upload SET have = bytes WHERE upload_id = $1", upload)
    file = house.data / "uploads" / str(house.company) / upload
    short = file.read_bytes()
    assert photo[:-1] not in short, "a part is sealed"
    house.sql("UPDATE upload SET have = bytes - 1 WHERE upload_id = $1", upload)
    # what a killed process had written past what the database knows is written over
    file.write_bytes(short + b"?")
    done = phone.put(upload, len(photo) - 1, photo[-1:]).json()["done"]
    assert phone.put(upload, len(photo), b"").json()["done"] == done
    assert stored(house, done["photo"]) == photo


def test_what_is_not_what_was_announced_ends_it(house: House, phone: Phone) -> None:
    ticket, photo = on_site(house, phone), picture(220)
    upload = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    wrong = phone.put(upload, 0, photo[:-1] + bytes([photo[-1] ^ 1]))
    assert refused(wrong) == (409, "hash_differs")
    assert refused(phone.put(upload, 0, photo)) == (404, "no_such_upload")
    text = b"this is no picture at all " * 40
    upload = phone.begin(phone.announce(ticket, "fault_point", text))["upload"]
    assert refused(phone.put(upload, 0, text)) == (422, "no_photo")
    upload = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    assert refused(phone.put(upload, 0, photo + b"more")) == (413, "past_the_end")
    assert refused(phone.put(upload, -1, photo)) == (422, "bad_offset")
    big = phone.announce(ticket, "room", photo, bytes=13 << 20)
    assert refused(phone.caller.post("/api/crew/uploads", big)) == (413, "photo_too_large")
    assert refused(phone.put(upload, 0, bytes((1 << 20) + 1)))[0] == 413
    assert facts(house, ticket) == []


def test_another_phone_a_ticket_of_others_and_one_that_is_over(house: House, phone: Phone) -> None:
    stranger = signed_in(house, crew_on_duty(house, "UP2"))
    ticket, photo = on_site(house, phone), picture(230)
    upload = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    assert refused(stranger.put(upload, 0, photo)) == (404, "no_such_upload")
    assert stranger.caller.http.get(f"/api/crew/uploads/{upload}").status_code == 404
    theirs = stranger.announce(ticket, "fault_point", photo)
    assert refused(begin(stranger, theirs)) == (409, "not_your_ticket")
    nowhere = stranger.announce("260101-999999", "fault_point", photo)
    assert refused(begin(stranger, nowhere)) == (404, "no_such_ticket")
    assert phone.put(upload, 0, photo).json()["done"]["photo"]
    twice = phone.announce(ticket, "fault_point", photo)
    assert refused(begin(phone, twice)) == (409, "photo_held")
    seen = house.person.get(f"/api/tickets/{ticket}")["ticket"]
    step(house.person, seen, "cancel", reason="重复登记")
    late = phone.announce(ticket, "in_progress", picture(231))
    assert refused(begin(phone, late)) == (409, "ticket_over")
    desk = house.person.post("/api/crew/uploads", phone.announce(ticket, "room", photo))
    assert refused(desk) == (403, "crew_needed")


def test_a_signed_photo_is_of_trust_a_and_its_word_is_spent(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    words = visit(phone, ticket)["nonces"]
    assert set(words) == {*SLOTS, "door", "notice"}
    done = phone.send(ticket, "fault_point", picture(240), nonce=words["fault_point"][0])
    assert (done["trust"], done["said"]) == ("a", [])
    (fact,) = facts(house, ticket)
    assert (fact["nonce_holds"], fact["signature_holds"]) == (True, True)
    assert words["fault_point"][0] not in visit(phone, ticket)["nonces"]["fault_point"]
    # the same word again, a word of another slot, one of nobody's, another key, a changed line
    body = phone.announce(ticket, "in_progress", picture(245), nonce=words["in_progress"][0])
    stranger = signed_in(house, phone.crew)
    cases: list[tuple[str, dict[str, Any], list[str]]] = [
        ("fault_point", {"nonce": words["fault_point"][0]}, ["nonce_refused"]),
        ("in_progress", {"nonce": words["user_confirmation"][1]}, ["nonce_refused"]),
        ("in_progress", {"nonce": "0.1.AAAA"}, ["nonce_refused"]),
        ("in_progress", {"nonce": words["in_progress"][1], "signature": stranger.sign(body)},
         ["signature_refused"]),
        ("in_progress", {"nonce": words["in_progress"][2], "signature": body["signature"]},
         ["signature_refused"]),
    ]  # fmt: skip
    for n, (slot, more, said) in enumerate(cases):
        done = phone.send(ticket, slot, picture(250 + n), **more)
        assert (done["trust"], done["said"]) == ("c", [*said, "to_a_person"]), (n, done)
    gallery = phone.send(ticket, "user_confirmation", picture(260), source="gallery")
    assert (gallery["trust"], gallery["said"]) == ("c", ["gallery", "to_a_person"])
    far = phone.fix(lon=126.70)
    away = phone.send(ticket, "user_confirmation", picture(261), fix=far)
    assert "out_of_fence" in away["said"]


def visit(phone: Phone, ticket: str) -> Any:
    return next(v for v in phone.today()["visits"] if v["ticket"] == ticket)


def test_a_phone_may_leave_only_so_many_unfinished(house: House) -> None:
    own = signed_in(house, crew_on_duty(house, "UP3"))
    ticket = on_site(house, own)
    body = own.announce(ticket, "fault_point", picture(270))
    begun = [own.begin(body, f"many-{n:04d}")["upload"] for n in range(64)]
    more = own.announce(ticket, "in_progress", picture(271))
    assert refused(begin(own, more)) == (409, "too_many_uploads")
    assert own.put(begun[0], 0, picture(270)).json()["done"]
    assert begin(own, more).status_code == 201
    assert refused(begin(own, more)) == (409, "too_many_uploads")
    house.sql(
        "UPDATE upload SET moved_at = now() - interval '2 hours' WHERE upload_id = ANY($1)",
        begun[0:3],
    )
    assert begin(own, more).status_code == 201, "the oldest that stood still gave way"
    open_now = [own.caller.http.get(f"/api/crew/uploads/{u}").status_code for u in begun[:3]]
    assert sorted(open_now) == [200, 200, 404]


def test_a_photo_that_is_let_be_on_the_phone_ends_its_upload(house: House) -> None:
    phone = signed_in(house, crew_on_duty(house, "UP6"))
    ticket, photo = on_site(house, phone), picture(275)
    stranger = signed_in(house, phone.crew)
    upload = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    phone.put(upload, 0, photo[:500])
    part = house.data / "uploads" / str(house.company) / upload
    path = f"/api/crew/uploads/{upload}"
    assert stranger.caller.http.delete(path).status_code == 204
    assert part.exists(), "of another phone"
    for _ in range(2):
        assert phone.caller.http.delete(path).status_code == 204
    assert not part.exists()
    assert refused(phone.put(upload, 500, photo[500:])) == (404, "no_such_upload")
    kept = phone.begin(phone.announce(ticket, "fault_point", photo))["upload"]
    done = phone.put(kept, 0, photo).json()["done"]
    assert phone.caller.http.delete(f"/api/crew/uploads/{kept}").status_code == 204
    assert phone.how_far(kept)["done"] == done, "what is finished stays"


def test_what_nobody_goes_on_with_is_swept_after_a_week(new_house: NewHouse) -> None:
    with new_house(apart=True) as own:
        phone = signed_in(own, crew_on_duty(own, "UP4"))
        ticket, photo = on_site(own, phone), picture(280)
        old, young = (phone.begin(phone.announce(ticket, s, photo))["upload"] for s in SLOTS[:2])
        for upload in (old, young):
            phone.put(upload, 0, photo[:500])
        folder = own.data / "uploads" / str(own.company)
        own.sql("UPDATE upload SET begun_at = now() - interval '8 days' WHERE upload_id = $1", old)
        own.cores[0].stop()
        own.core()  # it looks as it starts, and then every ten minutes
        eventually(lambda: not (folder / old).exists(), "the old part is gone", within_s=90)
        assert (folder / young).exists()
        assert refused(phone.put(old, 500, photo[500:])) == (404, "no_such_upload")
        assert phone.put(young, 500, photo[500:]).json()["done"]


def test_a_revoked_phone_sends_nothing_more(house: House) -> None:
    own = signed_in(house, crew_on_duty(house, "UP5"))
    ticket, photo = on_site(house, own), picture(290)
    upload = own.begin(own.announce(ticket, "fault_point", photo))["upload"]
    house.person.post(f"/api/crews/UP5/devices/{own.device}/revoke")
    assert own.put(upload, 0, photo).status_code == 401
    assert Caller(house.url).http.put(f"/api/crew/uploads/{upload}").status_code == 401
