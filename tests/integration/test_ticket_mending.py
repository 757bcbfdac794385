"""What people mend on a ticket: kind, owner, place, photos, and two that are one."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any

import httpx
import pytest
from path_house import Caller, House
from path_work import carry, crew_on_duty, receive, step


def png(width: int = 3, height: int = 2, seed: int = 0) -> bytes:
    """A whole small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + bytes([seed % 256]) * 3 * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def send(by: Caller, data: bytes) -> httpx.Response:
    return by.http.post("/api/photos", content=data, headers={"Content-Type": "image/png"})


def mend(house: House, ticket: Any, name: str, **body: Any) -> httpx.Response:
    path = f"/api/tickets/{ticket['id']}/{name}"
    return house.person.post(path, {"version": ticket["version"]} | body)


def facts(house: House, ticket: Any) -> list[str]:
    return [f["kind"] for f in house.person.get(f"/api/tickets/{ticket['id']}")["trace"]]


def test_kind_and_owner_are_changed_by_a_person(house: House) -> None:
    ticket = receive(house.person, accepted=True)
    assert ticket["owner"] == "admin"
    ticket = mend(house, ticket, "kind", kind="repair", reason_code="misheard").json()
    assert ticket["kind"] == "repair"
    assert mend(house, ticket, "kind", kind="leak", reason_code="other").json()["code"] == (
        "reason_needed"
    )
    same = mend(house, ticket, "kind", kind="repair", reason_code="misheard")
    assert (same.status_code, same.json()["code"]) == (422, "same_kind")
    nobody = mend(house, ticket, "owner", owner="nobody here")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no_such_person")
    assert mend(house, ticket, "owner", owner="admin").json()["code"] == "same_owner"
    assert facts(house, ticket) == ["ticket_received", "ticket_accepted", "ticket_kind_changed"]


def test_the_first_contact_owns_the_ticket_until_the_call_back(house: House) -> None:
    crew = crew_on_duty(house, "MD1")
    ticket = receive(house.source)
    assert ticket["owner"] is None
    ticket = step(house.person, ticket, "accept")
    ticket = carry(house.person, ticket, crew, "verify")
    assert ticket["owner"] == "admin"
    again = step(house.source, ticket, "reopen")
    assert again["owner"] == "admin"


def test_photos_are_kept_sealed_and_attached(house: House) -> None:
    data = png(640, 480)
    kept = send(house.source, data)
    assert kept.status_code == 201
    photo = kept.json()
    assert photo == {
        "id": hashlib.sha256(data).hexdigest(), "bytes": len(data), "width": 640, "height": 480,
    }  # fmt: skip
    assert send(house.person, data).json() == photo
    shown = house.person.http.get(f"/api/photos/{photo['id']}")
    assert (shown.content, shown.headers["content-type"]) == (data, "image/png")
    for file in (house.data / "photos").rglob("*"):
        assert not file.is_file() or (b"PNG" not in file.read_bytes()[:64])
    ticket = receive(house.person, photos=[photo["id"]])
    assert ticket["photos"] == 1
    assert mend(house, ticket, "photos", photos=[photo["id"]]).json()["code"] == "no_photos"
    other = send(house.person, png(seed=7)).json()
    assert mend(house, ticket, "photos", photos=[other["id"]]).json()["photos"] == 2
    missing = mend(house, ticket, "photos", photos=["f" * 64])
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_photo")


def test_a_photo_is_seen_by_people_of_its_company_only(house: House) -> None:
    photo = send(house.person, png(seed=9)).json()["id"]
    refused = house.source.http.get(f"/api/photos/{photo}")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
    _, token = house.open_company("photosother")
    other = Caller(house.url, token)
    answer = other.post("/api/requests", {"kind": "leak", "source": "app", "building": "B01",
                                          "photos": [photo]})  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_photo")
    assert house.person.http.get("/api/photos/..%2f..%2fkeys").status_code == 404


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "no_photo"), (b"GIF89a" + bytes(50), 422, "no_photo"),
        (png()[:-8], 422, "no_photo"), (png()[:20], 422, "no_photo"),
        (b"<svg onload=alert(1)>", 422, "no_photo"),
        (b"\xff\xd8\xff" + bytes(99), 422, "no_photo"),
        (png() + bytes(10 << 20), 413, None),
    ],
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused(
    house: House, data: bytes, status: int, code: str | None
) -> None:
    answer = send(house.person, data)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code


def test_two_tickets_that_are_one_are_merged(house: House) -> None:
    crew = crew_on_duty(house, "MD2")
    one = receive(house.person, level="yellow", accepted=True, reports=2)
    two = carry(house.person, receive(house.person, level="red"), crew, "confirm")
    merged = mend(house, two, "merge", into=one["id"])
    assert merged.status_code == 200, merged.text
    kept = merged.json()
    assert (kept["id"], kept["reports"], kept["level"]) == (one["id"], 3, "red")
    gone = house.person.get(f"/api/tickets/{two['id']}")["ticket"]
    assert (gone["state"], gone["merged_into"], gone["possible"]) == ("cancelled", one["id"], [])
    assert house.person.get(f"/api/crews/{crew}")["tickets"] == []
    assert facts(house, one)[-2:] == ["ticket_absorbed", "ticket_level_changed"]
    assert mend(house, kept, "merge", into=one["id"]).json()["code"] == "same_ticket"
    again = mend(house, kept, "merge", into=two["id"])
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    unknown = mend(house, kept, "merge", into="260101-999999")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_ticket")


def test_a_merged_ticket_leaves_the_wall_and_the_other_counts_for_both(house: House) -> None:
    from path_house import eventually

    one, two = receive(house.person), receive(house.person)
    rows = lambda: {  # noqa: E731
        r["key"]: r["row"] for r in house.person.get("/api/layers/tickets")["rows"]
    }
    eventually(lambda: {one["id"], two["id"]} <= set(rows()), "both are on the wall")
    mend(house, two, "merge", into=one["id"])
    eventually(lambda: two["id"] not in rows() and rows()[one["id"]]["reports"] == 2, "one is left")


def test_a_ticket_is_moved_to_the_door_that_was_found(house: House) -> None:
    ticket = receive(house.person, building="B02")
    wrong = mend(house, ticket, "place", household="H-041", building="B07")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "household_elsewhere")
    assert mend(house, ticket, "place").json()["code"] == "no_place"
    assert mend(house, ticket, "place", household="?").json()["code"] == "no_such_household"
    moved = mend(house, ticket, "place", building="B07").json()
    assert (moved["building"], moved["version"]) == ("B07", ticket["version"] + 1)
    stale = mend(house, ticket, "place", building="B08")
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    page = house.person.get("/api/tickets", building="B07", limit=500)
    assert ticket["id"] in {t["id"] for t in page["items"]}
