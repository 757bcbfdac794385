"""What a fact makes of the work on site."""

from __future__ import annotations

from msgspec.structs import replace

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
from dispatch_core.evidence.state import Asked, ShutValve, SiteRecord, SiteVisit, SlotPhoto
from dispatch_core.ids import CrewId, PhotoId, Slot


def apply(  # noqa: PLR0911 - one answer per kind of fact
    record: SiteRecord | None, event: Event, at: int
) -> SiteRecord:
    """The record after one more fact. Raises ValueError for one that is no fact of it."""
    record = record or SiteRecord()
    record = replace(record, version=record.version + 1)
    match event:
        case CheckedIn():
            visit = SiteVisit(
                visit=event.visit, round=event.round, crew=event.crew, crew_name=event.crew_name,
                in_at=at, verdict=event.verdict, needs_review=event.needs_review,
                distance_m=event.distance_m, doubts=event.doubts, key=event.key,
            )  # fmt: skip
            # a visit that the crew never checked out of ends where its next one begins
            before = [
                replace(v, out_at=at) if v.out_at is None and v.crew == event.crew else v
                for v in record.visits
            ]
            return replace(record, visits=[*before, visit])
        case CheckedOut() | CheckInOverruled():
            return _visited(record, event, at)
        case PhotoTaken():
            held = record.photos.get(event.slot)
            earlier = held.nth if held is not None and held.round == event.round else 0
            photo = SlotPhoto(
                photo=event.photo, round=event.round, crew=event.crew, taken_at=at,
                trust=event.trust, visit=event.visit,
                nth=earlier + 1,
            )  # fmt: skip
            return replace(record, photos={**record.photos, event.slot: photo})
        case PhotoJudged() | PhotoUnjudged() | PhotoOverruled() | PhotoAskedAgain():
            return _judged(record, event)
        case ValveTurned():
            valve = ShutValve(
                name=event.name, closed=event.to == "closed", vented=event.vented,
                outage=event.outage, at=at,
            )  # fmt: skip
            return replace(record, valves={**record.valves, event.valve: valve})
        case DoorUnanswered() | SupportAsked() | VisitDeclined():
            return _told(record, event, at)
        case SecondPersonNamed():
            return replace(record, second_person_round=event.round)
        case EvidenceWaived():
            return replace(record, waived_round=event.round)
        case PhotosHeld():
            return replace(record, held=event.held)
        case PartsUsed() | HazardReported():
            return record
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of the work on site")


def _told(
    record: SiteRecord, event: DoorUnanswered | SupportAsked | VisitDeclined, at: int
) -> SiteRecord:
    """What the desk has to hear from the crew."""
    match event:
        case DoorUnanswered():
            doors = record.doors if event.photo is None else [*record.doors, event.photo]
            return replace(record, unanswered=event.count, doors=doors)
        case SupportAsked():
            return replace(record, asked=Asked(what=event.what, crew=event.crew, at=at))
        case VisitDeclined():
            heard = _heard(record, event.crew)
            return replace(heard, declined=[*record.declined, event.crew])


def _heard(record: SiteRecord, crew: CrewId) -> SiteRecord:
    """The crew is no longer there: it needs nothing there any more."""
    theirs = record.asked is not None and record.asked.crew == crew
    return replace(record, asked=None) if theirs else record


def _visited(record: SiteRecord, event: CheckedOut | CheckInOverruled, at: int) -> SiteRecord:
    def moved(visit: SiteVisit) -> SiteVisit:
        if visit.visit != event.visit:
            return visit
        if isinstance(event, CheckInOverruled):
            return replace(visit, verdict=event.to, needs_review=False, settled=True)
        doubt = visit.needs_review or (event.needs_review and not visit.refused)
        return replace(visit, out_at=at, result=event.result, needs_review=doubt)

    if isinstance(event, CheckedOut):
        record = _heard(record, event.crew)
    return replace(record, visits=[moved(visit) for visit in record.visits])


def _judged(
    record: SiteRecord, event: PhotoJudged | PhotoUnjudged | PhotoOverruled | PhotoAskedAgain
) -> SiteRecord:
    """A word about a photo that another one has replaced changes nothing, and what the checks say
    after a person has decided does not turn that round."""
    now = _held(record, event.slot, event.photo)
    if now is None:
        return record
    return replace(record, photos={**record.photos, event.slot: _after(now, event)})


def _after(
    photo: SlotPhoto, event: PhotoJudged | PhotoUnjudged | PhotoOverruled | PhotoAskedAgain
) -> SlotPhoto:
    match event:
        case PhotoJudged():
            verdict = photo.verdict if photo.overruled else event.verdict
            return replace(
                photo, verdict=verdict, unjudged=False, twin=event.twin, trust=event.trust
            )
        case PhotoUnjudged():
            if photo.overruled:
                return photo
            return replace(photo, verdict=None, unjudged=True, twin=event.twin)
        case PhotoOverruled():
            return replace(photo, verdict=event.to, unjudged=False, overruled=True, again=False)
        case PhotoAskedAgain():
            return replace(photo, again=True)


def _held(record: SiteRecord, slot: Slot, photo: PhotoId) -> SlotPhoto | None:
    now = record.photos.get(slot)
    return now if now is not None and now.photo == photo else None
