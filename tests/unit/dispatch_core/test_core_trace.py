"""The hash chain: any change to any fact is noticed, at the right version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core.trace import START, Chain, Record, Sealed, Spot, canonical, seal, verify

KEY = b"k" * 32
AT = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
WORD = st.text(max_size=6)
TIMES = st.integers(0, 10**12).map(lambda us: AT + timedelta(microseconds=us))
DEGREES = st.floats(-180, 180)

RECORD = st.builds(
    Record,
    company=st.just(1),
    stream=st.just("ticket:t1"),
    version=st.just(0),
    kind=WORD,
    v=st.integers(1, 9),
    actor=WORD,
    business_at=TIMES,
    system_at=TIMES,
    place=st.none() | st.builds(Spot, lon=DEGREES, lat=DEGREES),
    grounds=st.none() | WORD,
    policy_version=st.none() | WORD,
    body=st.binary(max_size=12),
)


def chain(records: list[Record]) -> list[Sealed]:
    sealed, prev = [], START
    for version, drawn in enumerate(records, 1):
        record = msgspec.structs.replace(drawn, version=version)
        sealed.append(Sealed(record=record, prev=prev, hash=seal(KEY, prev, record)))
        prev = sealed[-1].hash
    return sealed


CHAINS = st.lists(RECORD, min_size=1, max_size=6).map(chain)


def check(facts: list[Sealed], length: int | None = None) -> Chain:
    return verify(KEY, 1, "ticket:t1", facts, length)


@given(CHAINS)
def test_an_untouched_chain_holds(facts: list[Sealed]) -> None:
    assert check(facts, len(facts)) == Chain(holds=True, broken_at=None)


CHANGES = {
    "company": st.just(2),
    "stream": st.just("ticket:t2"),
    "version": st.integers(0, 99),
    "kind": WORD,
    "v": st.integers(1, 99),
    "actor": WORD,
    "business_at": TIMES,
    "system_at": TIMES,
    "place": st.none() | st.builds(Spot, lon=DEGREES, lat=DEGREES),
    "grounds": st.none() | WORD,
    "policy_version": st.none() | WORD,
    "body": st.binary(max_size=12),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
@given(data=st.data(), facts=CHAINS)
@settings(max_examples=40)
def test_any_changed_field_is_noticed(name: str, data: st.DataObject, facts: list[Sealed]) -> None:
    i = data.draw(st.integers(0, len(facts) - 1))
    old = facts[i].record
    value = data.draw(CHANGES[name].filter(lambda v: v != getattr(old, name)))
    facts[i] = msgspec.structs.replace(
        facts[i], record=msgspec.structs.replace(old, **{name: value})
    )
    assert check(facts) == Chain(holds=False, broken_at=i + 1)


@given(data=st.data(), facts=CHAINS, which=st.sampled_from(["prev", "hash", "body"]))
def test_any_changed_byte_is_noticed(data: st.DataObject, facts: list[Sealed], which: str) -> None:
    i = data.draw(st.integers(0, len(facts) - 1))
    fact = facts[i]
    whole = fact.record.body if which == "body" else getattr(fact, which)
    if not whole:
        return
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
    if which == "body":
        record = msgspec.structs.replace(fact.record, body=changed)
        facts[i] = msgspec.structs.replace(fact, record=record)
    else:
        facts[i] = msgspec.structs.replace(fact, **{which: changed})
    assert check(facts) == Chain(holds=False, broken_at=i + 1)


@given(data=st.data(), facts=CHAINS)
def test_a_removed_fact_is_noticed(data: st.DataObject, facts: list[Sealed]) -> None:
    i = data.draw(st.integers(0, len(facts) - 1))
    length = len(facts)
    del facts[i]
    assert check(facts, length) == Chain(holds=False, broken_at=i + 1)


@given(data=st.data(), facts=CHAINS.filter(lambda c: len(c) > 1))
def test_reordered_facts_are_noticed(data: st.DataObject, facts: list[Sealed]) -> None:
    i = data.draw(st.integers(0, len(facts) - 2))
    facts[i], facts[i + 1] = facts[i + 1], facts[i]
    assert check(facts) == Chain(holds=False, broken_at=i + 1)


@given(CHAINS)
def test_who_lacks_the_key_cannot_rewrite(facts: list[Sealed]) -> None:
    forged, prev = [], START
    for fact in facts:
        forged.append(
            Sealed(record=fact.record, prev=prev, hash=seal(b"x" * 32, prev, fact.record))
        )
        prev = forged[-1].hash
    assert check(forged) == Chain(holds=False, broken_at=1)


def test_a_fact_added_at_the_end_is_noticed_by_the_length() -> None:
    record = Record(
        company=1, stream="ticket:t1", version=1, kind="a", v=1, actor="", business_at=AT,
        system_at=AT, place=None, grounds=None, policy_version=None, body=b"",
    )  # fmt: skip
    facts = chain([record, record])
    assert check(facts, 1) == Chain(holds=False, broken_at=2)
    assert check([], 0) == Chain(holds=True, broken_at=None)
    assert check([], 3) == Chain(holds=False, broken_at=1)


@given(RECORD, RECORD)
def test_different_records_have_different_bytes(a: Record, b: Record) -> None:
    assert (canonical(a) == canonical(b)) == (a == b)


def test_a_time_without_a_zone_cannot_be_sealed() -> None:
    naive = AT.replace(tzinfo=None)
    record = Record(
        company=1, stream="ticket:t1", version=1, kind="a", v=1, actor="", business_at=naive,
        system_at=AT, place=None, grounds=None, policy_version=None, body=b"",
    )  # fmt: skip
    with pytest.raises(ValueError, match="zone"):
        seal(KEY, START, record)
