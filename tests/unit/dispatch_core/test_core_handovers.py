"""Handover: drawn up once, signed by two people, never changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dispatch_core import handovers
from dispatch_core.errors import Conflict, NotFound
from dispatch_core.events import CrewBack, HandedTicket, HandoverDrawn
from dispatch_core.handovers import Draw, Handover, Sign
from dispatch_core.ids import TicketId, unix

NOW = datetime(2026, 1, 14, 0, 2, tzinfo=UTC)
RED = HandedTicket(
    ticket=TicketId("260114-000123"), version=4, level="red", kind="leak", address="经纬街 128 号",
    state="accepted", crew_name=None, due_clock="respond", due_at=unix(NOW) + 600, overdue=False,
)  # fmt: skip


def drawn(by: str = "person:wang") -> HandoverDrawn:
    return HandoverDrawn(
        reds=[RED], overdue=[], outages=[], silent=[], lost=[], promises=[],
        open={"red": 1, "yellow": 0, "blue": 0}, note=None, by=by,
    )  # fmt: skip


def after(state: Handover | None, *commands: Draw | Sign) -> Handover:
    for command in commands:
        for event in handovers.decide(state, command, NOW):
            state = handovers.apply(state, event, unix(NOW))
    assert state is not None
    return state


def sign(state: Handover, side: str, by: str) -> Sign:
    return Sign(version=state.version, side=side, by=by)  # type: ignore[arg-type]


def test_two_people_sign_and_what_was_drawn_stays() -> None:
    first = after(None, Draw(drawn=drawn()))
    half = after(first, sign(first, "leaving", "person:wang"))
    assert not half.complete
    whole = after(half, sign(half, "coming", "person:li"))
    assert whole.complete
    assert whole.drawn == first.drawn
    assert whole.version == 3


def test_nobody_signs_for_both_sides_or_twice() -> None:
    first = after(None, Draw(drawn=drawn()))
    half = after(first, sign(first, "leaving", "person:wang"))
    with pytest.raises(Conflict) as same:
        after(half, sign(half, "coming", "person:wang"))
    assert same.value.code == "same_person"
    with pytest.raises(Conflict) as again:
        after(half, sign(half, "leaving", "person:li"))
    assert again.value.code == "signed_already"
    assert again.value.extra == {"version": 2, "signed": {"leaving": "wang"}}


def test_who_saw_an_older_one_looks_again() -> None:
    first = after(None, Draw(drawn=drawn()))
    half = after(first, sign(first, "leaving", "person:wang"))
    with pytest.raises(Conflict) as stale:
        after(half, Sign(version=1, side="coming", by="person:li"))
    assert stale.value.code == "version_conflict"


def test_what_is_not_there_is_not_signed_and_not_drawn_twice() -> None:
    with pytest.raises(NotFound):
        handovers.decide(None, Sign(version=1, side="coming", by="person:li"), NOW)
    first = after(None, Draw(drawn=drawn()))
    with pytest.raises(Conflict) as twice:
        after(first, Draw(drawn=drawn()))
    assert twice.value.code == "already_exists"


def test_a_broken_journal_is_no_handover() -> None:
    alien = CrewBack(name="一班", by="person:wang")
    with pytest.raises(ValueError, match="cannot be the next"):
        handovers.apply(None, alien, 0)
    with pytest.raises(ValueError, match="drawn up once"):
        handovers.apply(after(None, Draw(drawn=drawn())), drawn(), 0)


def test_its_number_is_the_local_minute() -> None:
    assert handovers.name_of(datetime(2026, 1, 14, 7, 58, 31, tzinfo=UTC)) == "20260114-0758"
