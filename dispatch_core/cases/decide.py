"""What a command makes of a case, or why it is refused."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.cases.commands import (
    NAMES,
    CaseCommand,
    CaseStep,
    CloseCase,
    ContactCitizen,
    ExtendReply,
    ReceiveCase,
    Reply,
    ReturnForRework,
    SignFor,
)
from dispatch_core.cases.policy import Origin, Policy
from dispatch_core.cases.state import POSSIBLE, Case
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    CaseClocks,
    CaseClosed,
    CaseContacted,
    CaseExtended,
    CaseMoved,
    CaseReceived,
    CaseReplied,
    CaseReturned,
    CaseSigned,
    Event,
)
from dispatch_core.ids import TicketId, unix

AHEAD_S = 60
"""Another system's clock may go ahead of ours by this much."""


def origin_of(policy: Policy, code: str) -> Origin:
    """The rules of an origin. Raises Invalid `unknown_origin`."""
    found = policy.origins.get(code)
    if found is None:
        known = ", ".join(sorted(policy.origins))
        raise Invalid(
            "unknown_origin",
            f"Cases of the origin {code} are not known here.",
            f"Known: {known}. Another is added in the policy file, section cases.origins.",
        )
    return found


def decide(
    case: Case | None, command: CaseCommand, now: datetime, policy: Policy, version: str
) -> list[Event]:
    """The facts that a command makes, by a policy of this version.

    Raises NotFound `no_such_case`; Conflict `already_exists`, `version_conflict`, `wrong_state`,
    `no_extension_left` or `too_late`, each with the present state; Invalid `unknown_origin`,
    `future_time`, `too_old`.
    """
    at = unix(now)
    if isinstance(command, ReceiveCase):
        if case is not None:
            raise Conflict(
                "already_exists", "There is such a case already.", "Look at it.", case.present()
            )
        return [_receive(command, at, policy, version)]
    if case is None:
        raise NotFound("no_such_case", "There is no such case.", "Check its identifier.")
    _check(case, command)
    return [_step(case, command, at, origin_of(policy, case.origin))]


def move(case: Case, into: TicketId) -> list[Event]:
    """The facts by which a case follows its ticket, whole, with its own number and clocks."""
    if case.ticket == into:
        return []
    return [
        CaseMoved(
            origin=case.origin,
            number=case.number,
            state=case.state,
            from_ticket=case.ticket,
            ticket=into,
        )
    ]


def _receive(command: ReceiveCase, at: int, policy: Policy, version: str) -> CaseReceived:
    origin = origin_of(policy, command.origin)
    if command.received_at > at + AHEAD_S:
        raise Invalid(
            "future_time",
            "The case's receipt lies in the future.",
            "Send received_at as Unix seconds, or leave it away: then it is now.",
        )
    if command.received_at < at - policy.oldest_s:
        raise Invalid(
            "too_old",
            f"The case was received more than {policy.oldest_s // 86400} days ago.",
            "Check received_at: Unix seconds.",
        )
    received_at = min(command.received_at, at)
    return CaseReceived(
        origin=command.origin,
        number=command.number,
        state="received",
        ticket=command.ticket,
        received_at=received_at,
        clocks=CaseClocks(
            sign_for=received_at + origin.sign_for_s,
            contact=received_at + origin.contact_s,
            reply=received_at + origin.reply_s,
            near_s=origin.near_s,
        ),
        words=command.words,
        policy=version,
    )


def _check(case: Case, command: CaseStep) -> None:
    name = NAMES[type(command)]
    if not case.decided <= command.version <= case.version:
        raise Conflict(
            "version_conflict",
            f"The case has changed: it is {case.state} at version {case.version}.",
            "Look at the case as it is now and decide again.",
            case.present(),
        )
    if name not in POSSIBLE[case.state]:
        possible = ", ".join(POSSIBLE[case.state])
        raise Conflict(
            "wrong_state",
            f"A case that is {case.state} cannot take the step {name}.",
            f"Possible now: {possible}.",
            case.present(),
        )


def _step(case: Case, command: CaseStep, at: int, origin: Origin) -> Event:
    who = {"origin": case.origin, "number": case.number}
    match command:
        case SignFor():
            return CaseSigned(**who, state="signed", by=command.by)
        case ContactCitizen():
            return CaseContacted(**who, state="contacted", by=command.by)
        case ExtendReply():
            return _extend(case, command, at, origin)
        case Reply():
            return CaseReplied(
                **who,
                state="replied",
                by=command.by,
                words=command.words,
                satisfied=command.satisfied,
            )
        case ReturnForRework():
            clocks = CaseClocks(
                sign_for=at + origin.sign_for_s,
                contact=at + origin.contact_s,
                reply=at + origin.rework_reply_s,
                near_s=origin.near_s,
            )
            return CaseReturned(
                **who,
                state="returned",
                times=case.returned + 1,
                clocks=clocks,
                reason=command.reason,
            )
        case CloseCase():
            return CaseClosed(**who, state="closed", by=command.by, satisfied=command.satisfied)


def _extend(case: Case, command: ExtendReply, at: int, origin: Origin) -> CaseExtended:
    if case.extended >= origin.extensions_max:
        raise Conflict(
            "no_extension_left",
            f"The reply was extended {case.extended} times; {origin.name_en} grants no more.",
            "Reply, even if the work goes on, or ask the origin.",
            case.present(),
        )
    if case.clocks.reply <= at:
        raise Conflict(
            "too_late",
            "The time for the reply has run out; only a running clock is extended.",
            "Reply now.",
            case.present(),
        )
    return CaseExtended(
        origin=case.origin,
        number=case.number,
        state=case.state,
        by=command.by,
        times=case.extended + 1,
        reply_at=case.clocks.reply + origin.extension_s,
        reason=command.reason,
    )
