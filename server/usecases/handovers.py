"""Handovers: drawn up by one shift, signed by both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import handovers
from dispatch_core.events import HandoverDrawn, HandoverSide
from dispatch_core.handovers import Draw, Handover, Sign
from dispatch_core.ids import HandoverId, unix
from server.ports import Decision, Loaded, SecretText, Wanted
from server.usecases.streams import named


class SignatureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed for a side, and when."""

    by: str
    at: int


class HandoverAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A handover as callers are told it; times are Unix seconds."""

    id: HandoverId
    version: int
    drawn_at: int
    by: str
    drawn: HandoverDrawn
    note: str | None
    """Opened for people of the desk; a stored answer never holds it."""
    signed: dict[HandoverSide, SignatureAnswer]
    complete: bool


def answer_of(handover: HandoverId, state: Handover, note: str | None) -> HandoverAnswer:
    """What a caller is told of a handover."""
    return HandoverAnswer(
        id=handover,
        version=state.version,
        drawn_at=state.drawn_at,
        by=state.drawn.by.removeprefix("person:"),
        drawn=state.drawn,
        note=note,
        signed={
            side: SignatureAnswer(by=s.by.removeprefix("person:"), at=s.at)
            for side, s in state.signed.items()
        },
        complete=state.complete,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHandover:
    """Draw up a handover, or sign one; `note` is what stands behind the list's words."""

    handover: HandoverId
    command: Draw | Sign
    note: SecretText | None = None

    def wanted(self) -> Wanted:
        """The handover's stream."""
        return Wanted(streams=(named("handover", self.handover),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """Its next fact."""
        stream = named("handover", self.handover)
        before: Handover | None = loaded.state(stream)[0]
        (event,) = handovers.decide(before, self.command, now)
        state = handovers.apply(before, event, unix(now))
        drew = isinstance(self.command, Draw)
        return Decision(
            appends={stream: [event]},
            answer=answer_of(self.handover, state, None),
            status=201 if drew else 200,
            grounds="drawn up at the end of a shift" if drew else "signed by a person",
            policy="handovers-1",
            texts=(self.note,) if self.note else (),
        )
