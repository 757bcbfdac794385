"""What people at the desk decide about evidence: a photo, a check-in, another photo, or that the
round closes without. The verdict before stays in the trace; nothing is rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dispatch_core import commands
from dispatch_core.errors import Conflict
from dispatch_core.ids import EvidenceReason, PhotoId, SiteVerdict, Slot, TicketId, Words
from dispatch_core.tickets import OPEN
from server.ports import CityPolicy, Decision, Loaded, SecretText, Wanted
from server.usecases.on_site import Site
from server.usecases.streams import named


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPhoto:
    """A photo is accepted, refused, or wanted again."""

    slot: Slot
    photo: PhotoId
    to: Literal["accept", "block", "again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCheckIn:
    """A crew was there, or was not."""

    visit: int
    to: SiteVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRound:
    """The ticket may close without its photos, this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfHold:
    """The ticket's photos are kept whatever their age, or no longer; also of one that is over."""

    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideOnEvidence:
    """`version`: of the record as the person saw it; None for what holds whatever is there."""

    ticket: TicketId
    city: CityPolicy
    by: str
    about: OfPhoto | OfCheckIn | OfRound | OfHold
    version: int | None
    reason_code: EvidenceReason
    text: SecretText | None = None

    def wanted(self) -> Wanted:
        """The ticket and its evidence."""
        return Wanted(streams=(named("ticket", self.ticket), named("evidence", self.ticket)))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The person's fact.

        Raises Conflict `version_conflict`, `photo_replaced`, `nothing_to_waive`, `ticket_over`;
        Invalid `reason_needed`, `bad_verdict`, `no_such_visit`.
        """
        site = Site.of(self.ticket, self.city, loaded, now)
        if site.ticket.state not in OPEN and not isinstance(self.about, OfHold):
            raise Conflict(
                "ticket_over", f"The ticket is {site.ticket.state}.",
                "Reopen it first, if it is not over.", site.ticket.present(),
            )  # fmt: skip
        site.say(self._command(site))
        texts = (self.text,) if self.text else ()
        return site.decision(f"{self._grounds()}: {self.reason_code}", texts)

    def _command(
        self, site: Site
    ) -> (
        commands.OverrulePhoto | commands.AskPhotoAgain | commands.OverruleCheckIn
        | commands.WaiveEvidence | commands.HoldPhotos
    ):  # fmt: skip
        label, about = site.label, self.about
        words: Words | None = self.text.words if self.text else None
        match about:
            case OfPhoto(to="again"):
                return commands.AskPhotoAgain(
                    ticket=label, by=self.by, version=self.version,
                    reason_code=self.reason_code, reason=words, slot=about.slot,
                    photo=about.photo,
                )  # fmt: skip
            case OfPhoto():
                return commands.OverrulePhoto(
                    ticket=label, by=self.by, version=self.version,
                    reason_code=self.reason_code, reason=words, slot=about.slot,
                    photo=about.photo, to="accept" if about.to == "accept" else "block",
                )  # fmt: skip
            case OfCheckIn():
                return commands.OverruleCheckIn(
                    ticket=label, by=self.by, version=self.version,
                    reason_code=self.reason_code, reason=words, visit=about.visit, to=about.to,
                )  # fmt: skip
            case OfRound():
                return commands.WaiveEvidence(
                    ticket=label, by=self.by, version=self.version,
                    reason_code=self.reason_code, reason=words, round=site.ticket.reopened,
                    slots=site.slots,
                )  # fmt: skip
            case OfHold():
                return commands.HoldPhotos(
                    ticket=label, by=self.by, version=self.version,
                    reason_code=self.reason_code, reason=words, held=about.held,
                )  # fmt: skip

    def _grounds(self) -> str:
        match self.about:
            case OfPhoto(slot=slot, to="accept"):
                return f"photo {slot} accepted by a person"
            case OfPhoto(slot=slot, to="block"):
                return f"photo {slot} refused by a person"
            case OfPhoto(slot=slot):
                return f"another photo {slot} wanted"
            case OfCheckIn(visit=visit, to=to):
                return f"check-in {visit} is {to} by a person's word"
            case OfRound():
                return "closes without its photos"
            case OfHold(held=held):
                return "its photos are held" if held else "its photos are held no longer"
