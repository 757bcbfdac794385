"""Residents' data, given in at every door that takes any, and the search for it afterwards."""

from __future__ import annotations

import csv
import io
import json
import struct
import uuid
import zlib
from typing import Any

import msgspec
from path_cases import new_number
from path_cases import step as case_step
from path_dispatch import proposed
from path_heating import visited
from path_house import Caller, House, eventually, fetch
from path_work import batch, crew_on_duty, fix, receive, step

from server.adapters import frames
from server.adapters.engine_calls import Call, Hello, Reply
from server.adapters.engine_client import connect

NAME, PHONE, FLAT = "欧阳测试甲", "13974125836", "88417室"
OWNER, OWNER_PHONE, CERTIFICATE = "司徒测试乙", "13874125837", "23010219780506432X"
WORDS = f"我是{NAME}，三单元{FLAT}，电话{PHONE}，水漫金山啦"
CALLER = {"name": NAME, "phone": "139-7412-5836"}
SECRETS = [
    NAME, PHONE, FLAT, "水漫金山啦", "139-7412-5836", "家里只有老人陈阿婆", OWNER, OWNER_PHONE,
    "138-7412-5837", CERTIFICATE,
]  # fmt: skip
HOMES = ["PH-1", "PH-2", "PH-3"]
"""Of the imported file, all of one owner."""
HEAD = ["户号", "楼栋编号", "单元", "楼层", "房号", "面积", "户阀", "业主姓名", "联系电话",
        "身份证号"]  # fmt: skip


def forms(secret: str) -> list[bytes]:
    """How a text could lie about: plain, as hex, as JSON escapes, as UTF-16."""
    escaped = json.dumps(secret).strip('"')
    return [f.encode() for f in (secret, secret.encode().hex(), escaped)] + [
        secret.encode("utf-16-le")
    ]


def found_in(data: bytes) -> list[str]:
    """The secrets that lie in these bytes."""
    return [s for s in SECRETS if any(form in data for form in forms(s))]


def photo() -> bytes:
    """A whole PNG whose comment tells a name."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", f"c\0{WORDS}".encode())
        + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + chunk(b"IEND", b"")
    )  # fmt: skip


def through_the_intake(house: House) -> dict[str, str]:
    """Files, photos, applications, cases, addresses, departments and reminders; answers the id of
    a record of each by the name of the path's parameter."""
    person, source = house.person, house.source
    sent = person.http.post("/api/photos", content=photo(), headers={"Content-Type": "image/png"})
    assert sent.status_code == 201, sent.text
    names = {"photo": sent.json()["id"], "run": _files(house)}
    names |= _applications(house, names["photo"])
    names["case_id"] = _case(person)
    rows = {"origin": "property_firm", "number": new_number(), "building": "B03", "words": WORDS,
            "caller": CALLER, "kind": "leak"}  # fmt: skip
    taken = person.ok("/api/batches/cases", {"items": [rows, rows | {"number": "", "x": NAME}]})
    assert (taken["accepted"], len(taken["refused"])) == (1, 1)
    names["question_id"] = _question(person)
    at = int(house.business_now().timestamp())
    batch(
        source, "household-standings",
        {"household": HOMES[1], "billing": "base", "billed_fen": 1, "at": at},
    )  # fmt: skip
    person.ok("/api/contradictions/scan")
    found = person.get("/api/contradictions")["items"]
    wrong = next(c for c in found if c["household"] == HOMES[1])
    person.ok("/api/contradictions/mend", {
        "season": wrong["season"], "kind": wrong["kind"], "household": wrong["household"],
        "action": wrong["mends"][0]["action"], "reason": f"{OWNER}来电 {OWNER_PHONE}",
    })  # fmt: skip
    started = person.ok("/api/campaigns", {"purpose": "suspension_deadline", "days_before": 60})
    names["campaign_id"] = started["id"]
    written = eventually(
        lambda: house.sql(
            "SELECT message_id FROM message WHERE channel = 'resident' AND sent_at IS NOT NULL"
        ),
        "the owner was written to",
    )
    names["message_id"] = str(written[0][0])
    return names


def _files(house: House) -> str:
    """Households with their owner, a row that is refused, and tickets with words; the run's id."""
    owner = [OWNER, "138-7412-5837", CERTIFICATE]
    rows = [HEAD, *([h, "B05", "1", "3", f"30{h[-1]}", "80", "有", *owner] for h in HOMES)]
    rows.append(["PH-9", "B05", "1", "3", "309", OWNER, "有", CERTIFICATE, *owner[1:]])
    rows.append([OWNER, "nowhere", OWNER_PHONE, CERTIFICATE, "309", "80", "有", *owner])
    done = _send(house, "households", rows)
    assert (done["added"], done["refused"]) == (len(HOMES), 2)
    call = ["B06", WORDS, NAME, PHONE]
    calls = [["类型", "楼栋编号", "描述", "来电人", "来电号码"], ["不热", *call], [NAME, *call]]
    assert _send(house, "tickets", calls)["refused"] == 1
    return str(done["run"])


def _send(house: House, kind: str, rows: list[list[str]]) -> Any:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    answer = house.person.http.post(
        f"/api/imports/{kind}",
        content=out.getvalue().encode("gb18030"),
        params={"file_name": f"{kind}.csv"},
        headers={"Idempotency-Key": f"file-{uuid.uuid4()}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def _applications(house: House, picture: str) -> dict[str, str]:
    """One approved and carried to its closed loop, one refused in words, one withdrawn."""
    person = house.person
    at = int(house.business_now().timestamp())
    nothing = [{"household": h, "balance_at": at, "unpaid_fen": 0} for h in HOMES]
    batch(house.source, "account-balances", *nothing)
    body = {
        "action": "suspension", "household": HOMES[0], "source": "counter", "words": WORDS,
        "photos": [picture],
        "applicant": {"name": OWNER, "phone": OWNER_PHONE, "certificate": CERTIFICATE},
    }  # fmt: skip
    closed = person.ok("/api/suspensions", body)
    assert closed["state"] == "approved", closed
    visit = visited(person, closed)
    results = [{"application": closed["id"], "outcome": "sealed", "seal": "F-1"}]
    person.ok(f"/api/visits/{visit['id']}/results", {"version": visit["version"],
                                                    "results": results})  # fmt: skip
    stranger = {"name": NAME, "phone": PHONE, "certificate": CERTIFICATE[::-1]}
    held = person.ok(
        "/api/suspensions", body | {"household": HOMES[1], "applicant": stranger, "photos": []}
    )
    assert held["state"] == "referred", held
    repeat = person.post(
        "/api/suspensions", body | {"household": HOMES[1], "applicant": stranger, "photos": []}
    )
    assert (repeat.status_code, repeat.json()["duplicate"]) == (200, True)
    reason = {"reason": f"{NAME}不是业主{OWNER}"}
    refuse = {"version": repeat.json()["version"], **reason}
    person.ok(f"/api/suspensions/{held['id']}/refuse", refuse)
    back = person.ok("/api/suspensions", body | {"household": HOMES[2]})
    withdraw = {"version": back["version"], **reason}
    person.ok(f"/api/suspensions/{back['id']}/withdraw", withdraw)
    return {"application_id": str(closed["id"]), "visit_id": str(visit["id"])}


def at_the_desk(house: House) -> dict[str, str]:
    """A ticket that a person gives to a crew on a price, takes back and gives again, follows by a
    link, hands over and reports on, naming somebody wherever words can be written."""
    person = house.person
    told = {"building": "B08", "words": WORDS, "caller": CALLER, "separate": True}
    ticket = step(person, receive(person, **told), "accept")
    crew = crew_on_duty(house, "PD1")
    at = int(house.business_now().timestamp())
    batch(house.source, "crew-positions", fix(crew, at))
    row = proposed(house, ticket)
    price = person.http.post(f"/api/proposals/{ticket['id']}/price", json={"crew": crew})
    assert price.status_code == 200, price.text
    why = {"reason": WORDS}
    ticket = step(person, ticket, "dispatch", crew=crew, reason_code="other", **why)
    ticket = step(person, ticket, "displace", reason_code="by_hand", **why)
    ticket = step(person, ticket, "dispatch", crew=crew, reason_code="other", **why)
    path = f"/api/tickets/{ticket['id']}/link"
    link = person.ok(path, {"version": ticket["version"], "send": True})
    drawn = person.ok("/api/handovers", {"note": WORDS})
    day = eventually(lambda: person.get("/api/reports")["items"], "a report is frozen")[0]
    person.ok(f"/api/reports/{day}/remarks", {"text": WORDS})
    return {
        "ticket_id": ticket["id"], "crew_id": crew, "path": link["path"], "day": day,
        "digest": row["decision"], "handover_id": drawn["id"],
    }  # fmt: skip


async def asked_of_the_engine(house: House, ticket: str, crew: str) -> list[bytes]:
    """The frames that the engine answers a proposal and a price with, as they are."""
    ((address, secret),) = await fetch(
        house.database_url, "SELECT address, secret FROM lease WHERE name = 'core'"
    )
    reader, writer = await connect(address)
    writer.write(frames.framed(Hello(secret=secret)))
    found = []
    for n, (what, asked) in enumerate(
        [("propose", {"ticket": ticket}), ("price", {"ticket": ticket, "crew": crew})]
    ):
        body = msgspec.Raw(frames.encode(asked))
        writer.write(
            frames.framed(Call(id=n, company=house.company, what=what, body=body, within_s=30))
        )
        found.append(await frames.read(reader))
        assert frames.decode(found[-1], Reply).refused is None, found[-1]
    writer.close()
    await writer.wait_closed()
    return found


def _case(person: Caller) -> str:
    """A case with a caller, carried to its return; what is written at each step names somebody."""
    body = {"origin": "hotline_12345", "number": new_number(), "building": "B02", "kind": "leak",
            "words": WORDS, "caller": CALLER, "address": f"{NAME}家"}  # fmt: skip
    case = person.ok("/api/cases", body)["case"]
    for name, more in (
        ("sign", {}), ("contact", {}), ("extend", {"reason": f"{NAME}不在家"}),
        ("reply", {"words": f"{NAME}家已修复，电话{PHONE}"}), ("return", {"reason": WORDS}),
    ):  # fmt: skip
        case = case_step(person, case, name, **more)
    return str(case["id"])


def _question(person: Caller) -> str:
    """An address that only a person can place, answered so that it teaches."""
    address = f"老铁道口大街3号2单元{FLAT} {NAME}{PHONE}"
    ticket = receive(person, building=None, address=address, caller=CALLER, separate=True)
    questions = person.get("/api/address-questions")["items"]
    [question] = [q for q in questions if q["reference"] == f"ticket:{ticket['id']}"]
    person.ok(f"/api/address-questions/{question['id']}/answer", {"building": "B04"})
    return str(question["id"])
