"""What happens when a photo has arrived whole: looked at, sealed, and a fact of its ticket."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, NoReturn
from weakref import WeakValueDictionary

import msgspec

from dispatch_core.errors import Conflict, Invalid, Refused, Unavailable
from dispatch_core.events import SiteFix
from dispatch_core.evidence import PhotoFacts, trust_of
from dispatch_core.ids import PhotoId, PhotoSource, Slot, TicketId, Trust
from ext.jpeg_walk import walk
from geo.datums import Datums
from server.adapters import device_signatures, photo_nonces
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.crew_devices import CrewDevices
from server.adapters.fix_checks import FixChecks, Pressed
from server.adapters.photo_exif import exif_of
from server.adapters.photo_nonces import Bound, Nonces
from server.adapters.photos import Photos
from server.adapters.pictures import Picture, picture_of
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.previews import Previews
from server.adapters.uploads import Held, Uploads
from server.api.crew_app import Fix, Millis
from server.api.documents import body_hash
from server.api.gate import CrewPrincipal
from server.api.spots import to_wgs84
from server.ports import CityPolicy, Loaded, UseCase, Wanted
from server.usecases.on_site import SiteAnswer, check_in_of
from server.usecases.site import TakeSitePhoto

ROUTE = "POST /api/crew/uploads"
TRIES, PAUSE_S = 40, 0.05
"""Another web process may be at the same last byte: its answer is this one's, too."""
AT_ONCE, WAIT_S = 3, 5.0
"""Whole photos in the memory of a process, and how long one more waits for its turn."""
JUDGED = frozenset({"image/jpeg", "image/png", "image/heic"})
"""Pictures that the judges of photos can open."""
Exif = Literal["intact", "edited", "none"]


class UploadBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A photo that is to come, and what the phone says of its making."""

    ticket: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    slot: Slot
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 30)]
    media_type: Literal["image/jpeg", "image/png", "image/heic"]
    source: PhotoSource
    captured_at_ms: Millis | None = None
    sent_at_ms: Millis | None = None
    """The phone's clock as it announces the photo: tells how wrong it is."""
    visit: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    """The Idempotency-Key under which the phone says that it is there."""
    nonce: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    signature: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    fix: Fix | None = None


class PhotoDone(msgspec.Struct, frozen=True, kw_only=True):
    """The photo is kept and waits to be judged."""

    photo: PhotoId
    ticket: TicketId
    slot: Slot
    trust: Trust
    said: list[str]
    """What a person will ask about, as codes: `gallery`, `nonce_refused`, `signature_refused`,
    `exif_edited`, `out_of_fence`, `no_check_in`, `to_a_person`."""


class Parts(NamedTuple):
    """What the end of an upload needs."""

    pool: Pool
    commits: Commits
    policies: Policies
    clock: BusinessClock
    fixes: FixChecks
    datums: Datums
    photos: Photos
    uploads: Uploads
    devices: CrewDevices
    nonces: Nonces


class Seen(NamedTuple):
    """What the bytes show at first sight."""

    digest: str
    picture: Picture | None
    exif: Exif


class _Proof(NamedTuple):
    """None: nothing was sent to prove it."""

    nonce: bool | None
    signature: bool | None


UNPROVED = _Proof(None, None)


class UploadEnd:
    """Ends uploads; as often as it is asked, each is one fact."""

    def __init__(self, parts: Parts, at_once: int = AT_ONCE, wait_s: float = WAIT_S) -> None:
        self._parts = parts
        self._previews = Previews(parts.pool, parts.clock)
        self._room = asyncio.Semaphore(at_once)
        self._wait_s = wait_s
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def may_begin(self, phone: CrewPrincipal, told: UploadBody, city: CityPolicy) -> None:
        """Raises what the use case would refuse the photo with as things stand."""
        await self._previews.decide(phone.who.company, _case(phone, told, city))

    async def take(self, phone: CrewPrincipal, held: Held) -> bytes:
        """The answer, JSON, once the fact is committed.

        Raises:
            Refused: by the use case, `hash_differs`, `no_photo`, `part_lost`: the upload is given
            up. Unavailable (`uploads_busy`), or Conflict `key_in_flight`, `busy`: it waits to be
            asked again.
        """
        turn = self._turns.setdefault(held.upload, asyncio.Lock())
        waiting = asyncio.timeout(self._wait_s)
        try:
            async with waiting, turn, self._room:
                waiting.reschedule(None)
                return await self._in_turn(phone, held)
        except TimeoutError as error:
            if not waiting.expired():
                raise
            raise Unavailable(
                "uploads_busy", "Other photos are being taken in.",
                "Send the same again in a few seconds.",
            ) from error  # fmt: skip

    async def _in_turn(self, phone: CrewPrincipal, held: Held) -> bytes:
        """One at a time for each upload: what came before may have ended it."""
        held = await self._parts.uploads.held(phone.who.company, phone.device, held.upload)
        if held.done is not None:
            return held.done
        try:
            return await self._take(phone, held)
        except Refused as refused:
            passing = isinstance(refused, Unavailable) or refused.code in {"key_in_flight", "busy"}
            if not passing:
                await self._parts.uploads.give_up(phone.who.company, held.upload)
                await self._parts.photos.let_go_unused(phone.who.company, held.photo)
            raise

    async def _take(self, phone: CrewPrincipal, held: Held) -> bytes:
        p, company = self._parts, phone.who.company
        try:
            data = await p.uploads.parts.read(company, held.upload, held.size)
        except FileNotFoundError:
            return await self._elsewhere(phone, held)
        except OSError as error:
            raise Unavailable(
                "part_not_kept",
                f"What has arrived cannot be read: {error.strerror or 'the disk refuses'}.",
                "Look at the disk where heatops keeps its data, then send the same again.",
            ) from error
        told = msgspec.json.decode(held.asked, type=UploadBody)
        seen = await asyncio.to_thread(look, data)
        picture = _checked(seen, told)
        city = await p.policies.at(company, p.clock.now())
        fix = _fix(told.fix, p.datums)
        proof = await self._proof(phone, told, city)
        case = _case(
            phone, told, city, fix=fix, proof=proof, exif=seen.exif, skew_s=held.skew_s
        )  # fmt: skip
        refusal = await self._refusal(company, case)
        if refusal is None:
            await p.photos.keep(company, phone.who.actor, case.photo, picture, data)
        use_case = case if refusal is None else _Refused(case, refusal)
        answer = await self._commit(phone, held, use_case)
        far = await self._far(phone, told, fix, city)
        done = PhotoDone(
            photo=case.photo, ticket=case.ticket, slot=case.slot,
            trust=answer.trust or case.trust,
            said=_said(told, case, seen.exif, far=far, answer=answer),
        )  # fmt: skip
        body = msgspec.json.encode(done)
        await p.uploads.finish(company, held.upload, body)
        return body

    async def _refusal(self, company: int, case: TakeSitePhoto) -> Refused | None:
        """What the photo would be refused with now, before its bytes are kept."""
        try:
            await self._previews.decide(company, case)
        except Unavailable:
            raise
        except Refused as refused:
            return refused
        return None

    async def _elsewhere(self, phone: CrewPrincipal, held: Held) -> bytes:
        """The part is gone: another process has ended it meanwhile, or its file was lost."""
        now = await self._parts.uploads.held(phone.who.company, phone.device, held.upload)
        if now.done is None:
            raise Conflict(
                "part_lost", "What had arrived of this photo is not there any more.",
                "Send it anew, under a new Idempotency-Key.",
            )  # fmt: skip
        return now.done

    async def _proof(self, phone: CrewPrincipal, told: UploadBody, city: CityPolicy) -> _Proof:
        if told.source == "gallery" or told.nonce is None:
            return UNPROVED
        p, company = self._parts, phone.who.company
        bound = Bound(company, told.ticket, told.slot, phone.crew, phone.device)
        valid = city.evidence.photos.nonce_valid_s
        once = p.nonces.holds(told.nonce, bound, p.clock.now(), valid)
        device = phone.device
        if once is False:
            device = await self._made_for(bound, told.nonce, city) or device
            once = None if device != phone.device else once
        async with p.pool.company(company) as c:
            if once:
                once = await photo_nonces.spend(c, bound, told.nonce, told.sha256)
            point = await p.devices.key_of(c, company, device)
        if told.signature is None:
            return _Proof(once, None)
        spot = told.fix and (told.fix.lon, told.fix.lat, told.fix.accuracy_m)
        text = device_signatures.signed_text(
            told.nonce, told.sha256, told.captured_at_ms, told.ticket, told.slot, told.visit,
            spot=spot or None,
        )  # fmt: skip
        holds = device_signatures.holds(point, told.signature, text)
        return _Proof(once, None if holds and device != phone.device else holds)

    async def _made_for(self, bound: Bound, word: str, city: CityPolicy) -> str | None:
        """Another phone of the same crew that a word was made for: this one's key may have been
        made anew since."""
        p, now = self._parts, self._parts.clock.now()
        for other in await p.devices.others_of(bound.company, bound.device):
            was = bound._replace(device=other)
            if p.nonces.holds(word, was, now, city.evidence.photos.nonce_valid_s) is not False:
                return other
        return None

    async def _far(
        self, phone: CrewPrincipal, told: UploadBody, fix: SiteFix | None, city: CityPolicy
    ) -> bool:
        pressed = None
        if fix is not None:
            heard = round(self._parts.clock.now().timestamp() * 1000)
            pressed = Pressed(phone.crew, fix, told.captured_at_ms or fix.at_ms, heard)
        found = await self._parts.fixes.found(
            phone.who.company, told.ticket, city.evidence.fence, pressed
        )
        return found.verdict == "out"

    async def _commit(self, phone: CrewPrincipal, held: Held, case: UseCase) -> SiteAnswer:
        """Once under the upload's own name, whichever process is first."""
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = await self._parts.commits.submit(
                    phone.who, ROUTE, f"upload-{held.upload}", body_hash(held.asked), case
                )
            except Conflict as refused:
                if refused.code != "key_in_flight" or not left:
                    raise
                await asyncio.sleep(PAUSE_S)
                continue
            return msgspec.json.decode(answer.body, type=SiteAnswer)
        raise ValueError("no try at all")


@dataclass(frozen=True)
class _Refused:
    """A photo that is refused, unless it is a fact already."""

    case: TakeSitePhoto
    refusal: Refused

    def wanted(self) -> Wanted:
        return self.case.wanted()

    def more(self, loaded: Loaded, /) -> Wanted:
        return self.case.more(loaded)

    def decide(self, loaded: Loaded, now: datetime, /) -> NoReturn:
        del loaded, now
        raise self.refusal


def _case(
    phone: CrewPrincipal, told: UploadBody, city: CityPolicy, *, fix: SiteFix | None = None,
    proof: _Proof = UNPROVED, exif: Exif = "none", skew_s: int | None = None,
) -> TakeSitePhoto:  # fmt: skip
    facts = PhotoFacts(
        nonce_holds=proof.nonce, signature_holds=proof.signature, exif=exif, source=told.source
    )
    return TakeSitePhoto(
        ticket=TicketId(told.ticket), city=city, crew=phone.crew, by=phone.who.actor,
        slot=told.slot, photo=PhotoId(told.sha256), bytes=told.bytes,
        captured_at_ms=told.captured_at_ms, trust=trust_of(facts), nonce_holds=proof.nonce,
        signature_holds=proof.signature, device=phone.device, fix=fix, source=told.source,
        visit_key=check_in_of(told.visit) if told.visit else None, session_skew_s=skew_s,
    )  # fmt: skip


def look(data: bytes) -> Seen:
    """Digest, kind and headers; nothing is decoded."""
    picture = picture_of(data)
    jpeg = picture is not None and picture.media_type == "image/jpeg"
    return Seen(hashlib.sha256(data).hexdigest(), picture, exif_of(walk(data)) if jpeg else "none")


def _checked(seen: Seen, told: UploadBody) -> Picture:
    if seen.digest != told.sha256:
        raise Conflict(
            "hash_differs", "What arrived is not what was announced: its SHA-256 differs.",
            "Send the photo anew, under a new Idempotency-Key.",
        )  # fmt: skip
    if seen.picture is None or seen.picture.media_type not in JUDGED:
        raise Invalid(
            "no_photo", "These bytes are no whole picture in JPEG, PNG or HEIC.",
            "Take the photo again.",
        )  # fmt: skip
    return seen.picture


def _said(
    told: UploadBody, case: TakeSitePhoto, exif: Exif, *, far: bool, answer: SiteAnswer
) -> list[str]:
    codes = {
        "gallery": told.source == "gallery",
        "nonce_refused": case.nonce_holds is False,
        "signature_refused": case.signature_holds is False,
        "exif_edited": exif == "edited",
        "out_of_fence": far,
        "no_check_in": answer.visit is None,
        "to_a_person": (answer.trust or case.trust) == "c",
    }
    return [code for code, holds in codes.items() if holds]


def _fix(told: Fix | None, datums: Datums) -> SiteFix | None:
    if told is None:
        return None
    lon, lat = to_wgs84(told, datums)
    return SiteFix(
        lon=lon, lat=lat, accuracy_m=told.accuracy_m, at_ms=told.at_ms,
        battery_pct=told.battery_pct, mock=told.mock,
    )  # fmt: skip
