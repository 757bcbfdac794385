"""Sham tickets of 20 kinds and honest ones, through the real checks: how many are stopped.

Seeded. Scenes are made (there are too few real photos for so many honest tickets), reused ones are
changed as people change them. A sham ticket is stopped where it is blocked or goes to a person.
"""

from __future__ import annotations

import io
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from PIL import Image

from benchmarks._figure import figure
from benchmarks._photo_changes import CHANGES, Picture, jpeg, scene
from benchmarks._sham_site import SLOTS, T0, Entry, M, Memory, Outcome, Sent, Ticket, outcome
from dispatch_core.events import SiteFix
from geo.fixes import Fix

OF_A_KIND = 50
HONEST = 300
CREWS = 240
MINUTE = 60_000
LON, LAT = 126.60, 45.75
LOCAL = timezone(timedelta(hours=8))


Make = Callable[["Town", Ticket, Memory], None]
"""Turns an honest ticket into a sham one."""


class Town:
    """Makes tickets; each has a building of its own, and one of many crews."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._scenes = 0
        self._tickets = 0
        self.last_year: list[tuple[Ticket, list[Picture]]] = []

    def picture(self) -> Picture:
        """A scene nobody has seen."""
        self._scenes += 1
        return scene(self._scenes, 800, 600)

    def honest(self, crew: str | None = None, building: str | None = None) -> Ticket:
        """A visit as it should be: on the way, there, three photos in the app, in time."""
        dice = self.dice
        self._tickets += 1
        n = self._tickets
        lon, lat = LON + 0.004 * (n % 50), LAT + 0.003 * (n // 50)
        came = T0 + n * 3 * MINUTE
        accuracy = dice.uniform(4, 20)
        fix = near(dice, lon, lat, accuracy, came - 2000)
        track = [
            Fix(came - k * MINUTE, fix.lon - 0.004 * k * dice.uniform(0.8, 1.2), fix.lat,
                dice.uniform(4, 20))
            for k in range(4, 0, -1)
        ]  # fmt: skip
        heard = came + dice.randrange(200, 3000)
        skew = dice.randrange(-20_000, 20_000)
        photos = {}
        for number, slot in enumerate(SLOTS):
            at = came + (4 + 9 * number) * MINUTE
            photos[slot] = Sent(
                jpeg(self.picture(), dice.randrange(70, 95)), captured_ms=at,
                fix=near(dice, lon, lat, dice.uniform(4, 25), at), arrived_ms=at + 4000,
            )  # fmt: skip
        return Ticket(
            name=f"t{n:05d}", crew=crew or f"K{dice.randrange(CREWS)}",
            building=building or f"B{n}", lon=lon, lat=lat,
            entry=Entry(fix, came, heard, heard + skew, track=track), photos=photos,
        )  # fmt: skip


def near(dice: random.Random, lon: float, lat: float, accuracy: float, at: int) -> SiteFix:
    """A fix of somebody at the building's middle, wrong as its accuracy says (68 %)."""
    sigma = accuracy / 1.51
    return SiteFix(
        lon=lon + (30 + dice.gauss(0, sigma)) * M / 0.7, lat=lat + (7 + dice.gauss(0, sigma)) * M,
        accuracy_m=accuracy, at_ms=at,
    )  # fmt: skip


def with_exif(picture: Picture, at_ms: int, software: str = "", changed_ms: int = 0) -> bytes:
    """As a camera writes it, or as an editor leaves it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "HUAWEI", "LIO-AL00"
    exif[0x0132] = stamp(changed_ms or at_ms)
    if software:
        exif[0x0131] = software
    exif.get_ifd(0x8769)[0x9003] = stamp(at_ms)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, exif=exif)
    return out.getvalue()


def stamp(at_ms: int) -> str:
    """The camera's clock, the city's time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(LOCAL).strftime("%Y:%m:%d %H:%M:%S")


def opened(data: bytes) -> Picture:
    """The picture in a file."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def entry_of(ticket: Ticket) -> Entry:
    """Its check-in."""
    assert ticket.entry is not None
    return ticket.entry


def dim(picture: Picture, light: float, grain: float, seed: int) -> Picture:
    """As a camera sees it with so much less light."""
    noise = np.random.default_rng(seed).normal(0, grain, (picture.height, picture.width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) * light + noise, 0, 255).astype(np.uint8))


def faded(picture: Picture) -> Picture:
    """With a twentieth of its contrast."""
    a = np.asarray(picture).astype(np.float32)
    return Image.fromarray(np.clip(a.mean() + 0.05 * (a - a.mean()), 0, 255).astype(np.uint8))


def reused(change: Callable[[Picture], Picture] | None, *, crew: bool, building: bool) -> Make:
    """All three photos are of an earlier ticket, of the same crew or building, changed."""

    def make(town: Town, ticket: Ticket, memory: Memory) -> None:
        old = town.honest(
            crew=ticket.crew if crew else None, building=ticket.building if building else None
        )
        if not crew:
            old.crew = f"of-{old.name}"
        outcome(old, memory)
        for slot, sent in ticket.photos.items():
            data = old.photos[slot].data
            if change is not None:
                data = jpeg(change(opened(data)), 80)
            sent.data = data

    return make


def thrice(town: Town, ticket: Ticket, memory: Memory) -> None:
    """One photo for all three, saved anew and cut a little."""
    del memory
    first = opened(ticket.photos["fault_point"].data)
    ticket.photos["in_progress"].data = jpeg(first, 60)
    ticket.photos["user_confirmation"].data = jpeg(
        CHANGES["crop_5"](first), town.dice.randrange(50, 90)
    )


def mock(town: Town, ticket: Ticket, memory: Memory) -> None:
    """A place made up, and the phone says so."""
    del town, memory
    entry_of(ticket).mock = True


def same_fix(town: Town, ticket: Ticket, memory: Memory) -> None:
    """A place made up: the same to the last digit, again and again."""
    del town, memory
    entry = entry_of(ticket)
    assert entry.fix is not None
    fix = entry.fix
    entry.track = [
        Fix(fix.at_ms - k * MINUTE, fix.lon, fix.lat, fix.accuracy_m) for k in range(6, 0, -1)
    ]


def teleport(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Two minutes ago it was some 25 km away."""
    del memory
    entry = entry_of(ticket)
    assert entry.fix is not None
    at, lat, far = entry.fix.at_ms, entry.fix.lat, entry.fix.lon - town.dice.uniform(0.28, 0.4)
    entry.track = [Fix(at - k * MINUTE, far - 0.004 * k, lat, 9.0) for k in (5, 4, 3, 2)]


def zero(town: Town, ticket: Ticket, memory: Memory) -> None:
    """A place made up, exact to the point."""
    del town, memory
    entry = entry_of(ticket)
    assert entry.fix is not None
    entry.fix = SiteFix(lon=entry.fix.lon, lat=entry.fix.lat, accuracy_m=0.0, at_ms=entry.fix.at_ms)


def never_there(town: Town, ticket: Ticket, memory: Memory) -> None:
    """No check-in, photos of anything."""
    del town, memory
    ticket.entry = None


def depot(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Checked in from the depot, kilometres away, photos too."""
    del memory
    entry = entry_of(ticket)
    away_lon, away_lat = ticket.lon + town.dice.uniform(0.02, 0.08), ticket.lat - 0.02
    entry.fix = near(town.dice, away_lon, away_lat, 9.0, entry.at_device_ms - 2000)
    entry.track = []
    for sent in ticket.photos.values():
        sent.fix = near(town.dice, away_lon, away_lat, 9.0, sent.captured_ms or 0)


def clock_back(town: Town, ticket: Ticket, memory: Memory) -> None:
    """The phone's clock is turned back by hours."""
    del memory
    back = town.dice.randrange(1, 8) * 60 * MINUTE
    entry = entry_of(ticket)
    assert entry.fix is not None
    assert entry.sent_at_ms is not None
    entry.at_device_ms -= back
    entry.sent_at_ms -= back
    entry.fix = SiteFix(lon=entry.fix.lon, lat=entry.fix.lat, accuracy_m=entry.fix.accuracy_m,
                        at_ms=entry.fix.at_ms - back)  # fmt: skip
    entry.track = []
    for sent in ticket.photos.values():
        sent.captured_ms = (sent.captured_ms or 0) - back


def gallery(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Photos of another day from the gallery, stripped."""
    del town, memory
    for sent in ticket.photos.values():
        sent.source = "gallery"
        sent.nonce = sent.signature = sent.captured_ms = sent.fix = None


def edited(town: Town, ticket: Ticket, memory: Memory) -> None:
    """From the gallery, with the time of taking written over by an editor."""
    gallery(town, ticket, memory)
    for sent in ticket.photos.values():
        software = town.dice.choice(["Adobe Photoshop 25.0", "GIMP 2.10", "PicsArt", "exiftool"])
        at = sent.arrived_ms - 2 * MINUTE
        sent.data = with_exif(opened(sent.data), at, software, at + 30 * MINUTE)


def written(town: Town, ticket: Ticket, memory: Memory) -> None:
    """From the gallery, with the time of taking written by a tool that does not name itself."""
    gallery(town, ticket, memory)
    for sent in ticket.photos.values():
        sent.data = with_exif(opened(sent.data), sent.arrived_ms - 2 * MINUTE)


def covered(town: Town, ticket: Ticket, memory: Memory) -> None:
    """In the app, in time and at the place, with a thumb on the lens."""
    del memory
    for sent in ticket.photos.values():
        dice = town.dice
        thumb = Image.new("RGB", (800, 600), (dice.randrange(2, 60), dice.randrange(2, 12), 3))
        sent.data = jpeg(dim(thumb, 1.0, dice.uniform(0.5, 4), dice.randrange(1 << 30)))


def old_exif(town: Town, ticket: Ticket, memory: Memory) -> None:
    """From the gallery, the camera's record whole: it was weeks ago."""
    gallery(town, ticket, memory)
    for sent in ticket.photos.values():
        days = town.dice.randrange(2, 60)
        sent.data = with_exif(opened(sent.data), sent.arrived_ms - days * 24 * 60 * MINUTE)


def word_twice(town: Town, ticket: Ticket, memory: Memory) -> None:
    """The one-time word was spent before."""
    del town, memory
    ticket.photos["in_progress"].nonce = False


def forged(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Signed by no phone of the crew."""
    del memory
    ticket.photos[town.dice.choice(SLOTS)].signature = False


def elsewhere(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Checked in at the door, photographed kilometres away."""
    del memory
    sent = ticket.photos[town.dice.choice(SLOTS)]
    away = ticket.lon + town.dice.uniform(0.01, 0.05)
    sent.fix = near(town.dice, away, ticket.lat, 10.0, sent.captured_ms or 0)


def before(town: Town, ticket: Ticket, memory: Memory) -> None:
    """Photographed in the app hours before it came."""
    del memory
    for sent in ticket.photos.values():
        sent.captured_ms = entry_of(ticket).at_device_ms - town.dice.randrange(10, 300) * MINUTE


KINDS: dict[str, Make] = {
    "last_years_photos": reused(CHANGES["chat"], crew=False, building=True),
    "a_colleagues_photos": reused(None, crew=False, building=False),
    "one_photo_thrice": thrice,
    "photo_of_a_screen": reused(CHANGES["recaptured"], crew=True, building=False),
    "cropped_20_percent": reused(CHANGES["crop_20"], crew=False, building=True),
    "mirrored": reused(CHANGES["mirror"], crew=False, building=False),
    "with_a_banner": reused(CHANGES["crop_10_banner_chat"], crew=True, building=False),
    "turned_and_cropped": reused(CHANGES["rotate_3_crop_20"], crew=True, building=False),
    "fake_gps_said": mock, "fake_gps_repeated": same_fix, "fake_gps_jump": teleport,
    "fake_gps_exact": zero, "no_visit": never_there, "checked_in_at_the_depot": depot,
    "clock_turned_back": clock_back, "gallery_upload": gallery, "gallery_edited": edited,
    "gallery_weeks_old": old_exif, "word_used_twice": word_twice, "taken_before_it_came": before,
}  # fmt: skip
MORE: dict[str, Make] = {
    "forged_signature": forged, "photographed_elsewhere": elsewhere,
    "last_years_photos_faded": reused(faded, crew=False, building=True),
    "covered_lens": covered, "gallery_exif_written": written,
}  # fmt: skip
MISSED: dict[str, Make] = {
    "colleagues_photos_cropped_40": reused(CHANGES["crop_40"], crew=False, building=False),
    "fake_gps_perfect_new_photos": lambda town, ticket, memory: None,
}
"""What the checks are known not to see: points are only compared within a building and a crew, and
a made-up way that moves and errs as a true one does is one."""
STOPPED = {"block", "review"}


def sham(town: Town, memory: Memory, each: int) -> None:
    """Every kind, and all together."""
    stopped = total = 0
    for kind, make in (KINDS | MORE | MISSED).items():
        found = Counter[str]()
        for _ in range(each):
            ticket = town.honest()
            make(town, ticket, memory)
            found[outcome(ticket, memory).verdict] += 1
        held = sum(found[verdict] for verdict in STOPPED)
        if kind in KINDS:
            stopped, total = stopped + held, total + each
        judged = kind not in MISSED
        figure(
            f"sham.{kind}", 100 * held / each, "%", target=">= 95 %" if judged else None,
            ok=held >= 0.95 * each if judged else None,
            note=", ".join(f"{n} {verdict}" for verdict, n in sorted(found.items())),
        )  # fmt: skip
    share = 100 * stopped / total
    figure(
        "sham.stopped", share, "%", target=">= 95 %", ok=share >= 95,
        note=f"{total} tickets of {len(KINDS)} kinds; {len(MORE | MISSED)} kinds more are printed"
        " beside them",
    )  # fmt: skip


def honest(town: Town, memory: Memory, count: int) -> None:
    """Honest ones: half have their photos from a chat, stripped, a poor fix, or little light."""
    found: list[Outcome] = []
    poor = Counter[str]()
    for n in range(count):
        ticket = town.honest()
        if n % 6 == 0:
            gallery(town, ticket, memory)
        elif n % 6 == 3:
            entry = entry_of(ticket)
            accuracy = town.dice.uniform(25, 90)
            entry.fix = near(town.dice, ticket.lon, ticket.lat, accuracy, entry.at_device_ms - 2000)
            for sent in ticket.photos.values():
                wide = town.dice.uniform(25, 90)
                sent.fix = near(town.dice, ticket.lon, ticket.lat, wide, sent.captured_ms or 0)
        elif n % 6 == 5:
            light = town.dice.uniform(0.15, 0.4)
            for sent in ticket.photos.values():
                sent.data = jpeg(dim(opened(sent.data), light, 3.0, n))
        one = outcome(ticket, memory)
        found.append(one)
        if one.beside_c != "accept":
            poor.update(one.codes)
    blocked = 100 * sum(o.verdict == "block" for o in found) / count
    beside = 100 * sum(o.beside_c not in {"accept", "block"} for o in found) / count
    why = ", ".join(f"{code} {n}" for code, n in poor.most_common(6))
    figure("sham.honest_blocked", blocked, "%", target="<= 1 %", ok=blocked <= 1)
    figure("sham.honest_to_a_person", beside, "%", target="<= 5 %", ok=beside <= 5,
           note=f"apart from trust C; of {count}; because of: {why or 'nothing'}")  # fmt: skip


def main() -> None:
    """Print every figure; `--few` for a look."""
    few = "--few" in sys.argv
    town, memory = Town(20260114), Memory()
    honest(town, memory, 60 if few else HONEST)
    sham(town, memory, 4 if few else OF_A_KIND)


if __name__ == "__main__":
    main()
