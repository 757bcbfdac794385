"""Photos that arrive are judged beside all that were ever seen, each verdict with its reasons."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from photo_house import PhotoHouse, jpeg, scene
from PIL import Image, ImageOps

from server.adapters.lease import Lost
from server.jobs.worker import Worker

POINT = "0101000000000000000000f03f0000000000000040"
"""WKB of a point in hexadecimal digits: no area."""
Use = Callable[[PhotoHouse], Awaitable[None]]


@pytest.fixture
def judged(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[..., None]:
    """Runs a test while two workers judge what it takes."""

    def run(use: Use, workers: int = 2) -> None:
        async def whole() -> None:
            house = PhotoHouse(fresh_database, engines.redis_url, engines.keys, tmp_path)
            children = [Worker(f"test {n}", part="photo-worker") for n in range(workers)]
            await house.open()
            judging = asyncio.ensure_future((await house.judge(children)).run())
            try:
                await use(house)
            finally:
                judging.cancel()
                await asyncio.gather(judging, return_exceptions=True)
                for child in children:
                    await child.close()
                await house.close()

        asyncio.run(whole())

    return run


def outcomes(fact: dict[str, Any]) -> dict[str, str]:
    return {code: check["outcome"] for code, check in fact["checks"].items()}


def test_three_honest_photos_are_accepted_and_the_same_ones_elsewhere_are_not(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        slots = ("fault_point", "in_progress", "user_confirmation")
        honest = await house.on_site()
        files = {slot: jpeg(scene(n)) for n, slot in enumerate(slots)}
        for slot in slots:
            await house.take(honest, slot, files[slot])
            fact = await house.judged(honest, slot)
            assert fact["verdict"] == "accept", fact
            assert set(outcomes(fact).values()) <= {"pass", "unknown"}
        assert {p.verdict for p in (await house.record(honest)).photos.values()} == {"accept"}

        again = await house.on_site("K2", "B2")
        await house.take(again, "fault_point", files["fault_point"], crew="K2", building="B2")
        fact = await house.judged(again, "fault_point")
        assert fact["verdict"] == "block"
        assert outcomes(fact)["seen_bytes"] == outcomes(fact)["seen_eye"] == "fail"
        assert (fact["twin"]["ticket"], fact["twin"]["slot"]) == (honest, "fault_point")
        mirror = jpeg(ImageOps.mirror(scene(1)), quality=60)
        await house.take(again, "in_progress", mirror, crew="K2", building="B2")
        fact = await house.judged(again, "in_progress")
        assert fact["verdict"] == "block"
        assert outcomes(fact)["seen_bytes"] == "pass"
        assert outcomes(fact)["seen_eye"] == "fail"
        assert fact["twin"]["ticket"] == honest

    judged(use)


def test_a_part_of_an_earlier_photo_of_the_building_goes_to_a_person(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        first = await house.on_site()
        whole = scene(11)
        await house.take(first, "fault_point", jpeg(whole))
        assert (await house.judged(first, "fault_point"))["verdict"] == "accept"
        width, height = whole.size
        part = whole.crop((width // 5, height // 6, width * 9 // 10, height * 9 // 10))
        for n, picture in enumerate((part, ImageOps.mirror(part.rotate(3)))):
            second = await house.on_site("K9", "B1")
            await house.take(second, "fault_point", jpeg(picture, 60), crew="K9")
            fact = await house.judged(second, "fault_point")
            assert fact["verdict"] == "review", (n, fact)
            assert fact["checks"]["seen_eye"]["outcome"] == "pass"
            assert fact["checks"]["seen_site"]["outcome"] == "fail"
            assert fact["checks"]["seen_site"]["value"] >= 20
            assert n or fact["twin"]["ticket"] == first

    judged(use)


def test_one_scene_in_two_slots_is_not_two_scenes(judged: Callable[..., None]) -> None:
    async def use(house: PhotoHouse) -> None:
        ticket = await house.on_site()
        await house.take(ticket, "fault_point", jpeg(scene(21)))
        await house.judged(ticket, "fault_point")
        await house.take(ticket, "in_progress", jpeg(scene(21), quality=40))
        fact = await house.judged(ticket, "in_progress")
        assert fact["verdict"] == "block"
        assert fact["checks"]["three_scenes"]["outcome"] == "fail"
        assert fact["twin"]["slot"] == "fault_point"
        # taken again for its own slot it is no reuse
        await house.take(ticket, "fault_point", jpeg(scene(21), quality=77))
        assert "seen_eye" in (await house.judged(ticket, "fault_point"))["checks"]

    judged(use)


def test_what_no_slot_holds_any_more_accuses_no_other_photo_of_its_round(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        ticket = await house.on_site()
        await house.take(ticket, "in_progress", jpeg(scene(61)))  # put under the wrong heading
        await house.judged(ticket, "in_progress")
        await house.take(ticket, "in_progress", jpeg(scene(62)))
        await house.take(ticket, "fault_point", jpeg(scene(61)))
        fact = await house.judged(ticket, "fault_point")
        assert fact["verdict"] == "accept", fact
        other = await house.on_site("K2", "B2")
        await house.take(other, "fault_point", jpeg(scene(61)), crew="K2", building="B2")
        fact = await house.judged(other, "fault_point")
        assert fact["checks"]["seen_bytes"]["outcome"] == "fail"

    judged(use)


def test_a_file_that_never_opened_is_known_again_by_its_bytes(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        first, second = await house.on_site(), await house.on_site("K2", "B2")
        out = io.BytesIO()
        scene(63).save(out, "PNG")
        cut = out.getvalue()[:40_000] + b"IEND"
        await house.take(first, "fault_point", cut)
        await house.judged(first, "fault_point")
        await house.take(second, "fault_point", cut, crew="K2", building="B2")
        fact = await house.judged(second, "fault_point")
        assert fact["checks"]["seen_bytes"]["outcome"] == "fail"
        assert fact["twin"]["ticket"] == first

    judged(use)


@pytest.mark.parametrize("outline", [b"", b"no geometry", bytes.fromhex(POINT), None])
def test_a_building_that_nobody_drew_well_is_measured_by_its_place(
    judged: Callable[..., None], outline: bytes | None
) -> None:
    async def use(house: PhotoHouse) -> None:
        await house.sql("UPDATE building SET outline = $1 WHERE building_id = 'B1'", outline)
        ticket = await house.on_site()
        await house.take(ticket, "fault_point", jpeg(scene(64)))
        fact = await house.judged(ticket, "fault_point")
        assert fact["checks"]["in_fence"]["outcome"] == "pass"

    judged(use)


def test_of_two_alike_that_arrive_together_exactly_one_is_the_twin(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        for seed in range(31, 35):
            pair = [await house.on_site("K1", "B1"), await house.on_site("K2", "B2")]
            for n, ticket in enumerate(pair):
                await house.take(
                    ticket, "fault_point", jpeg(scene(seed), 70 + 9 * n), crew=f"K{n + 1}",
                    building=f"B{n + 1}",
                )  # fmt: skip
            verdicts = [(await house.judged(t, "fault_point"))["verdict"] for t in pair]
            assert sorted(verdicts) == ["accept", "block"]

    judged(use)


def test_a_file_that_is_none_is_refused_and_one_from_the_gallery_goes_to_a_person(
    judged: Callable[..., None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        ticket = await house.on_site()
        out = io.BytesIO()
        scene(41).save(out, "PNG")
        whole = out.getvalue()
        await house.take(ticket, "fault_point", whole[: len(whole) // 2] + b"IEND")
        fact = await house.judged(ticket, "fault_point")
        assert (fact["verdict"], fact["checks"]["decodes"]["outcome"]) == ("block", "fail")
        await house.take(ticket, "in_progress", jpeg(scene(42)), trust="c")
        fact = await house.judged(ticket, "in_progress")
        assert (fact["verdict"], fact["trust"]) == ("review", "c")
        assert fact["checks"]["exif_intact"]["outcome"] == "unknown"
        dark = Image.new("RGB", (1200, 900), (9, 9, 9))
        await house.take(ticket, "user_confirmation", jpeg(dark))
        fact = await house.judged(ticket, "user_confirmation")
        assert fact["checks"]["lit"]["outcome"] == fact["checks"]["sharp"]["outcome"] == "warn"
        assert (fact["verdict"], fact["checks"]["seen_eye"]["outcome"]) == ("review", "unknown")

    judged(use)


def test_whoever_no_longer_leads_takes_up_nothing(
    fresh_database: str, engines: Any, tmp_path: Path
) -> None:
    async def use() -> None:
        house = await PhotoHouse(fresh_database, engines.redis_url, engines.keys, tmp_path).open()
        child = Worker("test", part="photo-worker")
        try:
            late = await house.judge([child], 1)
            await house.judge([child], 2)
            ticket = await house.on_site()
            await house.take(ticket, "fault_point", jpeg(scene(65)))
            with pytest.raises(BaseExceptionGroup) as caught:
                await late.run()
            assert caught.group_contains(Lost)
            (row,) = await house.sql("SELECT state, taken_by FROM evidence_job")
            assert (row["state"], row["taken_by"]) == ("waiting", None)
        finally:
            await child.close()
            await house.close()

    asyncio.run(use())


def test_what_was_seen_is_known_again_after_a_start(
    fresh_database: str, engines: Any, tmp_path: Path
) -> None:
    async def use() -> None:
        house = await PhotoHouse(fresh_database, engines.redis_url, engines.keys, tmp_path).open()
        child = Worker("test", part="photo-worker")
        verdicts = []
        try:
            for generation in (1, 2):
                ticket = await house.on_site(f"K{generation}", f"B{generation}")
                await house.take(
                    ticket, "fault_point", jpeg(scene(51), 60 + 9 * generation),
                    crew=f"K{generation}", building=f"B{generation}",
                )  # fmt: skip
                judging = asyncio.ensure_future((await house.judge([child], generation)).run())
                verdicts.append((await house.judged(ticket, "fault_point"))["verdict"])
                judging.cancel()
                await asyncio.gather(judging, return_exceptions=True)
        finally:
            await child.close()
            await house.close()
        assert verdicts == ["accept", "block"]

    asyncio.run(use())
