"""Files over HTTP: who may send and take them, what is answered, and what is written down."""

from __future__ import annotations

import csv
import gzip
import io
import uuid
from typing import Any

import httpx
import openpyxl
from path_house import Caller, House

HEAD = ["户号", "楼栋编号", "单元", "楼层", "房号", "面积", "业主姓名", "联系电话"]


def text(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("gb18030")


def send(
    caller: Caller, kind: str, body: bytes, *, key: str | None = None, **query: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": key or f"file-{uuid.uuid4()}"}
    return caller.http.post(f"/api/imports/{kind}", content=body, params=query, headers=headers)


def homes(tag: str, building: str, wrong: int = 1) -> list[list[str]]:
    rows = [[f"{tag}{n}", building, "9", "3", f"30{n}", "80", "王伟", f"139{n}"] for n in range(5)]
    return [HEAD, *rows, *([f"{tag}x{n}", "none", "9", "3", "301", "80", "", ""]
                           for n in range(wrong))]  # fmt: skip


def building(house: House) -> str:
    return str(
        house.sql("SELECT min(building_id) FROM building WHERE company_id = $1", house.company)[0][
            0
        ]
    )


def test_a_file_is_tried_taken_in_and_its_refused_rows_are_fetched(house: House) -> None:
    person, body = house.person, text(homes("A", building(house)))
    dry = send(person, "households", body, file_name="户表.csv", dry="true").json()
    assert (dry["rows"], dry["added"], dry["refused"], dry["dry"]) == (6, 5, 1, True)
    assert not house.sql("SELECT FROM household WHERE household_id = 'A0'")
    key = f"once-{uuid.uuid4()}"
    done = send(person, "households", gzip.compress(body), key=key, file_name="户表.csv.gz").json()
    assert (done["added"], done["file_name"], done["rejects_file"]) == (5, "户表.csv.gz", None)
    assert done["mapping"]["owner_phone"] == "联系电话"
    assert [(r["row"], r["code"]) for r in done["rejects"]] == [(7, "unknown_building")]
    other = send(person, "households", body, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    fetched = person.http.get(done["rejects_url"])
    assert fetched.headers["cache-control"] == "no-store"
    lines = list(csv.reader(io.StringIO(fetched.content.decode("utf-8-sig"))))
    assert lines[1][4:6] == ["Ax0", "none"]
    listed = person.get("/api/imports", limit=1)
    assert (listed["items"][0]["run"], listed["items"][0]["by"]) == (done["run"], "person:admin")
    assert listed["next"] == done["run"]
    assert listed["total"] >= 2
    looked = house.sql("SELECT by_whom FROM resident_access WHERE what LIKE $1", f"%{done['run']}")
    assert [r[0] for r in looked] == ["person:admin"]


def test_no_kept_answer_names_a_resident(house: House) -> None:
    head = ["户号", "楼栋编号", "单元", "楼层", "房号", "面积"]
    body = text([head, ["Z1", building(house), "欧阳保密", "1", "101", "80"]])
    answer = send(house.person, "households", body)
    (reject,) = answer.json()["rejects"]
    assert (reject["row"], reject["code"]) == (2, "bad_number")
    assert "欧阳保密" not in answer.text
    assert not house.sql("SELECT FROM idempotency WHERE answer LIKE '%欧阳保密%'")
    assert "欧阳保密" in house.person.http.get(answer.json()["rejects_url"]).content.decode()


def test_the_same_key_gives_the_same_answer(house: House) -> None:
    body, key = text(homes("B", building(house), 0)), f"once-{uuid.uuid4()}"
    first = send(house.person, "households", body, key=key)
    again = send(house.person, "households", body, key=key)
    assert first.json()["added"] == 5
    assert again.json() == first.json()
    anew = send(house.person, "households", body).json()
    assert (anew["added"], anew["unchanged"]) == (0, 5)


def test_files_that_are_refused_whole(house: House) -> None:
    for body, query, status, code in (
        (b"", {}, 422, "file_empty"),
        (b"PK\x03\x04half", {}, 422, "file_truncated"),
        ("户号,楼栋\n".encode("utf-16"), {}, 422, "not_csv"),
        (b"a,b\n1,2\n", {}, 422, "columns_missing"),
        (b"household\nH1\n", {"mapping": "none"}, 422, "no_such_mapping"),
        (b"household\nH1\n", {"sheet": "x"}, 422, "no_sheets"),
        (b'"household,building' + b"a" * 200_000, {}, 422, "header_unreadable"),
        (b"a," * 300_000 + b"\n1\n", {}, 422, "too_many_columns"),
    ):
        answer = send(house.person, "households", body, **query)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["what_to_do"]
        assert ".upload" not in answer.text
    assert send(house.person, "castles", b"a").status_code == 404
    missing = house.person.http.post("/api/imports/points", content=b"point\nW1\n")
    assert missing.json()["code"] == "key_missing"
    assert house.person.http.get("/api/imports/none/rejects.csv").status_code == 404
    uploads = house.data / "imports"
    assert not [p for p in uploads.iterdir() if p.name.startswith(".")]


def test_a_file_larger_than_other_bodies_and_one_too_large(house: House) -> None:
    wide = "x" * 280
    rows = "".join(f"W{n},{wide}\n" for n in range(35_000)).encode()
    assert len(rows) > 9 << 20
    answer = send(house.person, "points", b"point,note\n" + rows)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["rows"], told["refused"], len(told["rejects"])) == (35_000, 35_000, 50)
    assert told["ignored_columns"] == ["note"]
    large = send(house.person, "points", b"x" * ((64 << 20) + 1))
    assert (large.status_code, large.json()["code"]) == (413, "too_large")


def test_only_the_right_people_send_and_take_files(house: House) -> None:
    body = text([["测点编号", "户号"]])
    for path in ("/api/imports", "/api/exports/points.csv", "/api/import-mappings"):
        answer = house.source.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), path
        assert Caller(house.url).http.get(path).status_code == 401
    assert send(house.source, "points", body).json()["code"] == "role_needed"


def test_exports_in_both_forms(house: House) -> None:
    send(house.person, "households", text(homes("E", building(house), 0)))
    answer = house.person.http.get("/api/exports/households.csv")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    mine = next(line for line in lines if line[0] == "E1")
    assert mine[-2:] == ["王伟", "1391"]
    book = house.person.http.get("/api/exports/households.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content), read_only=True)["households"]
    rows = [[c for c in row if c is not None] for row in sheet.iter_rows(values_only=True)]
    filled = [c.removesuffix(".0") for c in mine if c]
    assert [str(c) for c in next(r for r in rows if r[0] == "E1")] == filled
    assert house.person.http.get("/api/exports/households.doc").status_code == 404
    assert house.person.http.get("/api/exports/castles.csv").status_code == 404
    taken = house.sql("SELECT count(*) FROM resident_access WHERE what = 'export of households'")
    assert taken[0][0] >= 2
    assert not [p for p in (house.data / "imports").iterdir() if p.name.startswith(".")]


def test_a_mapping_is_saved_and_used(house: House) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    mapping = {"point": "Fühler", "building": "Haus"}
    body = {"kind": "points", "name": name, "mapping": mapping}
    assert house.person.ok("/api/import-mappings", body) == body
    listed = house.person.get("/api/import-mappings", kind="points")
    assert listed["fields"] == ["point", "household", "building"]
    saved = listed["items"]
    assert [m["mapping"] for m in saved if m["name"] == name] == [mapping]
    rows = f"Fühler,Haus\nS-{name},{building(house)}\n".encode()
    assert send(house.person, "points", rows, mapping=name).json()["added"] == 1
    wrong = house.person.post("/api/import-mappings", {**body, "mapping": {"colour": "x"}})
    assert wrong.json()["code"] == "mapping_unknown_field"


def test_a_mapping_names_columns_and_no_novels(house: House) -> None:
    body = {"kind": "points", "name": "long", "mapping": {"point": "x" * 301}}
    answer = house.person.post("/api/import-mappings", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_body")


def test_tickets_from_a_file(house: House) -> None:
    at = building(house)
    rows = text([
        ["类型", "楼栋编号", "描述", "来电人", "来电号码", "等级"],
        ["不热", at, "文件里的第一行，冰凉", "赵先生", "100-7777-0001", ""],
        ["不热", "none", "", "", "", ""],
        ["castle", at, "", "", "", ""],
    ])  # fmt: skip
    dry = send(house.person, "tickets", rows, dry="true").json()
    assert (dry["added"], dry["refused"]) == (1, 2)
    found = "SELECT count(*) FROM ticket WHERE source = 'import' AND company_id = $1"
    before = house.sql(found, house.company)[0][0]
    done = send(house.person, "tickets", rows).json()
    assert (done["rows"], done["added"], done["refused"]) == (3, 1, 2)
    again = send(house.person, "tickets", rows).json()
    assert (again["added"], again["unchanged"]) == (0, 1)
    assert house.sql(found, house.company)[0][0] == before + 1
    told = house.person.http.get("/api/exports/tickets.csv").content.decode("utf-8-sig")
    line = next(r for r in csv.DictReader(io.StringIO(told)) if "文件里的第一行" in r["words"])
    assert (line["kind"], line["building"], line["caller_name"]) == ("not_warm", at, "赵先生")


def test_a_call_from_an_owners_phone_leaves_the_registered_name(house: House) -> None:
    """An owner is looked for by the name in the register."""
    rows = [HEAD, ["R1", building(house), "9", "4", "401", "80", "赵大海", "100-8888-0001"]]
    send(house.person, "households", text(rows))
    caller = {"name": "赵先生", "phone": "10088880001"}
    request = {"kind": "question", "source": "phone", "household": "R1", "caller": caller}
    house.person.ok("/api/requests", {**request, "words": "几号开始供热"})
    told = house.person.http.get("/api/exports/households.csv").content.decode("utf-8-sig")
    line = next(r for r in csv.DictReader(io.StringIO(told)) if r["household"] == "R1")
    assert (line["owner_name"], line["owner_phone"]) == ("赵大海", "100-8888-0001")
