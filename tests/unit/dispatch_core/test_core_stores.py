"""A store of spare parts: whatever is asked of it, nothing in it is ever below zero."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import stores
from dispatch_core.errors import Conflict, Invalid, NotFound, Refused
from dispatch_core.stores import Store

PARTS = ("DN50", "DN80", "DN100")
TICKETS = ("t1", "t2", "t3")
counts = st.dictionaries(st.sampled_from(PARTS), st.integers(0, 6), max_size=3)
asked = st.dictionaries(st.sampled_from(PARTS), st.integers(-1, 5), max_size=3)


def stock(parts: dict[str, int], name: str = "道里备件库") -> c.StockStore:
    return c.StockStore(name=name, lon=126.6, lat=45.7, parts=parts)


def carry(store: Store | None, *commands: Any) -> Store:
    for command in commands:
        for event in stores.decide(store, command):
            store = stores.apply(store, event, 0)
    assert store is not None
    return store


def test_what_is_kept_for_a_ticket_is_there_for_nobody_else() -> None:
    store = carry(None, stock({"DN80": 3}), c.ReserveParts(ticket="t1", parts={"DN80": 2}))
    assert (store.free(), store.free("t1")) == ({"DN80": 1}, {"DN80": 3})
    with pytest.raises(Conflict, match="not_in_store") as found:
        stores.decide(store, c.ReserveParts(ticket="t2", parts={"DN80": 2, "DN50": 1}))
    assert found.value.extra["there"] == {"DN80": 1, "DN50": 0}
    with pytest.raises(Conflict, match="not_in_store"):
        stores.decide(store, c.IssueParts(crew="k1", parts={"DN80": 2}))
    store = carry(store, c.IssueParts(crew="k1", parts={"DN80": 3}, ticket="t1"))
    assert (store.parts, store.reserved) == ({}, {})


def test_a_count_below_what_is_kept_is_refused_and_says_so() -> None:
    store = carry(None, stock({"DN80": 3}), c.ReserveParts(ticket="t1", parts={"DN80": 2}))
    with pytest.raises(Conflict, match="kept_for_tickets") as found:
        stores.decide(store, stock({"DN80": 1}))
    assert found.value.extra["reserved"] == {"t1": {"DN80": 2}}
    store = carry(store, c.ReleaseParts(ticket="t1"), stock({"DN80": 1}))
    assert store.parts == {"DN80": 1}


def test_what_is_so_already_makes_no_fact() -> None:
    store = carry(None, stock({"DN80": 3, "DN50": 0}))
    keep = c.ReserveParts(ticket="t1", parts={"DN80": 2})
    assert stores.decide(store, stock({"DN80": 3})) == []
    assert stores.decide(carry(store, keep), keep) == []
    assert stores.decide(store, c.ReleaseParts(ticket="t9")) == []


def test_what_makes_no_sense_is_refused() -> None:
    store = carry(None, stock({"DN80": 3}))
    for command in (
        stock({"DN80": -1}), stock({"": 1}), c.ReserveParts(ticket="t1", parts={}),
        c.ReserveParts(ticket="t1", parts={"DN80": 0}), c.IssueParts(crew="k1", parts={"": 1}),
    ):  # fmt: skip
        with pytest.raises(Invalid, match="bad_parts"):
            stores.decide(store, command)
    with pytest.raises(Invalid, match="bad_store"):
        stores.decide(None, stock({}, name=""))
    with pytest.raises(NotFound, match="no_such_store"):
        stores.decide(None, c.ReleaseParts(ticket="t1"))
    with pytest.raises(ValueError, match="first fact"):
        stores.apply(None, e.PartsReleased(ticket="t1"), 0)
    with pytest.raises(ValueError, match="no fact"):
        stores.apply(store, e.TicketProposedAgain(ticket=LABEL, due=None), 0)


LABEL = e.TicketLabel(level="red", kind="leak", address="x")


class Shelves(RuleBasedStateMachine):
    """Random counts, reservations and issues, right and wrong, against a plain ledger."""

    @initialize(parts=counts)
    def open(self, parts: dict[str, int]) -> None:
        self.store: Store | None = None
        self.lies: Counter[str] = Counter()
        self.kept: dict[str, Counter[str]] = {}
        self.take(stock(parts))
        self.lies = +Counter(parts)

    def take(self, command: Any) -> bool:
        try:
            made = stores.decide(self.store, command)
        except Refused:
            return False
        for event in made:
            self.store = stores.apply(self.store, event, 0)
        return True

    def spare(self, ticket: str | None) -> Counter[str]:
        left = Counter(self.lies)
        for other, parts in self.kept.items():
            if other != ticket:
                left.subtract(parts)
        return left

    def there(self, parts: dict[str, int], ticket: str | None) -> bool:
        spare = self.spare(ticket)
        return bool(parts) and all(0 < n <= spare[part] for part, n in parts.items())

    @rule(parts=counts)
    def count(self, parts: dict[str, int]) -> None:
        kept: Counter[str] = sum(self.kept.values(), Counter())
        fits = all(n <= parts.get(part, 0) for part, n in kept.items())
        assert self.take(stock(parts)) == fits
        if fits:
            self.lies = +Counter(parts)

    @rule(ticket=st.sampled_from(TICKETS), parts=asked)
    def reserve(self, ticket: str, parts: dict[str, int]) -> None:
        there = self.there(parts, ticket)
        assert self.take(c.ReserveParts(ticket=ticket, parts=parts)) == there
        if there:
            self.kept[ticket] = Counter(parts)

    @rule(ticket=st.sampled_from(TICKETS))
    def release(self, ticket: str) -> None:
        assert self.take(c.ReleaseParts(ticket=ticket))
        self.kept.pop(ticket, None)

    @rule(ticket=st.sampled_from([None, *TICKETS]), parts=asked)
    def issue(self, ticket: str | None, parts: dict[str, int]) -> None:
        there = self.there(parts, ticket)
        assert self.take(c.IssueParts(crew="k1", parts=parts, ticket=ticket)) == there
        if there:
            self.lies -= Counter(parts)
            self.kept.pop(ticket or "", None)

    @invariant()
    def exactly_what_is_there(self) -> None:
        store = getattr(self, "store", None)
        if store is None:
            return
        assert store.parts == dict(self.lies)
        assert store.reserved == {t: dict(parts) for t, parts in self.kept.items()}
        assert min(store.parts.values(), default=1) > 0
        assert min(self.spare(None).values(), default=0) >= 0
        assert store.free() == dict(+self.spare(None))


Shelves.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestShelves = Shelves.TestCase
