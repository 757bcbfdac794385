"""A coordinate in any datum comes to the place it was taken at; the map vendors' only where the
installer turned them on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyproj
import pytest
from path_house import Caller, House

from geo.gcj02 import bd09_of_wgs84, gcj02_of_wgs84


@pytest.fixture(scope="module")
def opened(house: House) -> Iterator[Caller]:
    """A source at a web process that takes GCJ-02 in; the other processes do not."""
    web = house.web(HEATOPS_GCJ02="1")
    web.wait()
    yield Caller(web.url, house.token)
    web.stop()
    house.webs.remove(web)


@pytest.fixture(scope="module")
def spots(house: House) -> dict[str, dict[str, object]]:
    """Building B01 in each datum."""
    (row,) = house.sql(
        "SELECT lon, lat FROM building WHERE company_id = $1 AND building_id = 'B01'", house.company
    )
    lon, lat = float(row["lon"]), float(row["lat"])
    place = np.array([lon]), np.array([lat])
    gcj, bd = gcj02_of_wgs84(*place), bd09_of_wgs84(*place)
    zone = pyproj.Transformer.from_crs(4490, 4551, always_xy=True).transform(lon, lat)
    named = {
        "wgs84": (lon, lat), "CGCS2000": (lon, lat), "EPSG:4551": zone,
        "GCJ-02": (gcj[0][0], gcj[1][0]), "bd09": (bd[0][0], bd[1][0]),
    }  # fmt: skip
    return {
        datum: {"lon": float(x), "lat": float(y), "datum": datum} for datum, (x, y) in named.items()
    }


def leak(spot: dict[str, object]) -> dict[str, object]:
    return {"kind": "leak", "source": "phone", "coordinate": spot, "separate": True}


@pytest.mark.parametrize("datum", ["wgs84", "CGCS2000", "EPSG:4551", "GCJ-02", "bd09"])
def test_every_datum_comes_to_the_same_place(house, opened, spots, datum):
    ticket = opened.ok("/api/requests", leak(spots[datum]))
    (row,) = house.sql(
        "SELECT lon, lat, address FROM ticket WHERE company_id = $1 AND ticket_id = $2",
        house.company, ticket["id"],
    )  # fmt: skip
    here = spots["wgs84"]
    assert (row["lon"], row["lat"]) == pytest.approx((here["lon"], here["lat"]), rel=0, abs=1e-9)
    assert row["address"] == "≈ 和平路 0 号"


@pytest.mark.parametrize("datum", ["GCJ-02", "bd09"])
def test_the_vendors_datums_are_refused_where_nobody_turned_them_on(house, spots, datum):
    answer = house.source.post("/api/requests", leak(spots[datum]))
    assert (answer.status_code, answer.json()["code"]) == (422, "datum_not_enabled")
    assert "may be restricted in mainland China" in answer.json()["detail"]
    assert "HEATOPS_GCJ02=1" in answer.json()["what_to_do"]


def test_a_coordinate_without_datum_is_refused(house, spots):
    spot = {k: v for k, v in spots["wgs84"].items() if k != "datum"}
    answer = house.source.post("/api/requests", leak(spot))
    assert (answer.status_code, answer.json()["code"]) == (422, "datum_missing")


def test_swapped_metres_are_refused_by_name(house, spots):
    spot = spots["EPSG:4551"]
    answer = house.source.post(
        "/api/requests", leak(spot | {"lon": spot["lat"], "lat": spot["lon"]})
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "coordinate_out_of_range")
    assert "swapped" in answer.json()["detail"]
