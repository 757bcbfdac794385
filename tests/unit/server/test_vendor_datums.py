"""The installer's choice to take the map vendors' datums reaches the doors of coordinates."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from geo.datums import Coordinate, Datums
from server.adapters.accounts import Principal
from server.api.batch_items import KINDS, Checking, checked
from server.cli.doctor import examine_machine
from server.settings import UserError, from_env
from server.sources.tickets_csv import read_tickets

FIX = {
    "crew": "C01", "fixed_at": 1_760_000_000, "lon": 126.645964, "lat": 45.756948,
    "accuracy_m": 8, "heading_deg": 90, "speed_mps": 6.5,
}  # fmt: skip


@pytest.mark.parametrize(("said", "taken"), [
    (None, False), ("", False), ("0", False), ("no", False), ("1", True), ("YES", True),
])  # fmt: skip
def test_it_is_off_until_turned_on(monkeypatch, said, taken):
    monkeypatch.delenv("HEATOPS_GCJ02", raising=False)
    if said is not None:
        monkeypatch.setenv("HEATOPS_GCJ02", said)
    assert from_env().gcj02 is taken


def test_a_value_that_cannot_be_meant_is_refused(monkeypatch):
    monkeypatch.setenv("HEATOPS_GCJ02", "maybe")
    with pytest.raises(UserError, match="HEATOPS_GCJ02"):
        from_env()


@pytest.mark.parametrize("gcj02", [False, True])
def test_the_doctor_says_which_and_the_note_stands_beside_it(
    monkeypatch, tmp_path: Path, gcj02: bool
):
    monkeypatch.setenv("HEATOPS_GCJ02", "1" if gcj02 else "0")
    monkeypatch.setenv("HEATOPS_DATA", str(tmp_path))
    (found,) = [f.found for f in examine_machine(from_env()) if "GCJ-02" in f.name]
    assert "may be restricted in mainland China" in found
    assert ("refused" in found) is not gcj02


@pytest.mark.parametrize(("datum", "off", "on"), [
    ("gcj02", "datum_not_enabled", None), ("BD-09", "datum_not_enabled", None),
    ("wgs84", None, None), ("", "datum_missing", "datum_missing"),
    (None, "datum_missing", "datum_missing"), ("epsg:4551", *["coordinate_out_of_range"] * 2),
])  # fmt: skip
def test_crews_fixes(datum, off, on):
    item = FIX if datum is None else FIX | {"datum": datum}
    for datums, code in ((Datums(), off), (Datums(gcj02_enabled=True), on)):
        x = Checking(Principal(1, "van", "source", b""), 1_760_000_000, {"C01"}, None, "", datums)
        rows, bad = checked([msgspec.Raw(msgspec.json.encode(item))], KINDS["crew-positions"], x)
        assert [b.code for b in bad] == ([code] if code else [])
        assert len(rows) == (code is None)
        if datum == "gcj02" and rows:
            assert rows[0][2:4] == pytest.approx((126.64, 45.755), rel=0, abs=2e-6)
            assert rows[0][4] == "gcj02"  # what was sent stays on the row


def test_a_file_of_tickets_may_give_metres(tmp_path: Path):
    file = tmp_path / "in.csv"
    file.write_text(
        "kind,lon,lat,datum\nleak,549780,5069000,EPSG:4551\nleak,549780,5069000,wgs84\n", "utf-8"
    )
    metres, degrees = read_tickets(file)
    spot = metres.body["coordinate"]
    assert spot == {"lon": 549780, "lat": 5069000, "datum": "epsg:4551"}
    point = Datums().to_wgs84(Coordinate(**spot))
    assert (point.lon, point.lat) == pytest.approx((126.639804, 45.754518), rel=0, abs=1e-6)
    assert degrees.code == "bad_coordinate"
