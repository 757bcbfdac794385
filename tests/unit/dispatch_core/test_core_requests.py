"""Requests: what words speak for, how urgent they are, and which open ticket they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.ids import Place
from dispatch_core.levels import SEVERITY
from dispatch_core.requests import (
    Call,
    Door,
    Facts,
    Known,
    OpenRequest,
    Policy,
    address_pieces,
    assess,
    belongs,
    candidates,
    is_duplicate,
    merged_level,
    propose,
    raise_by_repeat,
    repeated,
)

FILES = Path(__file__).resolve().parents[3] / "server" / "policies"


class _File(msgspec.Struct):
    requests: Policy


def policy_of(city: str) -> Policy:
    raw = (FILES / city / "default.toml").read_bytes()
    return msgspec.toml.decode(raw, type=_File).requests


POLICY = policy_of("harbin")
LEVELS = st.sampled_from(["red", "yellow", "blue"])


@pytest.mark.parametrize("city", ["harbin", "default"])
@pytest.mark.parametrize(
    ("words", "kind", "level", "dangers"),
    [
        ("立管漏水，楼道里都是", "leak", "yellow", ["漏水"]),
        ("没有漏水，就是不热", "not_warm", "blue", []),
        ("没发现漏水", "question", "blue", []),
        ("未见漏水", "question", "blue", []),
        ("管子漏了", "leak", "yellow", ["漏了"]),
        ("暖气片裂了，天然气管也着火", "leak", "red", ["天然气", "着火", "裂了"]),
        ("漏　水，爆 管了", "leak", "red", ["爆管", "漏水"]),
        ("没有 漏水", "question", "blue", []),
        ("沒有發現漏水，暖氣不熱", "not_warm", "blue", []),
        ("不是没有漏水", "leak", "yellow", ["漏水"]),
        ("是不是漏水了，你们来看看", "leak", "yellow", ["漏水"]),
        ("有没有漏水我说不好", "leak", "yellow", ["漏水"]),
        ("不停漏水", "leak", "yellow", ["漏水"]),
        ("没人管漏水", "leak", "yellow", ["漏水"]),
        ("暖气爆管，烫伤人了", "leak", "red", ["爆管", "烫伤"]),
        ("没有烫伤，但是跑水了", "leak", "red", ["跑水"]),
        ("ＬＥＡＫ in the pipe", "leak", "yellow", ["leak"]),
        ("there is no water leak, the radiators are cold", "not_warm", "blue", []),
        ("it isn't leaking, just not warm", "not_warm", "blue", []),
        ("the piano leaks", "leak", "yellow", ["leak"]),
        ("bleak", "question", "blue", []),
        ("我家是冷山", "question", "blue", []),
        ("我家冷山，不太热", "not_warm", "blue", []),
        ("太热了，调小一点", "temperature_adjustment", "blue", []),
        ("不热，没人管我，要投诉", "not_warm", "blue", []),
        ("投诉你们客服态度", "complaint", "blue", []),
        ("请问什么时候恢复供热", "question", "blue", []),
        ("我要报停", "suspension", "blue", []),
        ("井盖冒烟", "repair", "red", ["冒烟", "井盖"]),
        ("", "question", "blue", []),
    ],
)
def test_words_speak_for_kind_and_level(
    city: str, words: str, kind: str, level: str, dangers: list[str]
) -> None:
    heard = propose(words, policy_of(city))
    assert (heard.kind, heard.level) == (kind, level)
    assert sorted(d.word for d in heard.dangers) == sorted(dangers)
    assert [r for r in heard.reasons if r.startswith("danger:")] == [
        f"danger:{d.word}" for d in heard.dangers
    ]


def test_a_given_kind_stays_and_says_so() -> None:
    heard = propose("暖气不热", POLICY, "leak")
    assert (heard.kind, heard.level, heard.reasons) == ("leak", "yellow", ("kind_given",))
    assert propose("跑水了", POLICY, "question").level == "red"


@given(words=st.text(max_size=300))
def test_reasons_hold_the_policys_words_and_none_of_the_callers(words: str) -> None:
    known = {w for d in POLICY.dangers for w in d.words}
    known |= {w for rule in POLICY.kinds.values() for w in rule.words}
    heard = propose(words, POLICY)
    said = {reason.partition(":")[2] for reason in heard.reasons} - {""}
    assert said <= known
    assert heard.kind in POLICY.kinds
    assert len(address_pieces(words)) <= 6


def test_a_hundred_thousand_characters_of_denials_are_all_heard() -> None:
    for words in ("没漏水" * 33_334, "不" * 100_000, "漏水" * 50_000, "no leak " * 12_500):
        heard = propose(words[:100_000], POLICY)
        assert bool(heard.dangers) == words.startswith("漏水")
    assert propose("没漏水" * 33_000 + "跑水", POLICY).level == "red"


def level_of(words: str, **facts: Any) -> tuple[str, str, list[str]]:
    found = assess(propose(words, POLICY), Facts(**facts), POLICY)
    return found.level, found.reason, list(found.reasons)


def test_household_history_and_outage_decide_the_level() -> None:
    assert level_of("不热")[:2] == ("blue", "kind_of_request")
    assert level_of("不热", green_channel=True)[:2] == ("yellow", "vulnerable_household")
    assert level_of("不热", repeated=1) == ("yellow", "repeated_fault", ["kind:不热", "history:1"])
    assert level_of("不热", green_channel=True, repeated=2)[0] == "red"
    assert level_of("不热", reports=2)[:2] == ("yellow", "many_reports")
    assert level_of("不热", reports=4)[0] == "yellow"
    assert level_of("不热", reports=5)[0] == "red"
    assert level_of("漏水", reports=2)[0] == "yellow", "a second call alone makes nothing red"
    assert level_of("请问几点上班", green_channel=True)[0] == "blue", "no fault, no hurry"
    under = assess(propose("不热", POLICY), Facts(outage="o1", green_channel=True), POLICY)
    assert (under.level, under.reason, under.outage) == ("blue", "outage", "o1")
    burst = assess(propose("跑水", POLICY), Facts(outage="o1"), POLICY)
    assert (burst.level, burst.reason, burst.outage) == ("red", "danger", None)
    steam = assess(propose("不热，井盖冒汽", POLICY), Facts(outage="o1"), POLICY)
    assert (steam.level, steam.outage) == ("red", None)


@given(
    words=st.sampled_from(["不热", "漏水", "跑水", "投诉", "你好"]),
    green=st.booleans(), times=st.integers(0, 3), reports=st.integers(1, 30),
)  # fmt: skip
def test_more_reasons_never_make_it_less_urgent(
    words: str, green: bool, times: int, reports: int
) -> None:
    heard = propose(words, POLICY)
    bare = assess(heard, Facts(), POLICY)
    more = assess(heard, Facts(green_channel=green, repeated=times, reports=reports), POLICY)
    assert SEVERITY[more.level] <= SEVERITY[bare.level] == SEVERITY[heard.level]
    assert set(bare.reasons) <= set(more.reasons)


@given(
    level=LEVELS, asked=st.none() | LEVELS, before=st.integers(1, 20), new=st.integers(1, 5),
    words=st.sampled_from(["不热", "漏水", "跑水"]),
)  # fmt: skip
def test_a_repeat_call_raises_or_leaves_alone(
    level: Any, asked: Any, before: int, new: int, words: str
) -> None:
    heard = propose(words, POLICY)
    made = raise_by_repeat(level, heard, asked, before, before + new, POLICY)
    if made is None:
        assert asked is None or SEVERITY[asked] >= SEVERITY[level]
        return
    assert SEVERITY[made.level] < SEVERITY[level]


def test_a_person_on_the_phone_may_raise_but_a_repeat_never_lowers() -> None:
    heard = propose("不热", POLICY)
    assert raise_by_repeat("red", heard, "blue", 1, 2, POLICY) is None
    given = raise_by_repeat("blue", heard, "red", 1, 2, POLICY)
    assert given is not None
    assert (given.level, given.said) == ("red", "as_given")
    many = raise_by_repeat("blue", heard, None, 1, 2, POLICY)
    assert many is not None
    assert (many.level, many.reason) == ("yellow", "many_reports")
    assert raise_by_repeat("blue", heard, None, 2, 3, POLICY) is None, "weighed once"
    assert raise_by_repeat("blue", heard, None, 1, 2, POLICY, explained=True) is None
    burst = raise_by_repeat("blue", propose("跑水", POLICY), None, 2, 3, POLICY, explained=True)
    assert burst is not None
    assert burst.level == "red"
    assert merged_level("blue", "blue", 1, 2, POLICY) == "yellow"
    assert merged_level("blue", "yellow", 3, 6, POLICY) == "red"
    assert merged_level("red", "blue", 1, 2, POLICY) == "red"


# ---------------------------------------------------------------- which ticket
def place(building: str | None = "b1", lon: float = 126.6, precision: Any = "building") -> Place:
    return Place(
        building=building, lon=lon, lat=45.7, address="x", community=None, district=None,
        precision=precision,
    )  # fmt: skip


def known(**more: Any) -> Known:
    given: dict[str, Any] = {
        "household": None, "resident": "p1", "place": place(), "said": "s1", "heard_at": 1000,
    }  # fmt: skip
    return Known(**{**given, **more})


def call(**more: Any) -> Call:
    given: dict[str, Any] = {
        "household": None, "resident": "p1", "place": place(), "said": "s2", "at": 1300,
    }  # fmt: skip
    return Call(**{**given, **more})


@pytest.mark.parametrize(
    ("one", "ticket", "same"),
    [
        (call(), known(), True),
        (call(resident="p2"), known(), False),
        (call(resident=None), known(resident=None), False),
        (call(place=place("b2")), known(), False),
        (call(household="h1"), known(household="h1", resident="p9"), True),
        (call(household="h1"), known(household="h2"), False),
        (call(household="h1"), known(), True),
        (call(place=place(None, 126.6001)), known(), True),
        (call(place=place(None, 126.61)), known(), False),
        (call(place=place(None, precision="street")), known(place=place(None)), False),
        (
            call(place=place(None, precision="none"), said="s1"),
            known(place=place(None, precision="none")),
            True,
        ),
        (
            call(place=place(None, precision="none"), said="s1", at=9000),
            known(place=place(None, precision="none")),
            False,
        ),
    ],
)
def test_a_call_belongs_where_household_or_caller_and_place_agree(
    one: Call, ticket: Known, same: bool
) -> None:
    assert belongs(one, ticket, POLICY) == same


def test_the_same_words_within_minutes_are_one_call() -> None:
    assert is_duplicate(call(said="s1"), known(), POLICY)
    assert not is_duplicate(call(said="s1", at=1000 + 601), known(), POLICY)
    assert not is_duplicate(call(said=None), known(said=None), POLICY)


def request(**more: Any) -> OpenRequest:
    given: dict[str, Any] = {
        "ticket": "t1", "kind": "not_warm", "state": "received", "open": True, "level": "blue",
        "household": "h1", "resident": "p1", "building": "b1", "received_at": 1000, "reports": 1,
    }  # fmt: skip
    return OpenRequest(**{**given, **more})


DOOR = Door(household="h1", resident="p1", building="b1")


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({}, True), ({"kind": "repair"}, True), ({"kind": "leak"}, False), ({"open": False}, False),
        ({"household": "h2"}, False), ({"household": None}, True),
        ({"household": None, "resident": "p2"}, False),
        ({"household": None, "building": "b2"}, False),
        ({"household": None, "building": None}, True),
    ],
)  # fmt: skip
def test_candidates_are_open_tickets_of_the_same_fault(other: dict[str, Any], found: bool) -> None:
    assert candidates(DOOR, "not_warm", [request(**other)], POLICY) == (["t1"] if found else [])


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        ({}, 1), ({"state": "cancelled"}, 0), ({"kind": "leak"}, 0), ({"kind": "repair"}, 1),
        ({"received_at": -8 * 86400}, 0), ({"household": "h2"}, 0), ({"household": None}, 1),
        ({"household": None, "resident": "p2"}, 0), ({"open": True, "state": "handling"}, 0),
    ],
)  # fmt: skip
def test_history_counts_closed_tickets_of_the_same_fault_and_door(
    other: dict[str, Any], counted: int
) -> None:
    past = request(**({"open": False, "state": "closed"} | other))
    assert repeated(DOOR, "not_warm", [past], 2000, POLICY) == counted


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (
            "你好，我住和平路128号，2单元502室，不热",
            ["我住和平路128号 2单元502室", "我住和平路128号", "2单元502室"],
        ),
        ("暖气不热", []),
        ("户号0451010001，冷", ["户号0451010001"]),
        ("松苑小区3-2-501\n漏水", ["松苑小区3-2-501"]),
    ],
)  # fmt: skip
def test_pieces_that_look_like_addresses(words: str, pieces: list[str]) -> None:
    assert address_pieces(words) == pieces
