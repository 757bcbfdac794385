"""The made addresses keep their promises: seeded, labelled, and true to their register."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from benchmarks._address_slips import distance, in_chinese, slip, still_meant, unmistakable
from benchmarks._addresses import HARBIN, AddressSet, make_set

STREETS = [
    "安康街", "安康路", "文政街", "文正街", "红旗大街", "经纬三道街", "经纬五道街", "哈平路",
]  # fmt: skip
needs_harbin = pytest.mark.skipif(not HARBIN.exists(), reason=f"{HARBIN} is not there")


@pytest.fixture(scope="module")
def made() -> AddressSet:
    return make_set(5, 1500)


@needs_harbin
def test_the_same_seed_makes_the_same_set(made):
    again = make_set(5, 1500)
    assert (again.rows, again.aliases, again.cases) == (made.rows, made.aliases, made.cases)
    assert make_set(6, 50).cases != made.cases[:50]


@needs_harbin
def test_every_truth_is_a_home_of_the_register(made):
    homes = {r.building: r for r in made.rows}
    assert len(homes) == len(made.rows)
    for case in made.cases:
        if case.building is None:
            assert (case.unit, case.floor, case.flat) == (None, None, None)
            assert case.defects[0].startswith("none_")
            continue
        assert not any(d.startswith("none_") for d in case.defects)
        found = [
            home
            for home in homes[case.building].homes()
            if all(told in {None, has} for told, has in zip(
                (case.unit, case.floor, case.flat), home, strict=True))
        ]  # fmt: skip
        assert found, case


@needs_harbin
def test_a_quarter_names_no_door_and_every_class_is_there(made):
    none = [c for c in made.cases if c.building is None]
    assert len(none) / len(made.cases) == pytest.approx(0.24, abs=0.04)
    seen = Counter(d for c in made.cases for d in c.defects)
    assert len([d for d in seen if d.startswith("none_")]) == 12
    for defect in (
        "homophone", "lookalike", "missing", "swapped", "doubled", "alias", "no_ending",
        "short_ending", "other_ending", "no_hao", "chinese_numeral", "full_width", "dashes",
        "misread_digit", "sub_number", "person", "landmark", "prefix_order", "no_prefix", "blank",
        "street_and_community", "side_for_flat", "gate_for_unit", "no_unit", "phase_digit",
    ):  # fmt: skip
        assert seen[defect], defect


@needs_harbin
def test_a_number_said_not_to_exist_does_not(made):
    doors = {f"{r.street}{r.house_number}号" for r in made.rows if r.house_number}
    for case in made.cases:
        if {"none_no_such_number", "none_street_not_ours"} & set(case.defects):
            assert not any(f"区{door}" in case.text or case.text.startswith(door) for door in doors)


@needs_harbin
def test_streets_that_two_districts_have_are_told_apart_where_there_is_a_truth(made):
    doors = Counter((r.street, r.house_number) for r in made.rows if r.house_number)
    rows = {r.building: r for r in made.rows}
    shared = {
        (r.street, r.house_number, r.district) for r in made.rows
        if r.house_number and not r.community and doors[r.street, r.house_number] > 1
    }  # fmt: skip
    assert shared
    asked = 0
    for case in made.cases:
        row = rows.get(case.building or "")
        if row and (row.street, row.house_number, row.district) in shared and not row.community:
            asked += 1
            assert "alias" in case.defects or row.district.removesuffix("区") in case.text
    assert asked


def test_a_slip_never_makes_another_streets_name():
    chance = random.Random(1)
    found = Counter()
    for _ in range(3000):
        name = chance.choice(STREETS)
        if slipped := slip(chance, name, STREETS):
            assert slipped[0] not in STREETS
            assert distance(slipped[0], name) <= 2
            found[slipped[1]] += 1
    assert len(found) == 5


@pytest.mark.parametrize(("said", "meant", "clear"), [
    ("红旗街", "红旗大街", True), ("安康", "安康路", False), ("经纬四道街", "经纬三道街", False),
    ("哈平", "哈平路", True), ("文政", "文政街", True),
])  # fmt: skip
def test_what_is_still_meant(said, meant, clear):
    assert still_meant(said, meant, STREETS) is clear


def test_another_number_of_a_street_is_no_slip():
    assert unmistakable("康宁五道街", ["康宁三道街", "红旗大街"])
    assert not unmistakable("兴安街", ["兴安路"])
    assert not unmistakable("建化街", ["建华街"])


@pytest.mark.parametrize(("number", "text"), [
    (5, "五"), (10, "十"), (17, "十七"), (20, "二十"), (101, "一百零一"), (110, "一百一十"),
    (128, "一百二十八"), (1005, "一千零五"),
])  # fmt: skip
def test_numbers_in_chinese(number, text):
    assert in_chinese(number) == text
