"""The file gateway's lines, and the file that chooses gateways."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from pathlib import Path

import msgspec
import pytest

from dispatch_core.errors import Unavailable
from server.adapters import file_gateway, gateways
from server.adapters.file_gateway import FileGateway, append, file_name
from server.adapters.gateways import Gateways
from server.adapters.message_store import Claimed, Lane
from server.adapters.webhook_gateway import WebhookGateway, again_after

HOTLINE = Lane("case", "hotline_12345")


def message(number: int, target: str = "hotline_12345", channel: str = "case") -> Claimed:
    return Claimed(
        message_id=number, channel=channel, target=target, kind="case_signed", about="case:x",
        written_at=1, attempts=1, body=msgspec.Raw('{"words":"已签收"}'.encode()),
    )  # fmt: skip


def test_lines_are_whole_private_and_findable_by_their_proof(tmp_path: Path) -> None:
    gateway = FileGateway(tmp_path / "gateway")
    first = asyncio.run(gateway.carry("warm", [message(1), message(2)]))
    second = asyncio.run(gateway.carry("warm", [message(3)]))
    path = tmp_path / "gateway/warm/case-hotline_12345.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    written = path.read_bytes()
    for outcome in [*first, *second]:
        assert (outcome.state, outcome.way) == ("sent", "file")
        name, _, offset = (outcome.proof or "").rpartition(":")
        assert name == path.name
        line = msgspec.json.decode(written[int(offset) :].split(b"\n")[0])
        assert (line["message_id"], line["body"]) == (outcome.message_id, {"words": "已签收"})


def test_half_a_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"message_id":1}\n{"mess')
    (offset,) = append(path, [b'{"message_id":2}\n'])
    assert path.read_bytes()[offset:] == b'{"message_id":2}\n'
    assert path.read_bytes()[offset - 1 : offset] == b"\n"


def test_a_full_disk_leaves_nothing_half_written_and_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FileGateway(tmp_path)
    asyncio.run(gateway.carry("warm", [message(1)]))
    path = tmp_path / "warm/case-hotline_12345.jsonl"
    before = path.read_bytes()

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_gateway, "_write", full)
    (outcome,) = asyncio.run(gateway.carry("warm", [message(2)]))
    assert (outcome.state, outcome.again_s > 0) == ("waiting", True)
    assert "No space left" in (outcome.error or "")
    assert path.read_bytes() == before


@pytest.mark.parametrize("target", ["../../etc/x", "", "a/b", "热线", "x" * 200])
def test_a_target_never_leaves_the_folder(target: str) -> None:
    name = file_name("case", target)
    assert Path(name).name == name
    assert name.startswith("case-")
    assert file_name("resident", target) == "resident.jsonl"


def test_the_first_gateway_that_fits_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "LOOK_AGAIN_S", 0.0)
    chosen = Gateways(tmp_path)
    assert isinstance(chosen.of("warm", HOTLINE), FileGateway)
    write(
        tmp_path,
        '[[gateway]]\nchannel = "case"\ntarget = "hotline_12345"\ncompany = "warm"\n'
        'url = "http://a.example/x"\nsecret = "0123456789abcdef"\nat_once = 3\n'
        '[[gateway]]\nchannel = "case"\nurl = "http://b.example"\nsecret = "0123456789abcdef"\n',
    )
    hook = chosen.of("warm", HOTLINE)
    assert isinstance(hook, WebhookGateway)
    assert hook.at_most == 3
    assert chosen.of("warm", HOTLINE) is hook, "kept while the file is the same"
    assert getattr(chosen.of("other", HOTLINE), "at_most", None) == 8
    assert isinstance(chosen.of("warm", Lane("department", "finance")), FileGateway)
    assert isinstance(chosen.of("warm", Lane("resident", None)), FileGateway)


@pytest.mark.parametrize(
    "bad",
    [
        "[[gateway",
        '[[gateway]]\nchannel = "post"\n',
        '[[gateway]]\nchannel = "case"\nurl = "http://b.example"\n',
        '[[gateway]]\nchannel = "case"\nurl = "ftp://b"\nsecret = "0123456789abcdef"\n',
        '[[gateway]]\nchannel = "case"\nurl = "http://b"\nsecret = "short"\n',
        '[[gateway]]\nchannel = "resident"\ntarget = "p-1"\n',
        '[[gateway]]\nchannel = "case"\nspeed = 3\n',
    ],
)
def test_a_file_that_cannot_be_used_is_said_once_and_the_last_good_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    monkeypatch.setattr(gateways, "LOOK_AGAIN_S", 0.0)
    write(
        tmp_path,
        '[[gateway]]\nchannel = "case"\nurl = "http://b.example"\nsecret = "0123456789abcdef"\n',
    )
    chosen = Gateways(tmp_path)
    assert isinstance(chosen.of("warm", HOTLINE), WebhookGateway)
    write(tmp_path, bad)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert isinstance(chosen.of("warm", HOTLINE), WebhookGateway)
    assert [r.message for r in caplog.records if "gateways.toml" in r.message] != []
    assert len(caplog.records) == 1
    (tmp_path / "gateways.toml").unlink()
    assert isinstance(chosen.of("warm", HOTLINE), FileGateway)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"[[gateway]", b"a = " + b"[" * 100_000])
def test_a_start_with_a_file_that_cannot_be_used_carries_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    monkeypatch.setattr(gateways, "LOOK_AGAIN_S", 0.0)
    (tmp_path / "gateways.toml").write_bytes(bad)
    chosen = Gateways(tmp_path)
    for _ in range(3):
        with pytest.raises(Unavailable):
            chosen.of("warm", HOTLINE)
    assert len(caplog.records) == 1
    write(tmp_path, "")
    assert isinstance(chosen.of("warm", HOTLINE), FileGateway)


def write(folder: Path, text: str) -> None:
    (folder / "gateways.toml").write_text(text, "utf-8")


def test_tries_are_longer_and_longer_apart() -> None:
    waits = [again_after(n) for n in range(1, 200)]
    assert waits[:3] == [5.0, 10.0, 20.0]
    assert waits == sorted(waits)
    assert waits[-1] == 900.0
