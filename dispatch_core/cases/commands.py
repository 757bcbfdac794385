"""What people and an origin may ask of a case: each step names the version its sender saw."""

from __future__ import annotations

import msgspec

from dispatch_core.ids import TicketId, Words


class ReceiveCase(msgspec.Struct, frozen=True, kw_only=True):
    """Hang a case on a ticket. `received_at`: when the origin took it in, Unix seconds."""

    origin: str
    number: str
    ticket: TicketId
    received_at: int
    words: Words | None = None


class SignFor(msgspec.Struct, frozen=True, kw_only=True):
    """It is ours."""

    version: int
    by: str


class ContactCitizen(msgspec.Struct, frozen=True, kw_only=True):
    """The citizen was spoken to."""

    version: int
    by: str


class ExtendReply(msgspec.Struct, frozen=True, kw_only=True):
    """More time for the reply, with the reason."""

    version: int
    by: str
    reason: Words


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the origin is told; `satisfied` is None when the citizen did not say."""

    version: int
    by: str
    words: Words
    satisfied: bool | None = None


class ReturnForRework(msgspec.Struct, frozen=True, kw_only=True):
    """The origin does not take the reply."""

    version: int
    reason: Words | None = None


class CloseCase(msgspec.Struct, frozen=True, kw_only=True):
    """The origin took the reply."""

    version: int
    by: str
    satisfied: bool | None = None


CaseStep = SignFor | ContactCitizen | ExtendReply | Reply | ReturnForRework | CloseCase
CaseCommand = ReceiveCase | CaseStep

NAMES: dict[type, str] = {
    SignFor: "sign",
    ContactCitizen: "contact",
    ExtendReply: "extend",
    Reply: "reply",
    ReturnForRework: "return",
    CloseCase: "close",
}
