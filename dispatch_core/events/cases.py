"""Events of an external case (12345, a property firm): its own number and its own clocks."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import CaseClock, CaseState, TicketId, Words


class CaseClocks(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of a case in Unix seconds, and how many seconds before each a warning comes."""

    sign_for: int
    contact: int
    reply: int
    near_s: int


class CaseFact(Body, frozen=True, kw_only=True):
    """What every event of a case carries: whose it is, its number there, its state after it."""

    origin: str
    number: str
    state: CaseState


class CaseReceived(CaseFact, frozen=True, kw_only=True):
    """A case came in and was hung on a ticket; `received_at`: when the origin took it in."""

    ticket: TicketId
    received_at: int
    clocks: CaseClocks
    words: Words | None
    policy: str


class CaseSigned(CaseFact, frozen=True, kw_only=True):
    """Signed for: it is ours."""

    by: str


class CaseContacted(CaseFact, frozen=True, kw_only=True):
    """The citizen was spoken to."""

    by: str


class CaseExtended(CaseFact, frozen=True, kw_only=True):
    """The reply is granted more time, for a reason."""

    by: str
    times: int
    reply_at: int
    reason: Words


class CaseReplied(CaseFact, frozen=True, kw_only=True):
    """The reply went back to the origin."""

    by: str
    words: Words
    satisfied: bool | None


class CaseReturned(CaseFact, frozen=True, kw_only=True):
    """The origin sent it back for rework: its clocks run anew."""

    times: int
    clocks: CaseClocks
    reason: Words | None


class CaseClosed(CaseFact, frozen=True, kw_only=True):
    """The origin took the reply: the case is over."""

    by: str
    satisfied: bool | None


class CaseMoved(CaseFact, frozen=True, kw_only=True):
    """Its ticket was merged into another; the case goes along whole, with its own clocks."""

    from_ticket: TicketId
    ticket: TicketId


class CaseNear(CaseFact, frozen=True, kw_only=True):
    """A clock of the case is about to run out."""

    clock: CaseClock
    deadline: int


class CasePassed(CaseFact, frozen=True, kw_only=True):
    """A clock of the case has run out."""

    clock: CaseClock
    deadline: int


class CaseStatusSent(CaseFact, frozen=True, kw_only=True):
    """The origin's system has what we told it."""

    told: Literal["signed", "contacted", "extended", "replied"]
    way: Literal["webhook", "file"]
