"""What a phone signs is read as a browser writes it, and one bit else is no signature of it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.adapters.device_signatures import as_script, holds, signed_text
from server.adapters.keys import Keys
from server.adapters.photo_nonces import AHEAD, Bound, Nonces
from server.adapters.vault import Vault


@pytest.mark.parametrize(
    ("number", "written"),
    [(8.0, "8"), (126.63, "126.63"), (-0.5, "-0.5"), (0.00002, "0.00002"), (1e6, "1000000"),
     (126.6300000001, "126.6300000001"), (0.1 + 0.2, "0.30000000000000004")],
)  # fmt: skip
def test_numbers_are_written_as_a_browser_writes_them(number: float, written: str) -> None:
    assert as_script(number) == written


def test_a_signature_is_of_every_line() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    lines: tuple[str | int | None, ...] = ("0.1.x", "ab" * 32, 1768356000000, "t1", "room", None)
    text = signed_text(*lines, spot=(126.63, 45.75, 8.0))
    assert text.decode().split("\n")[0] == "heatops-photo-1"
    assert text.decode().split("\n")[-2:] == ["", "126.63,45.75,8"]
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    raw = r.to_bytes(32) + s.to_bytes(32)
    signed = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert holds(point, signed, text)
    for n, line in enumerate(lines):
        other = [*lines]
        other[n] = f"{line}1"
        assert not holds(point, signed, signed_text(*other, spot=(126.63, 45.75, 8.0)))
    assert not holds(point, signed, signed_text(*lines, spot=(126.63, 45.75, 9.0)))
    assert not holds(point, signed, signed_text(*lines, spot=None))
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert not holds(
        stranger.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), signed, text
    )
    for broken in ("", "!!", signed[:-4], signed + "AAAA", "A" * 86):
        assert not holds(point, broken, text)


def test_a_word_is_good_for_one_slot_of_one_phone_and_for_a_while(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.ensure()
    nonces = Nonces(Vault(keys))
    now = datetime(2026, 1, 14, 9, 30, tzinfo=UTC)
    mine = Bound(1, "t1", "room", "C1", "phone-1")
    words = nonces.words(mine, 2, now)
    assert len(set(words)) == AHEAD
    assert words == nonces.words(mine, 2, now + timedelta(minutes=20)), "the same within an hour"
    assert words[1:] == nonces.words(mine, 3, now)[:-1]
    for word in words:
        assert nonces.holds(word, mine, now + timedelta(hours=71), 72 * 3600)
        late = nonces.holds(word, mine, now + timedelta(hours=74), 72 * 3600)
        assert late is None, "ours, but too old"
        assert not nonces.holds(word, mine, now - timedelta(hours=2), 72 * 3600), "of the future"
        for n, field in enumerate(mine._fields):
            other = mine._replace(**{field: 2 if n == 0 else "x"})
            assert nonces.holds(word, other, now, 72 * 3600) is False, field
    for forged in (
        "",
        ".",
        "..",
        "2",
        words[0][:-1],
        f"3{words[0][1:]}",
        "9" * 60 + ".1.a",
        "é.é.é",
    ):
        assert nonces.holds(forged, mine, now, 72 * 3600) is False
