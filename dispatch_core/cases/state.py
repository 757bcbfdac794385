"""What a case is after the facts so far, which of its clocks run, and what can be done."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Literal

import msgspec

from dispatch_core.events import (
    CaseClocks,
    CaseClosed,
    CaseContacted,
    CaseExtended,
    CaseFact,
    CaseMoved,
    CaseNear,
    CasePassed,
    CaseReceived,
    CaseReplied,
    CaseReturned,
    CaseSigned,
    CaseStatusSent,
    Event,
    Warned,
)
from dispatch_core.ids import CaseClock, CaseId, CaseState, TicketId

POSSIBLE: dict[CaseState, tuple[str, ...]] = {
    "received": ("sign", "extend"),
    "signed": ("contact", "extend"),
    "contacted": ("reply", "extend"),
    "replied": ("close", "return"),
    "returned": ("sign", "extend"),
    "closed": ("return",),
}
"""What can be done in each state: the whole state machine."""
RUNNING: dict[CaseState, tuple[CaseClock, ...]] = {
    "received": ("sign_for", "contact", "reply"),
    "signed": ("contact", "reply"),
    "contacted": ("reply",),
    "replied": (),
    "returned": ("sign_for", "contact", "reply"),
    "closed": (),
}
"""The clocks that run in each state."""
Status = Literal["signed", "contacted", "extended", "replied"]
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 48


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The earliest running clock of a case."""

    clock: CaseClock
    at: int
    warned: Warned


class StatusSent(msgspec.Struct, frozen=True, kw_only=True):
    """What the origin's system was told, how, and when we knew that it has it."""

    status: Status
    way: str
    at: int


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case after `version` facts; times are Unix seconds of the business clock."""

    version: int
    decided: int
    """The version of the last fact that was more than a warning, a move or an echo."""
    origin: str
    number: str
    ticket: TicketId
    state: CaseState
    received_at: int
    """When the origin took it in."""
    clocks: CaseClocks
    warned: dict[CaseClock, Warned]
    extended: int = 0
    returned: int = 0
    satisfied: bool | None = None
    replied_at: int | None = None
    closed_at: int | None = None
    told: list[StatusSent] = []

    @property
    def due(self) -> Due | None:
        """The earliest running clock; of equal ones the one that ends first in the procedure."""
        clocks = RUNNING[self.state]
        if not clocks:
            return None
        first = min(clocks, key=self.deadline)
        return Due(clock=first, at=self.deadline(first), warned=self.warned.get(first, "no"))

    def deadline(self, clock: CaseClock) -> int:
        """When a clock runs out, whether it runs or not."""
        at: int = getattr(self.clocks, clock)
        return at

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        due = self.due
        return {
            "state": self.state,
            "version": self.version,
            "ticket": self.ticket,
            "due_at": due.at if due else None,
            "possible": list(POSSIBLE[self.state]),
        }


def plain_number(number: str) -> str:
    """A number as it is compared: full-width forms folded, without blanks at its ends."""
    return unicodedata.normalize("NFKC", number).strip()


def case_id(origin: str, number: str) -> CaseId:
    """The identifier of a case, the same for ever: origin and number where that is safe in a URL,
    else what is safe of it with a digest, so that no two numbers share one."""
    plain = plain_number(number)
    safe = _UNSAFE.sub("-", plain)
    if safe != plain or len(safe) > _LONGEST:
        digest = hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()
        safe = f"{safe[:_LONGEST]}~{digest}"
    return CaseId(f"{origin}-{safe}")


def apply(case: Case | None, event: Event, at: int) -> Case:
    """The case after one more fact, which happened at `at`.

    Raises ValueError for a fact that cannot be the next of a case: a broken journal.
    """
    if isinstance(event, CaseReceived):
        if case is not None:
            raise ValueError("a case is received once")
        return Case(
            version=1,
            decided=1,
            origin=event.origin,
            number=event.number,
            ticket=event.ticket,
            state="received",
            received_at=event.received_at,
            clocks=event.clocks,
            warned={},
        )
    if case is None or not isinstance(event, CaseFact):
        raise ValueError(f"{type(event).__name__} cannot be the next fact of a case")
    return _next(msgspec.structs.replace(case, version=case.version + 1), event, at)


def _next(case: Case, event: CaseFact, at: int) -> Case:
    replace = msgspec.structs.replace
    match event:
        case CaseNear():
            return replace(case, warned={**case.warned, event.clock: "near"})
        case CasePassed():
            return replace(case, warned={**case.warned, event.clock: "passed"})
        case CaseMoved():
            return replace(case, ticket=event.ticket)
        case CaseStatusSent():
            sent = StatusSent(status=event.told, way=event.way, at=at)
            return replace(case, told=[*case.told, sent])
        case _:
            return _stepped(replace(case, decided=case.version, state=event.state), event, at)


def _stepped(case: Case, event: CaseFact, at: int) -> Case:
    replace = msgspec.structs.replace
    match event:
        case CaseSigned() | CaseContacted():
            return case
        case CaseExtended():
            clocks = replace(case.clocks, reply=event.reply_at)
            warned: dict[CaseClock, Warned] = {k: v for k, v in case.warned.items() if k != "reply"}
            return replace(case, clocks=clocks, warned=warned, extended=event.times)
        case CaseReplied():
            return replace(case, replied_at=at, satisfied=event.satisfied)
        case CaseReturned():
            return replace(
                case, clocks=event.clocks, warned={}, returned=event.times, satisfied=None,
                replied_at=None, closed_at=None,
            )  # fmt: skip
        case CaseClosed():
            satisfied = case.satisfied if event.satisfied is None else event.satisfied
            return replace(case, closed_at=at, satisfied=satisfied)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a case")
