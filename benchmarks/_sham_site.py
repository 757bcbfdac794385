"""One ticket's work on site as the real checks see it: fixes, photos, what was seen before, and how
it all stands; in memory, where the product reads tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from dispatch_core import commands as c
from dispatch_core import evidence
from dispatch_core.events import CheckedIn, PhotoTaken, SiteFix, TicketLabel
from dispatch_core.evidence import Likeness, Measured, SiteRecord, Whereabouts
from dispatch_core.ids import CrewId, PhotoId, PhotoSource, Slot, TicketId
from ext.hamming import RADIUS, HashIndex
from geo import shapes
from geo.fixes import BELIEVED, JUMPS, Fix, FixVerdict, judged, pace_mps, repeats
from geo.outlines import Outline
from server.adapters.evidence_jobs import OF_BUILDING, OF_CREW, PhotoJob, Record, Seen
from server.adapters.fix_checks import MINUTES_MS, limits_of
from server.adapters.policies import read_policy
from server.jobs.photo_asks import Compare, Compared, Look
from server.jobs.photo_facts import facts_of, window_of
from server.jobs.photo_judge import ENOUGH, _named, _sorted_out
from server.jobs.photo_worker import compare, look_at

ROOT = Path(__file__).resolve().parents[1]
CITY = read_policy(ROOT / "server/policies/harbin/default.toml", "2026-2027", "Asia/Shanghai")
NO_C = replace(CITY.evidence, trust_c_to_a_person=False)
SLOTS: tuple[Slot, ...] = ("fault_point", "in_progress", "user_confirmation")
M = 1 / 111_195
"""Degrees of latitude in a metre."""
T0 = round(datetime(2026, 1, 14, 1, 0, tzinfo=UTC).timestamp() * 1000)


def outline_at(lon: float, lat: float) -> bytes:
    """A block of flats, some 60 m by 14 m, as WKB."""
    east, north = 60 * M / 0.7, 14 * M
    ring = [(lon, lat), (lon + east, lat), (lon + east, lat + north), (lon, lat + north)]
    return shapes.to_wkb(shapes.array([shapes.polygon([ring])]))[0]


@dataclass
class Entry:
    """A check-in as the phone sent it; milliseconds."""

    fix: SiteFix | None
    at_device_ms: int
    heard_ms: int
    sent_at_ms: int | None = None
    mock: bool = False
    track: list[Fix] = field(default_factory=list)
    """The crew's fixes before it."""


@dataclass
class Sent:
    """A photo as it arrived."""

    data: bytes
    nonce: bool | None = True
    signature: bool | None = True
    captured_ms: int | None = None
    fix: SiteFix | None = None
    arrived_ms: int = 0
    source: PhotoSource = "camera"


@dataclass
class Ticket:
    """What was sent from one site."""

    name: str
    crew: str
    building: str
    lon: float
    lat: float
    entry: Entry | None
    photos: dict[Slot, Sent]


@dataclass
class Outcome:
    """What it came to: why it waits for a person, else its verdict; the same if trust C were no
    reason; and what was found."""

    verdict: str
    beside_c: str
    codes: set[str]


class Memory:
    """Every photo seen so far, searched as the photo process searches."""

    def __init__(self) -> None:
        self._index = HashIndex()
        self._seen: list[Seen] = []
        self._whose: list[tuple[str, str]] = []

    def likeness(self, job: PhotoJob, look: Look) -> Likeness:
        """Adds the photo, and what it was found to be like."""
        if not look.decoded:
            return Likeness()
        number = len(self._seen)
        self._index.add(np.frombuffer(look.hashes[0], np.uint8).reshape(1, 32))
        mine = Seen(number, job.ticket, job.round, job.slot, job.photo, look.points)
        self._seen.append(mine)
        self._whose.append((job.building or "", job.crew))
        bits: dict[int, int] = {}
        for asked in dict.fromkeys(look.hashes):
            places, apart = self._index.search(asked, RADIUS)
            for place, differ in zip(places.tolist(), apart.tolist(), strict=True):
                if place < number:
                    bits[place] = min(differ, bits.get(place, 256))
        eye, sibling = _sorted_out(job, {n: self._seen[n] for n in bits}, bits)
        same = next(
            (s for s in self._seen[:number] if s.photo == job.photo
             and (s.ticket, s.slot) != (job.ticket, job.slot)), None,
        )  # fmt: skip
        others = self._near(job, number)
        if eye is not None:
            others = [eye, *(o for o in others if o.seq != eye.seq)]
        best, inliers = _compared(look, others)
        return Likeness(
            twin=None if eye is None else _named(eye, bits=bits[eye.seq]),
            scene=None if best is None else _named(best, inliers=inliers),
            sibling=None if sibling is None else _named(sibling, bits=bits[sibling.seq]),
            same_bytes=None if same is None else _named(same, bits=0),
        )

    def _near(self, job: PhotoJob, before: int) -> list[Seen]:
        found: dict[int, Seen] = {}
        for place, value, most in ((0, job.building, OF_BUILDING), (1, job.crew, OF_CREW)):
            of = [
                n for n in range(before - 1, -1, -1)
                if self._whose[n][place] == value and self._seen[n].ticket != job.ticket
            ]  # fmt: skip
            found.update((n, self._seen[n]) for n in of[:most] if n not in found)
        return list(found.values())


def _compared(look: Look, others: list[Seen]) -> tuple[Seen | None, int]:
    others = [other for other in others if other.points]
    if not others or not look.points:
        return None, 0
    asked = Compare(
        points=look.points, mirrored=look.mirrored, others=[o.points for o in others],
        enough=ENOUGH,
    )  # fmt: skip
    found = msgspec.msgpack.decode(compare(msgspec.msgpack.encode(asked)), type=Compared)
    return (None if found.best is None else others[found.best]), found.inliers


def where(ticket: Ticket, entry: Entry) -> Whereabouts:
    """The verdict on the check-in, of the same measures that the product takes from its tables."""
    if entry.fix is None:
        return evidence.NO_FIX
    fence, sent = CITY.evidence.fence, entry.fix
    limits = limits_of(fence)
    fix = Fix(sent.at_ms, sent.lon, sent.lat, sent.accuracy_m)
    known: list[tuple[Fix, FixVerdict]] = []
    for one in entry.track:
        known.append((one, judged(known, [one], entry.heard_ms, limits)[0]))
    good = [f for f, verdict in known if verdict in BELIEVED and f.at_ms < fix.at_ms]
    near = bool(good) and fix.at_ms - good[-1].at_ms <= MINUTES_MS
    (verdict,) = judged(known, [fix], entry.heard_ms, limits)
    outline = Outline.of_wkb(outline_at(ticket.lon, ticket.lat))
    assert outline is not None
    skew = 0 if entry.sent_at_ms is None else round((entry.sent_at_ms - entry.heard_ms) / 1000)
    measured = Measured(
        distance_m=outline.metres_to(fix.lon, fix.lat),
        as_gcj_m=outline.as_gcj02().metres_to(fix.lon, fix.lat),
        speed_mps=pace_mps(good[-1], fix) if near else None,
        repeated=repeats([f for f, _ in known], fix), outlier=verdict in JUMPS,
        skew_s=skew or max(0, round((entry.at_device_ms - entry.heard_ms) / 1000)),
        age_s=max(0, (entry.at_device_ms - sent.at_ms) // 1000), mock=entry.mock,
    )  # fmt: skip
    return evidence.whereabouts(sent, measured, fence)


def outcome(ticket: Ticket, memory: Memory) -> Outcome:
    """All of a ticket's photos through the checks, in order, and how its evidence stands."""
    label = TicketLabel(level="yellow", kind="leak", address=ticket.building)
    records = [SiteRecord(), SiteRecord()]
    codes: set[str] = set()
    ins: dict[int, tuple[CheckedIn, int]] = {}

    def say(n: int, command: c.SiteCommand, at_ms: int) -> None:
        now = datetime.fromtimestamp(at_ms / 1000, UTC)
        for event in evidence.decide(records[n], command, now):
            records[n] = evidence.apply(records[n], event, at_ms // 1000)
            if isinstance(event, CheckedIn):
                ins[event.visit] = event, at_ms
                codes.update(event.doubts)

    crew, entry = CrewId(ticket.crew), ticket.entry
    if entry is not None:
        found = where(ticket, entry)
        codes |= set(found.doubts) | ({found.verdict} - {"in"})
        for n in (0, 1):
            say(n, c.CheckIn(
                ticket=label, by="crew", crew=crew, crew_name=crew, device="d", round=0,
                at_device_ms=entry.at_device_ms, fix=entry.fix, verdict=found.verdict,
                distance_m=found.distance_m, doubts=found.doubts, needs_review=found.needs_review,
            ), entry.heard_ms)  # fmt: skip
    for number, (slot, sent) in enumerate(ticket.photos.items()):
        photo = PhotoId(hashlib.sha256(sent.data).hexdigest())
        look = look_at(sent.data)
        job = PhotoJob(
            number, TicketId(ticket.name), slot, photo, 0, crew, ticket.building,
            datetime.fromtimestamp(sent.arrived_ms / 1000, UTC), 1,
        )  # fmt: skip
        like = memory.likeness(job, look)
        taken = PhotoTaken(
            ticket=label, visit=1 if entry else None, round=0, crew=crew, slot=slot, photo=photo,
            bytes=len(sent.data), captured_at_ms=sent.captured_ms, trust="a" if sent.nonce else "c",
            nonce_holds=sent.nonce, signature_holds=sent.signature, device="d", fix=sent.fix,
            by="crew", source=sent.source,
        )  # fmt: skip
        record = Record(
            label=label, taken=taken, taken_at_ms=sent.arrived_ms, ins=ins, outs={},
            outline=Outline.of_wkb(outline_at(ticket.lon, ticket.lat)), policy=CITY,
        )  # fmt: skip
        for n, policy in enumerate((CITY.evidence, NO_C)):
            found_of = evidence.judge(facts_of(look, record), window_of(record), like, policy)
            codes |= {k.code for k in found_of.checks if k.outcome in {"fail", "warn"}}
            say(n, c.TakePhoto(
                ticket=label, by="crew", crew=crew, round=0, slot=slot, photo=photo,
                bytes=len(sent.data), captured_at_ms=sent.captured_ms, trust=taken.trust,
                nonce_holds=sent.nonce, signature_holds=sent.signature, device="d", fix=sent.fix,
                source=sent.source,
            ), sent.arrived_ms)  # fmt: skip
            say(n, c.JudgePhoto(
                ticket=label, slot=slot, photo=photo, verdict=found_of.verdict,
                checks=found_of.checks, twin=found_of.twin, trust=found_of.trust, by="system:photo",
            ), sent.arrived_ms)  # fmt: skip
    whole, beside = (evidence.desk_view(record, SLOTS, 0) for record in records)
    return Outcome(whole.needs or whole.verdict, beside.needs or beside.verdict, codes)
