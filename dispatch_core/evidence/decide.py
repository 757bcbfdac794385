"""What may be said of the work on site, and the facts that it makes."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.commands import (
    AskPhotoAgain,
    AskSupport,
    CheckIn,
    CheckOut,
    DeclineVisit,
    DoorNotOpened,
    GiveUpPhoto,
    HoldPhotos,
    JudgePhoto,
    NameSecondPerson,
    OverruleCheckIn,
    OverrulePhoto,
    ReportHazard,
    SiteCommand,
    TakePhoto,
    TurnValve,
    UseParts,
    WaiveEvidence,
)
from dispatch_core.errors import Conflict, Invalid
from dispatch_core.events import (
    CheckedIn,
    CheckedOut,
    CheckInOverruled,
    DoorUnanswered,
    Event,
    EvidenceWaived,
    HazardReported,
    PartsUsed,
    PhotoAskedAgain,
    PhotoJudged,
    PhotoOverruled,
    PhotosHeld,
    PhotoTaken,
    PhotoUnjudged,
    SecondPersonNamed,
    SupportAsked,
    ValveTurned,
    VisitDeclined,
)
from dispatch_core.evidence.standing import standing
from dispatch_core.evidence.state import SiteRecord, SiteVisit, SlotPhoto
from dispatch_core.ids import PhotoId, Slot, Words, unix

_OfCrew = (
    TakePhoto | NameSecondPerson | DoorNotOpened | UseParts | TurnValve | ReportHazard | AskSupport
    | DeclineVisit
)  # fmt: skip
_OfPerson = OverrulePhoto | AskPhotoAgain | OverruleCheckIn | WaiveEvidence | HoldPhotos


def decide(record: SiteRecord | None, command: SiteCommand, now: datetime) -> list[Event]:
    """The facts that a command makes; none where it says what stands already.

    Raises Conflict `checked_in`, `not_checked_in`, `version_conflict`, `photo_replaced`,
    `photo_held`, `too_many_photos`, `no_door_photo`, `valve_so`, `nothing_to_waive`; Invalid
    `reason_needed`, `bad_verdict`, `no_such_visit`, `bad_parts`, `bad_window`.
    """
    record = record or SiteRecord()
    match command:
        case CheckIn() | CheckOut():
            return [_presence(record, command)]
        case JudgePhoto() | GiveUpPhoto():
            return _told(record, command)
        case OverrulePhoto() | AskPhotoAgain() | OverruleCheckIn() | WaiveEvidence() | HoldPhotos():
            return [_by_person(record, command)]
        case _:
            return [_by_crew(record, command, unix(now))]


def _presence(record: SiteRecord, command: CheckIn | CheckOut) -> Event:
    there = record.there_of(command.crew)
    if isinstance(command, CheckIn):
        if there is not None and there.round == command.round:
            raise Conflict(
                "checked_in", f"{there.crew_name} is checked in here.",
                "Check out first; the same crew goes on as it is.", record.present(),
            )  # fmt: skip
        return CheckedIn(
            ticket=command.ticket, visit=len(record.visits) + 1, round=command.round,
            crew=command.crew, crew_name=command.crew_name, device=command.device,
            at_device_ms=command.at_device_ms, fix=command.fix, verdict=command.verdict,
            distance_m=command.distance_m, doubts=command.doubts,
            needs_review=command.needs_review, by=command.by, key=command.key,
        )  # fmt: skip
    if there is None:
        raise _not_there(record, command.crew_name)
    return CheckedOut(
        ticket=command.ticket, visit=there.visit, crew=command.crew, crew_name=command.crew_name,
        device=command.device, at_device_ms=command.at_device_ms, fix=command.fix,
        verdict=command.verdict, distance_m=command.distance_m, doubts=command.doubts,
        needs_review=command.needs_review, by=command.by, result=command.result,
    )  # fmt: skip


def _told(record: SiteRecord, command: JudgePhoto | GiveUpPhoto) -> list[Event]:
    """A verdict on a photo that another one has replaced, or that a person decided on meanwhile,
    still stands in the trace; nor is a photo given up that was judged or given up before."""
    if isinstance(command, GiveUpPhoto):
        held = record.photos.get(command.slot)
        same = held is not None and held.photo == command.photo
        judged = held is not None and held.verdict is not None and not held.overruled
        if same and held is not None and (held.unjudged or judged):
            return []
        return [
            PhotoUnjudged(
                ticket=command.ticket, slot=command.slot, photo=command.photo, why=command.why,
                tries=command.tries, twin=command.twin,
            )
        ]  # fmt: skip
    return [
        PhotoJudged(
            ticket=command.ticket, slot=command.slot, photo=command.photo,
            verdict=command.verdict, checks=command.checks, twin=command.twin, trust=command.trust,
            camera_at_ms=command.camera_at_ms, gps_at_ms=command.gps_at_ms,
        )
    ]  # fmt: skip


def _by_person(record: SiteRecord, command: _OfPerson) -> Event:
    if command.version is not None and command.version != record.version:
        raise Conflict(
            "version_conflict",
            f"The evidence has changed: it is at version {record.version}.",
            "Look at it as it is now and decide again.",
            record.present(),
        )
    always = isinstance(command, WaiveEvidence | HoldPhotos) or _turns(record, command)
    _reasoned(command.reason_code, command.reason, always=always)
    match command:
        case OverrulePhoto():
            held = _held(record, command.slot, command.photo)
            if command.to not in {"accept", "block"}:
                raise Invalid(
                    "bad_verdict", "A person accepts a photo or refuses it.", "Choose one of them."
                )
            return PhotoOverruled(
                ticket=command.ticket, slot=command.slot, photo=command.photo,
                was=held.verdict or "review", to=command.to, reason_code=command.reason_code,
                reason=command.reason, by=command.by,
            )  # fmt: skip
        case AskPhotoAgain():
            _held(record, command.slot, command.photo)
            return PhotoAskedAgain(
                ticket=command.ticket, slot=command.slot, photo=command.photo,
                reason_code=command.reason_code, reason=command.reason, by=command.by,
            )  # fmt: skip
        case OverruleCheckIn():
            visit = _visit(record, command.visit)
            if command.to not in {"in", "out"}:
                raise Invalid("bad_verdict", "A crew was there or was not.", "Choose one of them.")
            return CheckInOverruled(
                ticket=command.ticket, visit=command.visit, was=visit.verdict, to=command.to,
                reason_code=command.reason_code, reason=command.reason, by=command.by,
            )  # fmt: skip
        case HoldPhotos():
            return PhotosHeld(
                ticket=command.ticket, held=command.held, reason_code=command.reason_code,
                reason=command.reason, by=command.by,
            )  # fmt: skip
        case WaiveEvidence():
            now = standing(record, command.slots, command.round)
            if now.verdict in {"not_owed", "accept"}:
                raise Conflict(
                    "nothing_to_waive", "No evidence stands in the way.", "Close the ticket.",
                    record.present(),
                )  # fmt: skip
            return EvidenceWaived(
                ticket=command.ticket, round=command.round, missing=now.missing,
                reason_code=command.reason_code, reason=command.reason, by=command.by,
            )  # fmt: skip


def _turns(record: SiteRecord, command: _OfPerson) -> bool:
    """Whether a person turns a verdict round, or accepts before there is one, rather than decide
    what was left to a person."""
    if isinstance(command, OverrulePhoto):
        held = _held(record, command.slot, command.photo)
        if held.verdict is None:
            return command.to == "accept" and not held.unjudged
        return held.verdict not in {"review", command.to}
    if isinstance(command, OverruleCheckIn):
        was_there = _visit(record, command.visit).verdict
        return was_there in {"in", "out"} and was_there != command.to
    return False


def _by_crew(record: SiteRecord, command: _OfCrew, at: int) -> Event:
    label, by, crew = command.ticket, command.by, command.crew
    match command:
        case TakePhoto():
            return _photo(record, command)
        case NameSecondPerson():
            return SecondPersonNamed(ticket=label, name=command.name, by=by, round=command.round)
        case DoorNotOpened():
            return _door(record, command, at)
        case UseParts():
            if not command.parts or not all(p and n > 0 for p, n in command.parts.items()):
                raise Invalid(
                    "bad_parts", "A part without a name or pieces is none.",
                    "Name parts, 1 piece or more.",
                )  # fmt: skip
            return PartsUsed(ticket=label, crew=crew, parts=command.parts, by=by)
        case TurnValve():
            return _valve(record, command)
        case ReportHazard():
            return HazardReported(
                ticket=label, hazard=command.hazard, crew=crew, words=command.words,
                fix=command.fix, by=by,
            )  # fmt: skip
        case AskSupport():
            return SupportAsked(ticket=label, what=command.what, crew=crew, words=command.words,
                                by=by)  # fmt: skip
        case DeclineVisit():
            _reasoned(command.reason_code, command.words, always=False)
            return VisitDeclined(
                ticket=label, crew=crew, reason_code=command.reason_code, words=command.words,
                by=by,
            )  # fmt: skip


def _photo(record: SiteRecord, command: TakePhoto) -> PhotoTaken:
    held = record.photos.get(command.slot)
    same = held is not None and held.photo == command.photo and held.round == command.round
    if same and held is not None and not held.again:
        raise Conflict(
            "photo_held", "This very photo is in this slot.", "Nothing is to be done.",
            record.present(),
        )  # fmt: skip
    in_round = held is not None and held.round == command.round
    if command.most is not None and held is not None and in_round and not held.again:
        _bounded(record, held, command.most)
    there, stranger = _visit_of(record, command)
    return PhotoTaken(
        ticket=command.ticket, visit=None if there is None else there.visit, round=command.round,
        crew=command.crew, slot=command.slot, photo=command.photo, bytes=command.bytes,
        captured_at_ms=command.captured_at_ms,
        trust="c" if stranger and command.trust == "a" else command.trust,
        nonce_holds=command.nonce_holds,
        signature_holds=None if stranger and command.signature_holds else command.signature_holds,
        device=command.device, fix=command.fix, by=command.by, source=command.source,
        session_skew_s=command.session_skew_s,
    )  # fmt: skip


def _bounded(record: SiteRecord, held: SlotPhoto, most: int) -> None:
    if held.nth >= most:
        raise Conflict(
            "too_many_photos", f"{held.nth} photos were sent for this slot already.",
            "Ask the desk: it looks at the last one, or asks for another.", record.present(),
        )  # fmt: skip


def _visit_of(record: SiteRecord, command: TakePhoto) -> tuple[SiteVisit | None, bool]:
    """(the visit that a photo belongs to, whether it names a check-in that the round does not
    know). Its check-in may have been refused: such a signature says nothing, and accuses nobody.
    """
    ours = [visit for visit in record.visits if visit.round == command.round]
    for visit in ours:
        if command.visit_key and (visit.key, visit.crew) == (command.visit_key, command.crew):
            return visit, False
    stranger = command.visit_key is not None and any(visit.key for visit in ours)
    return record.there_of(command.crew), stranger


def _door(record: SiteRecord, command: DoorNotOpened, at: int) -> DoorUnanswered:
    """By a crew that is there, and by a photo of this round that it took for this time."""
    there = record.there_of(command.crew)
    if there is None or there.round != command.round:
        raise _not_there(record, "The crew")
    door = record.photos.get("door")
    fits = door is not None and (door.round, door.crew) == (command.round, command.crew)
    if door is None or not fits or door.photo in record.doors:
        raise Conflict(
            "no_door_photo", "There is no photo of the door from this visit.",
            "Take a photo of the door first; it may still be on its way.", record.present(),
        )  # fmt: skip
    first, last = command.rebooked_from, command.rebooked_until
    if (first is None) != (last is None) or (
        first is not None and last is not None and not at < last > first
    ):
        raise Invalid(
            "bad_window", "The new window does not lie ahead.", "Give a window to come, or none."
        )
    count = record.unanswered + 1
    return DoorUnanswered(
        ticket=command.ticket, visit=there.visit, crew=command.crew, count=count,
        photo=door.photo, called_at=command.called_at,
        notice_left=command.notice_left, rebooked_from=first, rebooked_until=last,
        to_desk=count >= command.most, by=command.by,
    )  # fmt: skip


def _valve(record: SiteRecord, command: TurnValve) -> ValveTurned:
    now = record.valves.get(command.valve)
    closed = now is not None and now.closed
    vents = command.to == "open" and now is not None and not now.vented and command.vented is True
    if closed == (command.to == "closed") and not vents:
        raise Conflict(
            "valve_so", f"{command.name} is {command.to} already.", "Look at it as it is.",
            record.present(),
        )  # fmt: skip
    return ValveTurned(
        ticket=command.ticket, valve=command.valve, name=command.name, to=command.to,
        vented=command.vented if command.to == "open" else None, outage=command.outage,
        crew=command.crew, fix=command.fix, by=command.by,
    )  # fmt: skip


def _not_there(record: SiteRecord, crew: str) -> Conflict:
    return Conflict(
        "not_checked_in", f"{crew} is not checked in here.", "Check in first.", record.present()
    )


def _held(record: SiteRecord, slot: Slot, photo: PhotoId) -> SlotPhoto:
    held = record.photos.get(slot)
    if held is None or held.photo != photo:
        raise Conflict(
            "photo_replaced", "Another photo is in this slot now, or none.",
            "Look at the one that is there now.", record.present(),
        )  # fmt: skip
    return held


def _visit(record: SiteRecord, number: int) -> SiteVisit:
    for visit in record.visits:
        if visit.visit == number:
            return visit
    raise Invalid("no_such_visit", f"There was no visit {number}.", "Choose one of the visits.")


def _reasoned(code: str, reason: Words | None, *, always: bool) -> None:
    if reason is None and (always or code == "other"):
        raise Invalid(
            "reason_needed", "This needs a reason in words.", "Write the reason in a few words."
        )
