"""CSV files of tickets: rows become requests, bad rows are told by line, bad files refused."""

import asyncio
import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.settings import UserError
from server.sources.tickets_csv import Refusal, Reject, Row, import_tickets, read_tickets

NYC = "year,borough,zip,lat,lon,num_complaints\n"
GENERIC = "kind,level,lon,lat,datum,address,building,words,reports\n"
SHARED = (
    Path(__file__).parents[4].parent / "shared/data/complaints/nyc_heat_complaints_2020_2022.csv.gz"
)


def written(tmp_path, text, name="in.csv", encoding="utf-8"):
    path = tmp_path / name
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


class Api:
    """Takes rows in once per key; refuses the lines it is told to."""

    def __init__(self, refuse=()):
        self.taken, self.refuse, self.groups = {}, set(refuse), []

    async def send(self, rows):
        self.groups.append(len(rows))
        out = []
        for r in rows:
            if r.line in self.refuse:
                out.append(Refusal("no_such_building", "No such building.", "Check it."))
            else:
                self.taken[r.key] = r.body
                out.append("added")
        return out


def run(path, api, **options):
    return asyncio.run(import_tickets(path, api.send, **options))


def test_new_yorks_complaints(tmp_path):
    rows = (
        "2020,BRONX,10451,40.82,-73.92,1\n"
        "2020,BRONX,10451,40.83,-73.91,10\n"
        "2021,QUEENS,11101,40.74,-73.93,50\n"
    )
    found = list(read_tickets(written(tmp_path, NYC + rows)))
    assert [r.body["level"] for r in found] == ["blue", "yellow", "red"]
    assert found[0].line == 2
    assert found[2].body == {
        "kind": "not_warm", "level": "red", "source": "import", "reports": 50,
        "area": "QUEENS 11101",
        "coordinate": {"lon": -73.93, "lat": 40.74, "datum": "wgs84"},
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_chinese_headers_in_any_encoding_and_separator(tmp_path, encoding, name, separator):
    text = (
        "类型,等级,经度,纬度,坐标系,地址,描述\n不热,黄,126.64,45.75,wgs84,经纬街 128 号,暖气冰凉\n"
    )
    (row,) = read_tickets(written(tmp_path, text.replace(",", separator), name, encoding))
    assert row.body == {
        "kind": "not_warm", "level": "yellow", "source": "import",
        "address": "经纬街 128 号", "words": "暖气冰凉",
        "coordinate": {"lon": 126.64, "lat": 45.75, "datum": "wgs84"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("不存在,blue,1,2,wgs84,,,,", "bad_kind"),
        ("leak,purple,1,2,wgs84,,,,", "bad_level"),
        ("leak,red,1,2,,,,,", "datum_missing"),
        ("leak,red,,,wgs84,,,,", "no_place"),
        ("leak,red,x,2,wgs84,,,,", "bad_coordinate"),
        ("leak,red,nan,2,wgs84,,,,", "bad_coordinate"),
        ("leak,red,181,2,wgs84,,,,", "bad_coordinate"),
        ("leak,red,0,0,wgs84,,,,", "bad_coordinate"),
        ("leak,red,1,2,wgs84,,,,-3", "bad_reports"),
        ("leak,red,1,2,wgs84,,,,1.5", "bad_reports"),
        ("leak,red,1,2,wgs84,,,,99999999999999999999", "bad_reports"),
        ("leak,red,1,2", "bad_line"),
        ('leak,red,1,2,wgs84,"open,,,', "bad_line"),
    ],
)
def test_bad_rows_are_told_by_line_and_code(tmp_path, row, code):
    text = GENERIC + "repair,,,,,,B-7,阀门坏了,2\n\n" + row + "\n"
    good, bad = read_tickets(written(tmp_path, text))
    assert good.body == {
        "kind": "repair", "level": "blue", "source": "import",
        "building": "B-7", "words": "阀门坏了", "reports": 2,
    }  # fmt: skip
    assert isinstance(bad, Reject)
    assert bad.code == code
    assert bad.row == 4
    assert bad.detail
    assert bad.what_to_do


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (gzip.compress(b""), "file_empty"),
        (b"1,2,3\n4,5,6\n", "no_header"),
        (b"\n\n", "no_header"),
        (b"a,b,c\n1,2,3\n", "columns_missing"),
        (b"kind,lon,lat\nleak,1,2\n", "columns_missing"),
        (b"\xff\xfek\x00i\x00", "not_csv"),
        (b"kind,building\n\xff\xff\xff,1\n", "encoding_unknown"),
        (gzip.compress(NYC.encode() * 500)[:-9], "file_truncated"),
        (gzip.compress(NYC.encode() * 500)[:60], "file_truncated"),
        (gzip.compress(NYC.encode())[:-6] + b"\0\0\0\0\0\0", "file_damaged"),
    ],
)
def test_bad_files_are_refused_before_the_first_row(tmp_path, data, code):
    path = tmp_path / "in.csv.gz"
    path.write_bytes(data)
    api = Api()
    with pytest.raises(UserError) as refused:
        run(path, api)
    assert refused.value.code == code
    assert refused.value.what_to_do
    assert not api.groups


def test_a_missing_file_and_an_unknown_preset(tmp_path):
    with pytest.raises(UserError, match="no file") as refused:
        read_tickets(tmp_path / "none.csv")
    assert refused.value.code == "file_missing"
    path = written(tmp_path, NYC)
    with pytest.raises(UserError) as refused:
        read_tickets(path, "paris")
    assert refused.value.code == "preset_unknown"


def test_nothing_is_dropped_silently(tmp_path):
    rows = [
        "2020,BRONX,10451,40.8,-73.9,1",
        "2020,BRONX,10451,north,-73.9,1",
        "2020,,,40.8,-73.9,2",
        "2020,QUEENS,11101,40.7,-73.9,0",
        "2020,QUEENS,11101,40.7,-73.8,3",
    ]
    path = written(tmp_path, NYC + "\n".join(rows))
    api, told = Api(refuse={6}), []
    done = run(path, api, progress=lambda what, share: told.append((what, share)))
    assert (done.accepted, done.refused) == (1, 4)
    assert done.ignored_columns == ["year"]
    with done.rejects.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert sorted((r["row"], r["code"]) for r in lines) == [
        ("3", "bad_coordinate"), ("4", "no_address"), ("5", "bad_reports"),
        ("6", "no_such_building"),
    ]  # fmt: skip
    assert all(r["detail"] and r["what_to_do"] for r in lines)
    assert told[-1] == ("tickets", 1.0)


def test_a_clean_import_leaves_no_file_of_refused_rows(tmp_path):
    path = written(tmp_path, NYC + "2020,BRONX,10451,bad,-73.9,1\n")
    assert run(path, Api()).rejects.exists()
    path.write_text(NYC + "2020,BRONX,10451,40.8,-73.9,1\n")
    done = run(path, Api())
    assert done.rejects is None
    assert list(tmp_path.iterdir()) == [path]


def test_doing_it_twice_uses_the_same_keys_and_another_file_others(tmp_path):
    text = NYC + "".join(f"2020,BRONX,10451,40.8{k:03d},-73.9,1\n" for k in range(600))
    path, packed = written(tmp_path, text), written(tmp_path, text, "in.csv.gz")
    api = Api()
    assert run(path, api).accepted == 600
    assert max(api.groups) <= 256
    assert run(path, api).accepted == 600
    assert run(packed, api).accepted == 600
    assert len(api.taken) == 600
    run(written(tmp_path, text + "2020,BRONX,1,40.9,-73.9,1\n", "more.csv"), api)
    assert len(api.taken) == 1201


def test_limit_and_rate(tmp_path, monkeypatch):
    text = NYC + "".join(f"2020,BRONX,10451,40.8{k:03d},-73.9,1\n" for k in range(50))
    path, api = written(tmp_path, text), Api()
    assert run(path, api, limit=7).accepted == 7
    assert api.groups == [7]
    slept = []
    real = asyncio.sleep

    async def sleep(seconds):
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    api = Api()
    assert run(path, api, per_minute=120, limit=6).accepted == 6
    assert api.groups == [2, 2, 2]
    assert slept[-1] > slept[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(alphabet='ab,"\n红;1. ', max_size=6), max_size=9), max_size=8))
def test_any_rows_are_taken_or_told(tmp_path, cells):
    path = tmp_path / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(GENERIC.strip().split(","))
        csv.writer(file).writerows(cells)
    told = list(read_tickets(path))
    filled = [c for c in cells if any(x.strip() for x in c)]
    assert len(told) == len(filled)
    assert len({r.row if isinstance(r, Reject) else r.line for r in told}) == len(told)


@pytest.mark.skipif(not SHARED.exists(), reason="the complaints of New York are not here")
def test_all_of_new_york():
    rows = list(read_tickets(SHARED))
    assert len(rows) == 106_132
    assert all(isinstance(r, Row) for r in rows)
    assert sum(r.body["reports"] for r in rows) == 628_917
    assert sum(r.body["level"] == "red" for r in rows) > 1000


def test_refused_rows_go_to_the_current_folder_where_the_files_own_is_closed(tmp_path, monkeypatch):
    path = written(tmp_path, NYC + "2020,BRONX,10451,bad,-73.9,1\n")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert run(path, Api()).rejects == here / "in.csv.rejects.csv"
