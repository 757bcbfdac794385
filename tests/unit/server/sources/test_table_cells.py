"""Cells of imported tables: what is meant, what is refused, and what no spreadsheet may run."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datums import Datums
from server.settings import UserError
from server.sources.tables import cells
from server.sources.tables.cells import BadCell, armed, defused
from server.sources.tables.kinds import HEAT_TREE, HOUSEHOLDS, Place, kind_of
from server.sources.tables.mapping import columns_of, need, read_mapping

NOW = datetime(2026, 1, 14, 8, tzinfo=UTC)
PLACE = Place(NOW, ZoneInfo("Asia/Shanghai"), "2025-2026", Datums())
ACCOUNTS = kind_of("accounts", PLACE)


@given(st.text(alphabet="'=+-@\t\ra1.5e 中", max_size=12))
def test_defusing_loses_nothing_and_leaves_no_formula(text):
    told = defused(text)
    assert armed(told) == text
    try:
        float(told)
    except ValueError:
        assert not told or told[0] not in "=+-@\t\r"


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=1"])
def test_what_spreadsheets_would_run_is_defused(text):
    assert defused(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+5.5", "1e-7", "-1E+3", "502", "", "王先生", "'quoted'"])
def test_numbers_and_plain_texts_stay(text):
    assert defused(text) == text == armed(text)


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.whole(0, 99, "单元门"), "3单元", 3),
        (cells.whole(0, 99), "7", 7),
        (cells.whole(0, 99, "单元门"), "二单元", 2),
        (cells.whole(0, 99, "单元门"), "１２", 12),
        (cells.whole(-5, 200, "楼层"), "-1", -1),
        (cells.whole(0, 99, "层"), "7.0", 7),
        (cells.number(0, 1e6), "1,234.5", 1234.5),
        (cells.yes_no, "是", True),
        (cells.yes_no, "无", False),
        (cells.day, "2026-01-14", date(2026, 1, 14)),
        (cells.day, "2026/1/14", date(2026, 1, 14)),
        (cells.day, "2026年1月14日", date(2026, 1, 14)),
        (cells.day, "20260114", date(2026, 1, 14)),
        (cells.day, "2026-01-14 00:00:00", date(2026, 1, 14)),
        (cells.yuan, "¥1,832.55", 183255),
        (cells.yuan, "12元", 1200),
        (cells.fen, "183255", 183255),
        (cells.many(cells.identifier()), "R1；R2, R3", ["R1", "R2", "R3"]),
        (cells.moment(PLACE.zone, NOW), "2026-01-14", datetime(2026, 1, 13, 16, tzinfo=UTC)),
        (cells.moment(PLACE.zone, NOW), "2026-01-14T07:00Z", datetime(2026, 1, 14, 7, tzinfo=UTC)),
    ],
)
def test_cells_as_people_write_them(read, cell, value):
    assert read(cell) == value


@pytest.mark.parametrize(
    ("read", "cell", "code"),
    [
        (cells.identifier(), "1.00000E+11", "digits_lost"),
        (cells.identifier(), "1e11", "digits_lost"),
        (cells.identifier(5), "123456", "too_long"),
        (cells.identifier(), "a\nb", "control_characters"),
        (cells.text(10), "a\x00b", "control_characters"),
        (cells.text(10), "x" * 100_000, "too_long"),
        (cells.number(0, 10), "nan", "bad_number"),
        (cells.number(0, 10), "inf", "bad_number"),
        (cells.number(0, 10), "1_0", "bad_number"),
        (cells.number(0, 10), "ten", "bad_number"),
        (cells.whole(0, 9), "9999999999999", "bad_number"),
        (cells.whole(0, 9), "1.5", "bad_number"),
        (cells.yes_no, "maybe", "bad_value"),
        (cells.day, "2026-02-30", "bad_date"),
        (cells.day, "14.1.26", "bad_date"),
        (cells.day, "0001-01-01", "bad_date"),
        (cells.yuan, "-3", "negative_amount"),
        (cells.yuan, "1.005", "bad_amount"),
        (cells.fen, "1.5", "bad_amount"),
        (cells.yuan, "1e99999999", "bad_amount"),
        (cells.yuan, "NaN", "bad_amount"),
        (cells.moment(PLACE.zone, NOW), "2026-01-15", "future_time"),
        (cells.moment(PLACE.zone, NOW), "soon", "bad_time"),
        (cells.moment(PLACE.zone, NOW), "1970-01-01", "bad_time"),
        (cells.moment(PLACE.zone, NOW), "0001-01-01", "bad_time"),
        (cells.moment(PLACE.zone, NOW), "9999-12-31T23:59:59-14:00", "future_time"),
    ],
)
def test_cells_that_cannot_be_meant(read, cell, code):
    with pytest.raises(BadCell) as refused:
        read(cell)
    assert refused.value.code == code
    assert len(str(refused.value)) < 200
    assert refused.value.what_to_do


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"lon": 126.6, "lat": 45.7}, "datum_missing"),
        ({"lon": 126.6, "lat": 45.7, "datum": "gcj02"}, "datum_not_enabled"),
        ({"lon": 126.6, "lat": 45.7, "datum": "mars"}, "datum_unknown"),
        ({"lon": 226.6, "lat": 45.7, "datum": "wgs84"}, "coordinate_out_of_range"),
        ({"lon": 126.6, "datum": "wgs84"}, "bad_coordinate"),
        ({"lon": 0.0, "lat": 0.0, "datum": "wgs84"}, "bad_coordinate"),
    ],
)
def test_places_without_a_sound_coordinate(values, code):
    with pytest.raises(BadCell) as refused:
        HOUSEHOLDS.finish(dict(values), PLACE)
    assert refused.value.code == code


def test_the_times_of_an_account_and_its_amounts():
    at, told = datetime(2026, 1, 1, tzinfo=UTC), {"household": "H1", "unpaid_yuan": 100}
    done = ACCOUNTS.finish({**told, "network": "connected", "at": at}, PLACE)
    assert done == {
        "household": "H1", "season": "2025-2026", "unpaid_fen": 100, "network": "connected",
        "balance_at": at, "network_at": at,
    }  # fmt: skip
    with pytest.raises(BadCell, match="differ"):
        ACCOUNTS.finish({**told, "unpaid_fen": 99}, PLACE)


# ---------------------------------------------------------------- columns
def test_columns_are_found_by_chinese_and_english_names():
    header = [
        "用户编号",
        "楼栋编号",
        "单元号",
        "楼层",
        "房号",
        "建筑面积（㎡）",
        "业主 姓名",
        "备注",
    ]
    found = columns_of("f.csv", [*header, ""], HOUSEHOLDS.fields, None)
    assert found.mapping == {
        "household": "用户编号", "building": "楼栋编号", "unit": "单元号", "floor": "楼层",
        "flat": "房号", "area_m2": "建筑面积（㎡）", "owner_name": "业主 姓名",
    }  # fmt: skip
    assert found.ignored == ["备注", "(9)"]


def test_a_columns_own_name_goes_before_anothers_alias():
    found = columns_of("f.csv", ["类型", "kind", "id", "node"], HEAT_TREE.fields, None)
    assert (found.mapping["kind"], found.mapping["node"]) == ("kind", "node")


def test_columns_of_refused_rows_say_nothing():
    header = ["row", "code", "detail", "what_to_do", "household"]
    assert columns_of("f.csv", header, HOUSEHOLDS.fields, None).ignored == []


def test_money_needs_its_unit():
    fields = ACCOUNTS.fields
    assert (
        columns_of("f", ["户号", "欠费（元）"], fields, None).mapping["unpaid_yuan"] == "欠费（元）"
    )
    assert columns_of("f", ["户号", "欠费(分)"], fields, None).mapping["unpaid_fen"] == "欠费(分)"
    with pytest.raises(UserError) as refused:
        columns_of("f", ["户号", "欠费"], fields, None)
    assert refused.value.code == "unit_missing"


@pytest.mark.parametrize(
    ("header", "given", "code"),
    [
        (["a", "b"], {"household": "c"}, "columns_missing"),
        (["a", "b"], {"colour": "a"}, "mapping_unknown_field"),
        (["a", "a"], {"household": "a"}, "column_twice"),
    ],
)
def test_mappings_that_do_not_fit(header, given, code):
    with pytest.raises(UserError) as refused:
        columns_of("f.csv", header, HOUSEHOLDS.fields, given)
    assert refused.value.code == code


def test_a_mapping_may_hold_constants_and_comes_from_toml(tmp_path):
    file = tmp_path / "m.toml"
    file.write_text('[columns]\nhousehold = "Nr"\nlon = "x"\nlat = "y"\ndatum = "=wgs84"\n')
    found = columns_of("f.csv", ["nr", "x", "y"], HOUSEHOLDS.fields, read_mapping(file))
    assert found.mapping == {"household": "nr", "lon": "x", "lat": "y", "datum": "=wgs84"}
    file.write_text("household = 1")
    with pytest.raises(UserError) as refused:
        read_mapping(file)
    assert refused.value.code == "mapping_unreadable"


def test_the_field_that_names_a_row_must_have_a_column():
    with pytest.raises(UserError) as refused:
        need("f.csv", ["a"], HOUSEHOLDS, {})
    assert refused.value.code == "columns_missing"


@pytest.mark.parametrize("cell", ["zz", "", "0101000000000000000000f03f0000000000000040"])
def test_an_outline_is_an_area_or_the_row_says_why_not(cell: str) -> None:
    (outline,) = (field for field in HEAT_TREE.fields if field.name == "outline")
    with pytest.raises(BadCell) as refused:
        outline.read(cell)
    assert refused.value.code == "bad_outline"
