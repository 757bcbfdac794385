"""Evidence photos as people see them: drawn again without metadata or faces, to whom they belong,
originals with a line in the book, and the points that two photos share."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from path_house import House, NewHouse, eventually
from path_phone import Phone, key, signed_in
from path_work import crew_on_duty, receive, step
from photo_house import jpeg, scene
from PIL import Image
from test_calls import seat

from server.adapters import photo_features
from server.adapters.faces import Faces
from server.adapters.image_reader import SIDE
from server.adapters.photo_blobs import open_blobs
from server.adapters.photo_retention import let_go
from server.adapters.pool import Pool

CREWS = itertools.count(1)
PORTRAIT = Path(__file__).resolve().parents[3] / "shared/data/photo/exif"


@pytest.fixture(scope="module")
def house(new_house: NewHouse) -> Iterator[House]:
    with new_house(apart=True) as house:
        yield house


@pytest.fixture
def phone(house: House) -> Phone:
    """Of a crew of its own: a crew has six tickets in hand at most."""
    return signed_in(house, crew_on_duty(house, f"VIEW{next(CREWS)}"))


def on_site(house: House, phone: Phone) -> str:
    ticket = receive(house.person, household="H-001", building=None, accepted=True, separate=True)
    name = str(step(house.person, ticket, "dispatch", crew=phone.crew)["id"])
    phone.check_in_key = key("in")
    phone.ok(name, "check-in", once=phone.check_in_key)
    return name


def tagged(image: Image.Image, turned: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010F] = "SecretMaker"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, exif=exif, comment=b"a name of a resident")
    return out.getvalue()


def sql(house: House, query: str, *args: Any) -> list[Any]:
    async def ask() -> list[Any]:
        c = await asyncpg.connect(house.database_url, timeout=10)
        try:
            return list(await c.fetch(query, *args))
        finally:
            await c.close()

    return asyncio.run(ask())


def test_a_view_is_small_upright_and_says_nothing_more(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    picture = scene(71, 2000, 1500)
    photo = phone.send(ticket, "fault_point", tagged(picture, 6))["photo"]
    path = f"/api/evidence/{ticket}/photos/{photo}"
    answer = house.person.http.get(path)
    assert answer.status_code == 200, answer.text
    assert b"SecretMaker" not in answer.content
    assert b"a name of a resident" not in answer.content
    view = Image.open(io.BytesIO(answer.content))
    assert (view.format, view.size) == ("JPEG", (1200, 1600))
    assert not view.getexif()
    upright = picture.rotate(-90, expand=True).resize((60, 80))
    apart = np.abs(np.asarray(view.resize((60, 80)), float) - np.asarray(upright, float))
    assert apart.mean() < 12
    thumb = Image.open(io.BytesIO(house.person.http.get(path, params={"size": "thumb"}).content))
    assert max(thumb.size) == 320
    again = house.person.http.get(path)
    assert again.content == answer.content  # kept, and sealed: no file of the house holds it
    for file in (house.data / "photos").rglob("*.sealed"):
        assert answer.content[:64] not in file.read_bytes()
    assert house.person.http.get(path, params={"size": "huge"}).status_code in {400, 422}
    other = on_site(house, phone)
    lost = house.person.http.get(f"/api/evidence/{other}/photos/{photo}")
    assert (lost.status_code, lost.json()["code"]) == (404, "no_such_photo")


def test_only_managers_fetch_an_original_and_it_is_written_down(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    data = tagged(scene(72))
    photo = phone.send(ticket, "user_confirmation", data)["photo"]
    path = f"/api/evidence/{ticket}/photos/{photo}/original"
    at_desk, wall = seat(house, "seat-72", "seat"), seat(house, "wall-72", "wall")
    refused = at_desk.http.get(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")
    for asked in (path, path.removesuffix("/original"), f"/api/evidence/{ticket}"):
        shut = wall.http.get(asked)
        assert (shut.status_code, shut.json()["code"]) == (403, "role_needed")
    assert at_desk.http.get(path.removesuffix("/original")).status_code == 200
    about = f"photo:{ticket}/{photo}"
    lines = "SELECT by_whom FROM resident_access WHERE what = $1"
    assert not sql(house, lines, about)
    whole = house.person.http.get(path)
    assert (whole.status_code, whole.content) == (200, data)
    assert len(sql(house, lines, about)) == 1
    plain = house.person.http.get(f"/api/photos/{photo}")
    assert (plain.status_code, plain.json()["code"]) == (403, "evidence_photo")


def test_the_points_of_two_photos_lie_where_the_views_show_them(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    whole = scene(73, 1600, 1200)
    left, top, right, bottom = 200, 150, 1400, 1100
    part = whole.crop((left, top, right, bottom))
    photos = [
        phone.send(ticket, slot, data)["photo"]
        for slot, data in (
            ("fault_point", jpeg(whole)), ("in_progress", tagged(part.rotate(90, expand=True), 6)),
        )
    ]  # fmt: skip
    for photo, picture in zip(photos, (whole, part.rotate(90, expand=True)), strict=True):
        grey = picture.convert("L")
        grey.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        points = photo_features.points_of(np.ascontiguousarray(np.asarray(grey)))
        sql(
            house,
            "INSERT INTO photo_features (company_id, photo_id, points) VALUES ($1, $2, $3)",
            house.company, photo, points,
        )  # fmt: skip
    found = house.person.get(f"/api/evidence/{ticket}/match/{photos[0]}/{photos[1]}")["points"]
    assert len(found) >= 20
    for spot in found:
        x, y = spot["x"] * 1600, spot["y"] * 1200
        assert (spot["twin_x"] * (right - left) + left) == pytest.approx(x, abs=25)
        assert (spot["twin_y"] * (bottom - top) + top) == pytest.approx(y, abs=25)


@pytest.mark.skipif(not PORTRAIT.exists(), reason="the photos are not here")
def test_faces_are_blurred_and_little_else() -> None:
    faces = Faces()
    found = 0
    for name in ("jpg__exif-org__canon-ixus.jpg", "jpg__exif-org__sony-cybershot.jpg"):
        picture = Image.open(PORTRAIT / name).convert("RGB")
        boxes = faces.found(picture)
        shown = faces.blurred(picture)
        found += len(boxes)
        before, after = np.asarray(picture, float), np.asarray(shown, float)
        outside = np.ones(before.shape[:2], bool)
        for left, top, right, bottom in boxes:
            outside[top:bottom, left:right] = False
            detail = np.abs(np.diff(before[top:bottom, left:right], axis=1)).mean()
            left_of_it = np.abs(np.diff(after[top:bottom, left:right], axis=1)).mean()
            assert left_of_it < detail
        assert (before[outside] == after[outside]).all()
        assert outside.mean() > 0.3
    assert found
    assert not faces.found(Image.new("RGB", (640, 480), (120, 130, 140)))


def let_go_of(house: House, was: Any) -> int:
    """A round of the retention job when everything of today is years old."""

    async def go() -> int:
        pool = Pool(house.app_url)
        later = house.business_now() + timedelta(days=1)
        try:
            async with pool.company(house.company) as c:
                return await let_go(
                    c, house.company, open_blobs(None, house.data / "photos"), was=was,
                    before=later, now=later, most=100,
                )  # fmt: skip
        finally:
            await pool.close()

    return asyncio.run(go())


def test_old_pictures_go_and_what_was_found_of_them_stays(house: House, phone: Phone) -> None:
    tickets = [on_site(house, phone) for _ in range(3)]
    over, held, still_open = tickets
    files = {ticket: tagged(scene(80 + n, 800, 600)) for n, ticket in enumerate(tickets)}
    photos = {t: phone.send(t, "fault_point", data)["photo"] for t, data in files.items()}
    paths = {t: f"/api/evidence/{t}/photos/{photos[t]}" for t in tickets}
    for path in paths.values():
        assert house.person.http.get(path).status_code == 200
    sql(house, "UPDATE evidence_job SET state = 'done'")
    for ticket in (over, held):
        seen = house.person.get(f"/api/tickets/{ticket}")["ticket"]
        step(house.person, seen, "cancel", reason="重复登记")
    hold = {
        "version": house.person.get(f"/api/evidence/{held}")["version"], "held": True,
        "reason_code": "other", "reason": "诉讼保全",
    }  # fmt: skip
    house.person.ok(f"/api/evidence/{held}/hold", hold)
    assert house.person.get(f"/api/evidence/{held}")["held"]

    assert let_go_of(house, "all") >= 1
    assert let_go_of(house, "all") == 0
    gone = house.person.http.get(f"{paths[over]}/original")
    assert (gone.status_code, gone.json()["code"]) == (404, "photo_gone")
    assert house.person.http.get(paths[over]).status_code == 200  # the view is kept for longer
    record = house.person.get(f"/api/evidence/{over}")["photos"]["fault_point"]
    assert record["gone"] > 0
    assert record["photo"] == photos[over]
    for ticket in (held, still_open):
        whole = house.person.http.get(f"{paths[ticket]}/original")
        assert whole.content == files[ticket]
        assert "gone" not in house.person.get(f"/api/evidence/{ticket}")["photos"]["fault_point"]
    assert let_go_of(house, "views") >= 1
    lost = house.person.http.get(paths[over])
    assert (lost.status_code, lost.json()["code"]) == (404, "photo_gone")

    other = on_site(house, phone)  # the same bytes, used again years later
    assert phone.send(other, "fault_point", files[over])["photo"] == photos[over]
    back = house.person.http.get(f"/api/evidence/{other}/photos/{photos[over]}/original")
    assert back.content == files[over]


def test_what_does_not_open_is_said(house: House, phone: Phone) -> None:
    ticket = on_site(house, phone)
    out = io.BytesIO()
    scene(74, 600, 400).save(out, "PNG")
    broken = out.getvalue()[: out.tell() // 2] + b"IEND"
    photo = phone.send(ticket, "fault_point", broken, media_type="image/png")["photo"]
    answer = house.person.http.get(f"/api/evidence/{ticket}/photos/{photo}")
    assert (answer.status_code, answer.json()["code"]) == (422, "photo_unreadable")
    assert json.loads(answer.content)["what_to_do"]
    eventually(lambda: house.person.get("/api/session"), "the web goes on")
