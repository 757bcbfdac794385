"""When a resident's message is given up."""

from __future__ import annotations

import msgspec

from server.adapters.message_store import Claimed, Outcome, State
from server.jobs.delivery import give_up


def tried(number: int, attempts: int) -> Claimed:
    return Claimed(
        message_id=number, channel="resident", target="p-1", kind="reminder", about="campaign:x",
        written_at=1, attempts=attempts, body=msgspec.Raw(b"{}"),
    )  # fmt: skip


def outcome(number: int, state: State, way: str) -> Outcome:
    return Outcome(message_id=number, state=state, way=way, error="HTTP 503")


def test_the_policy_ends_the_tries_of_a_receiver_but_never_of_our_own_disk() -> None:
    claimed = [tried(1, 7), tried(2, 8), tried(3, 9), tried(4, 9), tried(5, 9)]
    outcomes = [
        outcome(1, "waiting", "webhook"), outcome(2, "waiting", "webhook"),
        outcome(3, "waiting", "webhook"), outcome(4, "waiting", "file"),
        outcome(5, "delivered", "webhook"),
    ]  # fmt: skip
    states = [o.state for o in give_up(claimed, outcomes, 8)]
    assert states == ["waiting", "failed", "failed", "waiting", "delivered"]
