"""Workbooks as people keep them: titles, merged cells, dates, formulas, and files that are none."""

import itertools
import warnings
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from server.settings import UserError
from server.sources.tables.table import open_table


def book(tmp_path, rows, *, merge=(), name="a.xlsx"):
    made = openpyxl.Workbook()
    sheet = made.active
    for row in rows:
        sheet.append(row)
    for span in merge:
        sheet.merge_cells(span)
    path = tmp_path / name
    made.save(path)
    return path


def values(path, sheet=None):
    return [line.values for line in open_table(path, sheet).lines()]


def test_a_title_dates_numbers_and_merged_cells(tmp_path):
    rows = [
        ["2026 年户表", None, None, None],
        ["户号", "楼栋", "面积", "日期"],
        ["H1", "B1", 81.5, date(2026, 1, 14)],
        [1000000002, None, 80.0, datetime(2026, 1, 14, 9, 30)],  # noqa: DTZ001
        [None, None, None, None],
        ["H3", "B2", 1e-7, True],
    ]
    path = book(tmp_path, rows, merge=["A1:D1", "B3:B4"])
    table = open_table(path)
    assert table.header == ["户号", "楼栋", "面积", "日期"]
    assert [(line.number, line.values) for line in table.lines()] == [
        (3, {"户号": "H1", "楼栋": "B1", "面积": "81.5", "日期": "2026-01-14"}),
        (4, {"户号": "1000000002", "楼栋": "B1", "面积": "80", "日期": "2026-01-14 09:30:00"}),
        (6, {"户号": "H3", "楼栋": "B2", "面积": "1e-07", "日期": "1"}),
    ]


def test_a_named_sheet_and_one_that_is_not_there(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    other = made.create_sheet("户表")
    other.append(["户号", "楼栋"])
    other.append(["H1", "B1"])
    path = tmp_path / "two.xlsx"
    made.save(path)
    assert values(path, "户表") == [{"户号": "H1", "楼栋": "B1"}]
    assert values(path) == []
    with pytest.raises(UserError) as refused:
        open_table(path, "none")
    assert refused.value.code == "no_such_sheet"
    assert "户表" in refused.value.message


def test_an_error_cell_and_cells_beyond_the_header_are_told_by_row(tmp_path):
    made = openpyxl.Workbook()
    for row in (["户号", "楼栋"], ["H1", "#N/A"], ["H2", "B1", "more"], ["H3"]):
        made.active.append(row)
    made.active["B2"].data_type = "e"
    path = tmp_path / "e.xlsx"
    made.save(path)
    first, second, third = open_table(path).lines()
    assert (first.values, first.cells) == (None, ["H1", "#N/A"])
    assert "#N/A" in first.error
    assert (second.values, second.cells[2]) == (None, "more")
    assert third.values == {"户号": "H3", "楼栋": ""}


def test_formulas_count_by_their_results_and_are_refused_without(tmp_path):
    path = book(tmp_path, [["a", "b"], ["x", "=1+1"], ["y", "=A2"]])
    with pytest.raises(UserError) as refused:
        open_table(path)
    assert refused.value.code == "formulas_not_calculated"
    # as a spreadsheet saves it: with the results
    calculated = tmp_path / "calculated.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(calculated, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
                data = data.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
                data = data.replace(b'r="B3">', b'r="B3" t="str">')
                assert b"<v>2</v>" in data
                assert b't="str"' in data
            new.writestr(item, data)
    assert values(calculated) == [{"a": "x", "b": "2"}, {"a": "y", "b": ""}]


def half(tmp_path):
    path = book(tmp_path, [["a", "b"]] + [[str(n), "x" * 50] for n in range(500)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def no_book(tmp_path):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("hello.txt", "hello")
    return path


def damaged(tmp_path):
    path = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(book(tmp_path, [["a", "b"]])) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            sheet = item.filename == "xl/worksheets/sheet1.xml"
            new.writestr(item, b"<worksheet><sheetData><row" if sheet else old.read(item))
    return path


def of_ole(tmp_path, inside=b""):
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + inside)
    return path


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (half, "file_truncated"),
        (no_book, "not_workbook"),
        (damaged, "workbook_damaged"),
        (of_ole, "workbook_old"),
        (lambda t: of_ole(t, "EncryptedPackage".encode("utf-16-le")), "workbook_encrypted"),
        (lambda t: book(t, []), "no_header"),
    ],
)
def test_files_that_are_no_sound_workbook(tmp_path, make, code):
    path = make(tmp_path)
    with pytest.raises(UserError) as refused:
        open_table(path)
    assert refused.value.code == code
    assert refused.value.what_to_do


def test_a_sheet_is_asked_of_a_workbook_only(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError) as refused:
        open_table(path, "x")
    assert refused.value.code == "no_sheets"


def test_reading_a_workbook_leaves_no_open_file(tmp_path):
    path = book(tmp_path, [["a", "b"], ["1", "2"]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = open_table(path).lines()
        assert next(rows).values == {"a": "1", "b": "2"}
        rows.close()


def test_a_csv_whose_column_names_hold_line_breaks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('"户号\n(必填)",楼栋\nH1,B1\n'.encode("gb18030"))
    assert values(path) == [{"户号 (必填)": "H1", "楼栋": "B1"}]


def rebuilt(path, change):
    """The workbook with the XML of its sheet changed."""
    made = path.with_name(f"re-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                body = change(body.decode()).encode()
            new.writestr(name, body)
    return made


def with_rows(more, after=""):
    return lambda xml: xml.replace("</sheetData>", f"{more}</sheetData>{after}")


def _laughs(xml):
    names = "abcdefghij"
    told = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in itertools.pairwise(names)
    )
    last = '<row r="3"><c r="A3" t="inlineStr"><is><t>&j;</t></is></c></row>'
    body = with_rows(last)(xml)
    return f"<?xml version='1.0'?><!DOCTYPE l [{told}]>{body[body.index('<worksheet') :]}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_laughs, "workbook_damaged"),
        (with_rows('<row r="3"><c r="A3"><v>1</v>'), "workbook_damaged"),
        (with_rows('<row r="3"><c r="ZZZZZZ3"><v>1</v></c></row>'), "too_many_columns"),
        (with_rows('<row r="3"><c s="1" r="XFD3"><v>1</v></c></row>'), "too_many_columns"),
        (with_rows('<row r="999999999"><c r="A999999999"><v>1</v></c></row>'), "workbook_damaged"),
        (
            with_rows("", '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
            "workbook_too_large",
        ),
        (lambda xml: xml + "<c " * 400_000, "workbook_damaged"),
        (lambda xml: xml + "<c a><f></f>" + " " * 400_000, "workbook_damaged"),
        (lambda xml: xml + "<mergeCell " * 90_000, "workbook_damaged"),
        (
            lambda xml: xml.replace(
                "</row>", "<c t='inlineStr'><is><t>q</t></is></c>" * 2000 + "</row>", 1
            ),
            "too_many_columns",
        ),
    ],
    ids=[
        "entities", "cut", "column", "wide", "gap", "merged", "tags", "blanks", "merges", "header",
    ],
)  # fmt: skip
def test_a_sheet_made_to_break_its_reader_is_refused(tmp_path, change, code):
    path = rebuilt(book(tmp_path, [["户号", "楼栋"], ["H1", "B1"]]), change)
    with pytest.raises(UserError) as refused:
        values(path)
    assert refused.value.code == code


def test_parts_that_unpack_to_too_much_are_refused(tmp_path):
    path = book(tmp_path, [["户号", "楼栋"], ["H1", "B1"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/more.xml", b" " * (33 << 20))
    with pytest.raises(UserError) as refused:
        open_table(path)
    assert refused.value.code == "workbook_too_large"
