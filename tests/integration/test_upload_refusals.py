"""What the door for photos takes in of whom: a refused photo may be sent again and leaves nothing
behind; what only came late or from a phone that is new accuses nobody."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from path_house import House, NewHouse
from path_phone import Phone, key, picture, signed_in
from path_work import crew_on_duty, given, step

from dispatch_core.errors import NotFound
from dispatch_core.ids import PhotoId
from server.adapters import photo_orphans
from server.adapters.photo_blobs import name_of, open_blobs
from server.adapters.photos import Photos
from server.adapters.pictures import picture_of
from server.adapters.pool import Pool
from server.adapters.vault import Vault


@pytest.fixture(scope="module")
def house(new_house: NewHouse) -> Iterator[House]:
    with new_house(apart=True) as house:
        yield house


@pytest.fixture(scope="module")
def phone(house: House) -> Phone:
    return signed_in(house, crew_on_duty(house, "UR1"))


def on_site(house: House, phone: Phone) -> str:
    ticket = given(house, phone.crew)
    phone.ok(ticket, "check-in")
    return ticket


def ticket_of(house: House, ticket: str) -> Any:
    return house.person.get(f"/api/tickets/{ticket}")["ticket"]


def last_photo(house: House, ticket: str) -> Any:
    trace = house.person.get(f"/api/tickets/{ticket}")["trace"]
    return [f["event"] for f in trace if f["kind"] == "photo_taken"][-1]


def code(answer: httpx.Response) -> tuple[int, str]:
    problem = answer.json()
    assert problem["what_to_do"]
    return answer.status_code, problem["code"]


def words(phone: Phone, ticket: str) -> Any:
    return next(v["nonces"] for v in phone.today()["visits"] if v["ticket"] == ticket)


def test_a_photo_that_was_refused_is_sent_again_as_it_is(house: House, phone: Phone) -> None:
    """The ticket was with another crew for a while: neither the one-time word nor the signature is
    worse for it, and nothing of the refused photo is kept meanwhile."""
    other = crew_on_duty(house, "UR2")
    ticket, photo = given(house, phone.crew), picture(300)
    word = words(phone, ticket)["fault_point"][0]
    body = phone.announce(ticket, "fault_point", photo, nonce=word)
    upload = phone.begin(body)["upload"]
    step(house.person, ticket_of(house, ticket), "displace", reason_code="by_hand")
    step(house.person, ticket_of(house, ticket), "dispatch", crew=other)
    assert code(phone.put(upload, 0, photo)) == (409, "not_your_ticket")
    assert house.sql("SELECT FROM photo WHERE photo_id = $1", body["sha256"]) == []
    step(house.person, ticket_of(house, ticket), "displace", reason_code="by_hand")
    step(house.person, ticket_of(house, ticket), "dispatch", crew=phone.crew)
    again = phone.begin(body, key())["upload"]
    done = phone.put(again, 0, photo).json()["done"]
    assert done["trust"] == "a"
    assert "nonce_refused" not in done["said"]
    # another photo under the same word is none of its own
    replay = phone.send(ticket, "fault_point", picture(301), nonce=word)
    assert "nonce_refused" in replay["said"]


def test_a_word_of_the_phone_before_its_key_was_made_anew_accuses_nobody(
    house: House, phone: Phone
) -> None:
    ticket, photo = on_site(house, phone), picture(310)
    body = phone.announce(
        ticket, "fault_point", photo, nonce=words(phone, ticket)["fault_point"][0]
    )
    anew = signed_in(house, phone.crew)
    upload = anew.begin(body)["upload"]
    done = anew.put(upload, 0, photo).json()["done"]
    assert (done["trust"], done["said"]) == ("c", ["to_a_person"])
    fact = last_photo(house, ticket)
    assert (fact["nonce_holds"], fact["signature_holds"]) == (None, None)
    forged = body | {
        "slot": "in_progress", "nonce": words(phone, ticket)["in_progress"][0],
        "sha256": hashlib.sha256(picture(311)).hexdigest(), "bytes": len(picture(311)),
    }  # fmt: skip
    upload = anew.begin(forged)["upload"]
    assert "signature_refused" in anew.put(upload, 0, picture(311)).json()["done"]["said"]


def test_a_slot_takes_so_many_photos_in_a_round(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    for n in range(20):
        phone.send(ticket, "room", picture(320 + n, 32))
    more = phone.announce(ticket, "room", picture(350))
    assert code(phone.caller.post("/api/crew/uploads", more)) == (409, "too_many_photos")
    assert phone.send(ticket, "windows", picture(351))["photo"], "another slot is open"


def test_the_phones_clock_and_its_check_in_stand_with_the_photo(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    first = phone.check_in_key
    ahead = phone.now_ms() + 7_200_000
    phone.send(ticket, "fault_point", picture(360), sent_at_ms=ahead)
    assert 7_190 <= last_photo(house, ticket)["session_skew_s"] <= 7_210
    phone.send(ticket, "fault_point", picture(361))
    assert last_photo(house, ticket)["session_skew_s"] is None, "it does not say"
    phone.ok(ticket, "check-out")
    phone.ok(ticket, "check-in")
    ready = words(phone, ticket)["fault_point"]
    phone.send(ticket, "fault_point", picture(362), visit=first, nonce=ready[0])
    assert (last_photo(house, ticket)["visit"], last_photo(house, ticket)["trust"]) == (1, "a")
    phone.send(ticket, "fault_point", picture(363), nonce=ready[1])
    assert (last_photo(house, ticket)["visit"], last_photo(house, ticket)["trust"]) == (2, "a")
    phone.send(ticket, "in_progress", picture(365), visit="")
    assert last_photo(house, ticket)["visit"] == 2
    made_up = phone.send(ticket, "fault_point", picture(364), visit=key(), nonce=ready[2])
    fact = last_photo(house, ticket)
    assert (fact["visit"], fact["signature_holds"], made_up["trust"]) == (2, None, "c")


def test_a_picture_that_no_ticket_took_in_goes(house: House) -> None:
    """At once where its upload was refused, else after a day; one that is used, or is being sent,
    or that somebody else has sent too, stays."""
    asyncio.run(_unused(house))


async def _unused(house: House) -> None:
    pool = Pool(house.app_url)
    blobs = open_blobs(None, house.data / "photos")
    photos, company = Photos(pool, Vault(house.keys), blobs), house.company

    async def keep(seed: int, by: str = "crew:UR1") -> PhotoId:
        data = picture(seed)
        found = picture_of(data)
        assert found is not None
        photo = PhotoId(hashlib.sha256(data).hexdigest())
        await photos.keep(company, by, photo, found, data)
        return photo

    async def gone(photo: PhotoId) -> bool:
        try:
            await photos.read(company, photo)
        except NotFound:
            with pytest.raises(FileNotFoundError):
                await blobs.get(name_of(company, photo))
            return True
        return False

    try:
        one = await keep(400)
        await photos.let_go_unused(company, one)
        assert await gone(one)
        assert not await gone(await keep(400)), "it may come again"
        used = await pool_value(pool, company, "SELECT photo_id FROM evidence_job LIMIT 1")
        await photos.let_go_unused(company, PhotoId(used))
        assert not await gone(PhotoId(used))
        desk = await keep(401, "person:wang")
        shared = await keep(402)
        await keep(402, "source:hotline")
        under_way = await keep(403)
        async with pool.company(company) as c:
            await c.execute(
                "INSERT INTO upload (company_id, upload_id, crew_id, device_id, photo_id, asked,"
                " body_hash, bytes) VALUES ($1, 'u', 'UR1', 'd', $2, '{}', '', 9)",
                company, under_way,
            )  # fmt: skip
        old = await keep(404)
        young = await keep(405)
        assert await photos.is_evidence(company, young), "no seat opens it past the audit"
        assert not await photos.is_evidence(company, shared)
        for photo in (desk, shared, under_way, young):
            if photo != young:
                await photos.let_go_unused(company, photo)
                assert not await gone(photo)
        await asyncio.to_thread(
            house.sql,
            "UPDATE photo SET taken_in_at = now() - interval '2 days' WHERE photo_id <> $1",
            young,
        )
        async with pool.company(company) as c:
            await photo_orphans.sweep(c, company, blobs)
        assert await gone(old)
        for photo in (PhotoId(used), desk, shared, under_way, young):
            assert not await gone(photo)
    finally:
        await pool.close()


async def pool_value(pool: Pool, company: int, query: str) -> Any:
    async with pool.company(company, readonly=True) as c:
        return await c.fetchval(query)
