"""What a crew does on site: taken on, there, photos, done, nobody at home, given back, danger, help
and parts. The server decides on the ticket as it is, since a phone may have been without signal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dispatch_core import commands, evidence
from dispatch_core.errors import Conflict
from dispatch_core.events import PhotoTaken, SiteFix
from dispatch_core.ids import (
    DeclineReason,
    Hazard,
    PhotoId,
    PhotoSource,
    SiteResult,
    Slot,
    Support,
    Trust,
    unix,
)
from dispatch_core.tickets import OPEN
from server.ports import Decision, Loaded, OutMessage
from server.usecases.field import check_hours
from server.usecases.on_site import OnSite, Presence, Site

DANGER: frozenset[Hazard] = frozenset({"gas", "scald", "electric", "collapse"})
"""Dangers to everybody near, which make any ticket red."""
DUTY = "manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOn(OnSite):
    """The crew takes the ticket and sets out; where it has, nothing is written."""

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the ticket and its crews. Raises Conflict `not_your_ticket`."""
        site = self._site(loaded, now)
        if site.ticket.state == "dispatched":
            _take(site)
        return site.decision("the crew took the ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveOnSite(OnSite):
    """The crew is there. A doubt about where it is goes to a person and locks nobody out."""

    presence: Presence

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The check-in, and the ticket handled, in one commit; a crew that comes back to a ticket
        adds a visit. Raises Conflict `checked_in`, `wrong_state`, `not_your_ticket`."""
        site = self._site(loaded, now)
        told, found = self.presence, self.presence.found
        site.say(
            commands.CheckIn(
                ticket=site.label, by=self.by, crew=self.crew,
                crew_name=site.crew(self.crew).name, device=told.device,
                at_device_ms=told.at_device_ms, fix=told.fix, verdict=found.verdict,
                distance_m=found.distance_m, doubts=found.doubts,
                needs_review=found.needs_review, round=site.ticket.reopened, key=told.key,
            )
        )  # fmt: skip
        if site.ticket.state not in {"handling", "verifying"}:
            if site.ticket.state == "dispatched":
                _take(site)
            site.step(commands.Handle(version=site.ticket.version))
            site.crews_do(site.ticket.crews, commands.ArriveAtTicket(ticket=self.ticket))
        return site.decision(f"the crew checked in on site: {_said(found)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveSite(OnSite):
    """The crew leaves and comes back later: the ticket stays in its hands."""

    presence: Presence

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The check-out. Raises Conflict `not_checked_in`."""
        site = self._site(loaded, now, was_there=True)
        _leave(self, site, self.presence, "to_be_continued")
        return site.decision(f"the crew left, to be continued: {_said(self.presence.found)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishOnSite(OnSite):
    """The work is done: the crew checks out and the call-back is next. `text` is the name of the
    second person where no resident is."""

    presence: Presence

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The check-out and the ticket's step in one commit.

        Raises Conflict `not_checked_in`, `evidence_missing`, `second_person_unnamed`,
        `valve_shut`, `not_vented`, `wrong_state`.
        """
        site = self._site(loaded, now)
        if self.text is not None:
            name = commands.NameSecondPerson(
                ticket=site.label, by=self.by, crew=self.crew, name=self.text.words,
                round=site.ticket.reopened,
            )  # fmt: skip
            site.say(name)
        _leave(self, site, self.presence, "done")
        evidence.check_done(site.record, site.slots, site.ticket.reopened)
        if site.ticket.state != "verifying":  # back only for photos: the work was done before
            site.step(commands.Verify(version=site.ticket.version))
            release = commands.ReleaseTicket(ticket=self.ticket)
            site.crews_do(site.ticket.crews, release)
        grounds = f"the crew finished and checked out: {_said(self.presence.found)}"
        return site.decision(grounds, self._texts())


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSitePhoto(OnSite):
    """A photo has arrived whole. It may come before its check-in, and after the work was done."""

    slot: Slot
    photo: PhotoId
    bytes: int
    captured_at_ms: int | None
    trust: Trust
    nonce_holds: bool | None
    signature_holds: bool | None
    device: str
    fix: SiteFix | None
    source: PhotoSource | None = None
    visit_key: str | None = None
    session_skew_s: int | None = None

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The photo's fact. Raises Conflict `not_your_ticket`, `ticket_over`, `photo_held`,
        `too_many_photos`."""
        site = self._site(loaded, now, was_there=True)
        if site.ticket.state not in OPEN:
            raise Conflict(
                "ticket_over", f"The ticket is {site.ticket.state}.", "Nothing is to be done.",
                site.ticket.present(),
            )  # fmt: skip
        (taken,) = site.say(
            commands.TakePhoto(
                ticket=site.label, by=self.by, crew=self.crew, round=site.ticket.reopened,
                slot=self.slot, photo=self.photo, bytes=self.bytes,
                captured_at_ms=self.captured_at_ms, trust=self.trust,
                nonce_holds=self.nonce_holds, signature_holds=self.signature_holds,
                device=self.device, fix=self.fix, source=self.source,
                visit_key=self.visit_key, session_skew_s=self.session_skew_s,
                most=self.city.evidence.photos.a_slot,
            )
        )  # fmt: skip
        trust = taken.trust if isinstance(taken, PhotoTaken) else self.trust
        return site.decision(f"photo {self.slot} taken, trust {trust}", trust=trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyOpened(OnSite):
    """Nobody opened: the ticket waits again, for the window that was agreed instead; from the
    policy's number of times on the desk takes over."""

    presence: Presence
    called_at: list[int]
    notice_left: bool
    rebooked_from: int | None = None
    rebooked_until: int | None = None
    night_agreed: bool = False

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the visit, the ticket and its crews in one commit. Raises Conflict
        `not_your_ticket`, `not_checked_in`, `no_door_photo`; Invalid `bad_window`,
        `night_not_agreed`."""
        site = self._site(loaded, now)
        passed = self._passed(now)
        first, last = (None, None) if passed else (self.rebooked_from, self.rebooked_until)
        site.say(
            commands.DoorNotOpened(
                ticket=site.label, by=self.by, crew=self.crew, round=site.ticket.reopened,
                called_at=self.called_at, notice_left=self.notice_left,
                rebooked_from=first, rebooked_until=last,
                most=site.city.evidence.no_answer_most,
            )
        )  # fmt: skip
        _leave(self, site, self.presence, "no_answer")
        _back(site, self.by)
        unanswered = site.record.unanswered if site.record else 0
        to_desk = unanswered >= site.city.evidence.no_answer_most
        window = (None, None) if to_desk else (first, last)
        self._rebook(site, *window)
        after = "; the desk takes over" if to_desk else ""
        late = f"; what was agreed until {_clock(self.rebooked_until)} had passed" if passed else ""
        return site.decision(
            f"nobody opened, time {unanswered}{after}{late}",
            warnings=["window_passed"] if passed else [],
        )

    def _passed(self, now: datetime) -> bool:
        """The word waited on the phone until the window, which then lay ahead, was over."""
        last = self.rebooked_until
        return last is not None and self.presence.at_device_ms < last * 1000 <= unix(now) * 1000

    def _rebook(self, site: Site, first: int | None, last: int | None) -> None:
        if first is None and site.ticket.appointed is None:
            return
        window = commands.Appoint(
            version=site.ticket.version, from_at=first, until_at=last, by=self.by,
            night_agreed=self.night_agreed,
        )  # fmt: skip
        check_hours(site.ticket, window, site.city)
        site.step(window)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack(OnSite):
    """The crew gives the ticket back, with its reason: it waits again. From the site only where the
    crew says that the place is safe."""

    presence: Presence
    reason_code: DeclineReason
    made_safe: bool = False

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the visit, the ticket and its crews in one commit. Raises Conflict
        `not_your_ticket`, `on_site`, `valve_shut`; Invalid `reason_needed`."""
        site = self._site(loaded, now)
        site.say(
            commands.DeclineVisit(
                ticket=site.label, by=self.by, crew=self.crew, reason_code=self.reason_code,
                words=self.text.words if self.text else None,
            )
        )  # fmt: skip
        if site.record is not None and site.record.there_of(self.crew) is not None:
            _leave(self, site, self.presence, "given_back")
        _back(site, self.by, made_safe=self.made_safe)
        return site.decision(f"the crew gave it back: {self.reason_code}", self._texts())


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetHazard(OnSite):
    """There is danger on site: the ticket becomes red where others are in danger too, and the duty
    manager has word."""

    hazard: Hazard
    fix: SiteFix | None

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the visit and the ticket, and a message, in one commit."""
        site = self._site(loaded, now, was_there=True)
        site.say(
            commands.ReportHazard(
                ticket=site.label, by=self.by, crew=self.crew, hazard=self.hazard,
                words=self.text.words if self.text else None, fix=self.fix,
            )
        )  # fmt: skip
        red = self.hazard in DANGER and site.ticket.level != "red" and site.ticket.state in OPEN
        if red:
            site.step(
                commands.ChangeLevel(version=site.ticket.version, level="red", reason_code="danger")
            )
        site.messages.append(
            OutMessage(
                channel="duty", target=DUTY, kind="hazard_reported",
                about=f"ticket:{self.ticket}",
                body={
                    "ticket": self.ticket, "level": site.ticket.level, "kind": site.ticket.kind,
                    "address": site.ticket.place.address, "hazard": self.hazard,
                    "crew": site.crew(self.crew).name,
                },
            )
        )  # fmt: skip
        return site.decision(f"danger on site: {self.hazard}", self._texts())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForHelp(OnSite):
    """The crew asks for help."""

    what: Support

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The fact."""
        site = self._site(loaded, now, was_there=True)
        site.say(
            commands.AskSupport(
                ticket=site.label, by=self.by, crew=self.crew, what=self.what,
                words=self.text.words if self.text else None,
            )
        )  # fmt: skip
        return site.decision(f"the crew asks for {self.what}", self._texts())


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildIn(OnSite):
    """Parts were built in: the van has so many fewer, and never fewer than none."""

    parts: dict[str, int]

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the visit and the van. What the van was not known to carry was built in all
        the same, and is a warning. Raises Invalid `bad_parts`."""
        site = self._site(loaded, now, was_there=True)
        used = commands.UseParts(ticket=site.label, by=self.by, crew=self.crew, parts=self.parts)
        site.say(used)
        van = site.crew(self.crew).parts or {}
        left = {part: max(0, n - self.parts.get(part, 0)) for part, n in van.items()}
        if site.crew(self.crew).parts is not None:
            site.crews_do((self.crew,), commands.StockCrew(parts=left, by=self.by))
        short = [part for part, n in self.parts.items() if n > van.get(part, 0)]
        return site.decision(
            f"built in: {', '.join(f'{part} × {n}' for part, n in sorted(self.parts.items()))}",
            warnings=[f"not_on_van:{part}" for part in short],
        )


def _take(site: Site) -> None:
    site.step(commands.Confirm(version=site.ticket.version))
    site.crews_do(site.ticket.crews, commands.TakeTicket(ticket=site.id))


def _leave(step: OnSite, site: Site, told: Presence, result: SiteResult) -> None:
    site.say(
        commands.CheckOut(
            ticket=site.label, by=step.by, crew=step.crew, crew_name=site.crew(step.crew).name,
            device=told.device, at_device_ms=told.at_device_ms, fix=told.fix,
            verdict=told.found.verdict, distance_m=told.found.distance_m,
            doubts=told.found.doubts, needs_review=told.found.needs_review, result=result,
        )
    )  # fmt: skip


def _clock(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes")


def _back(site: Site, by: str, *, made_safe: bool = True) -> None:
    """The ticket waits again, its crews are free of it. Nothing is left with its valve shut: the
    next crew would not know. Raises Conflict `valve_shut`."""
    shut = site.standing.shut
    if shut:
        raise Conflict(
            "valve_shut", f"A valve is still shut: {', '.join(shut)}.",
            "Open it and say so, or check out to come back, or have the desk take the ticket over.",
            site.ticket.present(),
        )  # fmt: skip
    crews = site.ticket.crews
    site.step(
        commands.Displace(
            version=site.ticket.version, reason_code="by_hand", by=by, made_safe=made_safe
        )
    )
    site.crews_do(crews, commands.ReleaseTicket(ticket=site.id))


def _said(found: evidence.Whereabouts) -> str:
    far = "" if found.distance_m is None else f", {found.distance_m:.0f} m"
    doubts = f"; {', '.join(found.doubts)}" if found.doubts else ""
    return f"{found.verdict}{far}{doubts}"
