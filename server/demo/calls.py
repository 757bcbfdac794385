"""What the demo says to the API: one call, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call; its key goes out again when an answer was lost, so nothing happens twice."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    body: Body | None
    key: str
    """Idempotency-Key; empty for reading."""
    at: float
    """Business time it stands for, Unix seconds."""
    ticket: str | None = None
    """The ticket whose answer the simulator waits for."""
    step: str | None = None
    """What the answer is for: the ticket's step, or a word of `simulate.Day.answer`; None: it does
    not matter."""
    photo: bytes | None = None
    """A picture that goes as the raw body instead."""
    by: str | None = None
    """The person whose session it goes by; None: the source's token."""
    once: bool = False
    """An answer that it cannot be now is an answer, too: it is not sent again."""
