"""Handover between two shifts of the desk (交接班): drawn up once, signed by both."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dispatch_core.errors import Conflict, NotFound
from dispatch_core.events import Event, HandoverDrawn, HandoverSide, HandoverSigned

SIDES: tuple[HandoverSide, HandoverSide] = ("leaving", "coming")


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed, and when."""

    by: str
    at: int


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """A handover after `version` facts. What was drawn up never changes."""

    version: int
    drawn_at: int
    drawn: HandoverDrawn
    signed: dict[HandoverSide, Signature] = {}

    @property
    def complete(self) -> bool:
        """Both shifts have signed."""
        return len(self.signed) == len(SIDES)

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        signed = {side: s.by.removeprefix("person:") for side, s in self.signed.items()}
        return {"version": self.version, "signed": signed}


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """Draw up the list as it stands now."""

    drawn: HandoverDrawn


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """Sign for one side; `version` is what the signer saw."""

    version: int
    side: HandoverSide
    by: str


def decide(state: Handover | None, command: Draw | Sign, now: datetime) -> list[Event]:
    """The facts that a command makes.

    Raises:
        NotFound: `no_such_handover`. Conflict: `already_exists`, `signed_already`, `same_person`
            (each side needs a person of its own), `version_conflict`.
    """
    del now
    if isinstance(command, Draw):
        if state is not None:
            raise Conflict(
                "already_exists",
                "A handover was drawn up in this minute.",
                "Look at it, and sign it.",
                state.present(),
            )
        return [command.drawn]
    if state is None:
        raise NotFound("no_such_handover", "There is no such handover.", "Check its number.")
    if command.side in state.signed:
        raise Conflict(
            "signed_already",
            f"This side was signed by {state.signed[command.side].by.removeprefix('person:')}.",
            "The other shift signs for itself.",
            state.present(),
        )
    if any(s.by == command.by for s in state.signed.values()):
        raise Conflict(
            "same_person",
            "The person who hands over cannot take over as well.",
            "Somebody of the other shift signs under an account of their own.",
            state.present(),
        )
    if command.version != state.version:
        raise Conflict(
            "version_conflict",
            "The handover has changed since it was looked at.",
            "Look at it again and sign.",
            state.present(),
        )
    return [HandoverSigned(side=command.side, by=command.by)]


def apply(state: Handover | None, event: Event, at: int) -> Handover:
    """The handover after one more fact. Raises ValueError for one that cannot be the next."""
    if isinstance(event, HandoverDrawn):
        if state is not None:
            raise ValueError("a handover is drawn up once")
        return Handover(version=1, drawn_at=at, drawn=event)
    if state is None or not isinstance(event, HandoverSigned):
        raise ValueError(f"{type(event).__name__} cannot be the next fact of a handover")
    signed = {**state.signed, event.side: Signature(by=event.by, at=at)}
    return msgspec.structs.replace(state, version=state.version + 1, signed=signed)


def name_of(local: datetime) -> str:
    """The number of a handover drawn up at a local time, e.g. `20260114-0758`."""
    return f"{local:%Y%m%d-%H%M}"
