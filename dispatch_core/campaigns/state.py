"""A campaign from its start to the last outcome: who is written to is fixed, then counted."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from dispatch_core.errors import Conflict
from dispatch_core.events import (
    CampaignEnded,
    CampaignGathered,
    CampaignProgressed,
    CampaignStarted,
    Event,
)
from dispatch_core.ids import CampaignId, Words, unix

Purpose = Literal["suspension_deadline"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
PROGRESS_EVERY_S = 3
"""Progress is a fact at most this often: a gateway reports thousands of messages a minute."""


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as it stands. Counts are residents; times Unix seconds."""

    version: int
    purpose: str
    season: str
    days_before: int
    deadline_at: int
    started_at: int
    by: str
    recipients: int | None = None
    """None until it is gathered who is written to."""
    without_phone: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    never_reached: int = 0
    told_at: int = 0
    ended_at: int | None = None


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Remind of a deadline."""

    purpose: Purpose
    season: str
    days_before: int
    deadline_at: int
    words: Words
    by: str
    policy: str


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """Who is written to has been written down."""

    recipients: int
    without_phone: int


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the records say: `sent` includes the delivered, `waiting` have no outcome yet,
    `unwritten` no message yet."""

    sent: int
    delivered: int
    failed: int
    waiting: int
    unwritten: int
    without_phone: int


def name_of(purpose: Purpose, season: str, days_before: int) -> CampaignId:
    """The one name of a reminder: whoever starts it, it goes out once."""
    return CampaignId(f"{purpose}-{season}-{days_before}")


def decide(state: Campaign | None, command: Start | Gather | Count, now: datetime) -> list[Event]:
    """What becomes true.

    Raises:
        Conflict: `campaign_exists` with the campaign as it stands, `deadline_passed`.
    """
    match command:
        case Start():
            return _start(state, command, now)
        case Gather():
            if state is None or state.recipients is not None:
                return []
            return [
                CampaignGathered(recipients=command.recipients, without_phone=command.without_phone)
            ]
        case Count():
            return _count(state, command, now)


def _start(state: Campaign | None, command: Start, now: datetime) -> list[Event]:
    if state is not None:
        raise Conflict(
            "campaign_exists",
            "This reminder has been sent already.",
            "Look at how it went; a reminder of another day may be started.",
            {"started_at": state.started_at, "ended_at": state.ended_at},
        )
    if unix(now) >= command.deadline_at:
        raise Conflict(
            "deadline_passed",
            f"The deadline of the season {command.season} has passed.",
            "Nobody is reminded after it.",
        )
    return [
        CampaignStarted(
            purpose=command.purpose,
            season=command.season,
            days_before=command.days_before,
            deadline_at=command.deadline_at,
            words=command.words,
            by=command.by,
            policy=command.policy,
        )
    ]


def countable(state: Campaign, now: datetime) -> bool:
    """Whether the records are to be counted now: it is under way, and nothing was told just now."""
    under_way = state.recipients is not None and state.ended_at is None
    return under_way and unix(now) - state.told_at >= PROGRESS_EVERY_S


def _count(state: Campaign | None, count: Count, now: datetime) -> list[Event]:
    if state is None or not countable(state, now):
        return []
    never = count.failed + count.without_phone
    over = unix(now) >= state.deadline_at
    if not count.waiting and (over or not count.unwritten):
        return [
            CampaignEnded(
                sent=count.sent,
                delivered=count.delivered,
                failed=count.failed,
                never_reached=never + count.unwritten,
            )
        ]
    changed = (state.sent, state.delivered, state.failed) != (
        count.sent,
        count.delivered,
        count.failed,
    )
    if changed:
        return [CampaignProgressed(sent=count.sent, delivered=count.delivered, failed=count.failed)]
    return []


def apply(state: Campaign | None, event: Event, at: int) -> Campaign:
    """The campaign after one more fact. Raises ValueError for a fact of something else."""
    match event, state:
        case CampaignStarted(), None:
            return Campaign(
                version=1,
                purpose=event.purpose,
                season=event.season,
                days_before=event.days_before,
                deadline_at=event.deadline_at,
                started_at=at,
                by=event.by,
            )
        case CampaignGathered(), Campaign():
            return msgspec.structs.replace(
                state,
                version=state.version + 1,
                recipients=event.recipients,
                without_phone=event.without_phone,
            )
        case CampaignProgressed(), Campaign():
            return _counted(state, event, at)
        case CampaignEnded(), Campaign():
            ended = _counted(state, event, at)
            return msgspec.structs.replace(ended, never_reached=event.never_reached, ended_at=at)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of this campaign")


def _counted(state: Campaign, event: CampaignProgressed | CampaignEnded, at: int) -> Campaign:
    return msgspec.structs.replace(
        state,
        version=state.version + 1,
        sent=event.sent,
        delivered=event.delivered,
        failed=event.failed,
        told_at=at,
    )
