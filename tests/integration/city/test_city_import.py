"""`city import` on a small city: what is drawn, what the register says, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles
from shapely.geometry import shape

from geo.generalise import EXTENT, mercator
from server.settings import UserError
from server.sources.city_import import import_city

HARBIN = Path(__file__).parents[3].parent / "shared/data/city/harbin.osm.pbf"


def quiet(step, done):
    """Nobody watches."""


def layers_at(tiles: Path, lon: float, lat: float, zoom: int):
    """Layers of the tile around a place, and the place in tile units."""
    (at,) = mercator(np.array([[lon, lat]])) * 2**zoom
    x, y = np.floor(at).astype(int).tolist()
    data = Reader(MemorySource(tiles.read_bytes())).get(zoom, x, y)
    assert data is not None
    decoded = mapbox_vector_tile.decode(
        gzip.decompress(data), default_options={"y_coord_down": True}
    )
    found = {k: v["features"] for k, v in decoded.items()}
    return found, shapely.Point((at - [x, y]) * EXTENT)


@pytest.fixture
def imported(city_file, tmp_path):
    return import_city(city_file, tmp_path / "tiles", None, quiet)


def test_the_river_shows_although_the_file_holds_only_parts_of_its_banks(imported):
    for zoom in (12, 14, 15):
        layers, here = layers_at(imported.tiles, 126.603, 45.770, zoom)
        assert any(shape(f["geometry"]).contains(here) for f in layers["water"])
    layers, island = layers_at(imported.tiles, 126.617, 45.7705, 15)
    assert not any(shape(f["geometry"]).contains(island) for f in layers["water"])
    layers, land = layers_at(imported.tiles, 126.617, 45.7655, 15)
    assert not any(shape(f["geometry"]).contains(land) for f in layers.get("water", []))


def test_a_street_that_runs_out_of_the_box_is_drawn_inside_it(imported):
    layers, _ = layers_at(imported.tiles, 126.61, 45.755, 12)
    names = {f["properties"].get("name") for f in layers["road"]}
    assert {"经纬街", "中央大街"} <= names


def test_the_city_knows_itself(imported):
    assert imported.name == "哈尔滨市"
    assert (imported.bounds.west, imported.bounds.north) == pytest.approx((126.60, 45.78))
    assert imported.bounds.contains(*imported.center)
    assert imported.attribution == "© OpenStreetMap contributors"
    assert imported.streets == ["中央大街", "经纬街"]
    assert {(p.name, p.cls) for p in imported.places} == {
        ("哈尔滨市", "city"), ("道里区", "district"), ("松北区", "district"),
        ("经纬街道", "suburb"), ("尚志街道", "suburb"),
    }  # fmt: skip
    assert [p.cls for p in imported.places].count("city") == 1


def test_the_register_says_where_each_building_is_in_words(imported):
    buildings = imported.buildings
    assert len(buildings) == 120 + 4
    assert len({b.id for b in buildings}) == len(buildings)
    assert all(re.fullmatch(r"osm:[wr]\d+", b.id) for b in buildings)
    for b in buildings:
        assert shapely.contains_xy(shapely.from_wkb(b.outline_wkb), b.lon, b.lat)
    by_use = {b.use: b for b in buildings}
    school, church, hospital = (by_use[u] for u in ("school", "church", "hospital"))
    assert by_use["dormitory"].address == "道里区 中央大街 附近 4号楼"
    assert school.address == "道里区 友谊路 12号"
    assert (school.street, school.house_number) == ("友谊路", "12")
    assert church.address == "道里区 索菲亚教堂"
    assert church.street == "中央大街"
    assert hospital.id.startswith("osm:r")
    assert hospital.district == "松北区"
    assert len(shapely.from_wkb(hospital.outline_wkb).geoms[0].interiors) == 1
    home = next(b for b in buildings if b.use == "apartments")
    assert home.address == "道里区 经纬街 附近"
    assert (home.levels, home.community, home.name) == (7, "经纬街道", None)
    assert home.area_m2 == pytest.approx(62.1 * 22.2, rel=0.02)


def test_heights_come_from_the_tag_or_the_storeys(imported):
    layers, _ = layers_at(imported.tiles, 126.6124, 45.7664, 15)
    heights = {f["properties"]["class"]: f["properties"]["h"] for f in layers["building"]}
    assert heights["school"] == 21
    layers, _ = layers_at(imported.tiles, 126.6033, 45.7536, 15)
    assert {f["properties"].get("h") for f in layers["building"]} == {21}


def test_the_file_says_what_it_is(imported):
    reader = Reader(MemorySource(imported.tiles.read_bytes()))
    header, metadata = reader.header(), reader.metadata()
    assert (header["min_zoom"], header["max_zoom"], header["clustered"]) == (9, 15, True)
    assert header["min_lon_e7"] == 1266000000
    assert metadata["name"] == "哈尔滨市"
    assert metadata["attribution"] == "© OpenStreetMap contributors"
    assert [layer["id"] for layer in metadata["vector_layers"]][:2] == ["green", "water"]


def test_the_same_file_gives_the_same_bytes_however_many_workers(city_file, tmp_path):
    made = [import_city(city_file, tmp_path / str(n), None, quiet, workers=n).tiles for n in (1, 2)]
    assert made[0].name == made[1].name
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_given_name_wins_and_without_any_place_the_file_lends_its_own(tmp_path, city, new_city):
    path = city.write(tmp_path / "a.osm.pbf")
    assert import_city(path, tmp_path, "我的城", quiet, workers=1).name == "我的城"
    bare = new_city()
    bare.box(126.62, 45.76, 0.001, 0.001, building="yes")
    path = bare.write(tmp_path / "north-side.osm.pbf", box=False)
    made = import_city(path, tmp_path, None, quiet, workers=1)
    assert made.name == "north-side"
    assert made.bounds.contains(126.6205, 45.7605)
    assert made.buildings[0].address == "建筑 w1"
    assert made.buildings[0].district is None


def test_progress_runs_forward(city_file, tmp_path):
    heard: list[tuple[str, float]] = []
    import_city(city_file, tmp_path, None, lambda step, done: heard.append((step, done)))
    assert list(dict.fromkeys(step for step, _ in heard)) == ["read", "register", "tiles"]
    for step in ("read", "register", "tiles"):
        done = [d for s, d in heard if s == step]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, 1)


class TestRefusals:
    """Nothing in the folder changes when a file is refused."""

    @pytest.fixture
    def old(self, tmp_path):
        folder = tmp_path / "tiles"
        folder.mkdir()
        (folder / "city-old.pmtiles").write_bytes(b"the old city")
        yield folder
        assert [p.name for p in folder.iterdir()] == ["city-old.pmtiles"]
        assert (folder / "city-old.pmtiles").read_bytes() == b"the old city"

    def refused(self, path, folder):
        with pytest.raises(UserError) as error:
            import_city(path, folder, None, quiet, workers=1)
        assert error.value.what_to_do
        return error.value.code

    @pytest.mark.parametrize("content", [
        b"", b"\x00", b"hello, this is no map\n" * 50, b"\x00\x00\x00\x0d\x0a\x09OSMHeader",
        b"PK\x03\x04" + bytes(500), b"<?xml version='1.0'?><osm version='0.6'></osm>",
        json.dumps({"type": "FeatureCollection"}).encode(), bytes(4096), b"\xff" * 4096,
    ], ids=["empty", "byte", "text", "cut", "zip", "xml", "geojson", "zeros", "ones"])  # fmt: skip
    def test_no_pbf(self, content, tmp_path, old):
        path = tmp_path / "x.osm.pbf"
        path.write_bytes(content)
        assert self.refused(path, old) in {"city_file_not_pbf", "city_file_truncated"}

    def test_a_file_cut_at_any_byte(self, city_file, tmp_path, old):
        whole = city_file.read_bytes()
        half = tmp_path / "half.osm.pbf"
        offsets = {*range(1, len(whole), max(1, len(whole) // 150)), len(whole) - 1}
        for offset in sorted(offsets):
            half.write_bytes(whole[:offset])
            assert self.refused(half, old) in {
                "city_file_truncated", "city_file_not_pbf", "city_without_buildings",
            }, offset  # fmt: skip

    def test_damage_inside_the_file(self, city_file, tmp_path, old):
        whole = bytearray(city_file.read_bytes())
        middle = len(whole) // 2
        whole[middle : middle + 200] = bytes(200)
        path = tmp_path / "damaged.osm.pbf"
        path.write_bytes(whole)
        assert self.refused(path, old) == "city_file_truncated"

    def test_a_real_extract_that_lost_its_last_blob(self, tmp_path, old, new_city):
        """Cut between two blobs it is a valid file: only the absence of every relation tells."""
        cut = new_city()
        for k in range(2_000):
            cut.box(
                126.6 + k % 50 * 0.0007, 45.75 + k // 50 * 0.0007, 0.0003, 0.0003, building="yes"
            )
        assert self.refused(cut.write(tmp_path / "cut.osm.pbf"), old) == "city_file_truncated"

    def test_no_building(self, tmp_path, old, new_city):
        empty = new_city()
        empty.line((126.61, 45.76), (126.62, 45.76), highway="primary", name="中山路")
        path = empty.write(tmp_path / "no-buildings.osm.pbf")
        assert self.refused(path, old) == "city_without_buildings"

    def test_no_file_and_a_folder(self, tmp_path, old):
        assert self.refused(tmp_path / "none.osm.pbf", old) == "city_file_unreadable"
        assert self.refused(tmp_path, old) == "city_file_unreadable"

    def test_a_target_that_cannot_be_written(self, city_file, tmp_path, old):
        blocked = tmp_path / "a-file"
        blocked.write_bytes(b"")
        assert self.refused(city_file, blocked / "tiles") == "city_not_written"


def test_an_import_that_is_killed_leaves_no_worker_behind(city_file, tmp_path):
    """Workers of a killed parent would wait for work for ever."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from server.sources.city_import import import_city\n"
        "def progress(step, done):\n"
        "    if step == 'tiles' and 0 < done < 1:\n"
        "        import multiprocessing\n"
        "        print(*(c.pid for c in multiprocessing.active_children()), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "if __name__ == '__main__':\n"
        "    import_city(Path(sys.argv[1]), Path(sys.argv[2]), None, progress)\n"
    )
    program = tmp_path / "killed.py"
    program.write_text(script)
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, program, city_file, tmp_path / "tiles"],
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        # the workers hold the pipe too: reading it to its end waits until the last of them is gone
        stdout=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == -9
    assert run.stdout.split()
    assert (
        not list((tmp_path / "tiles").glob("*.pmtiles")) if (tmp_path / "tiles").exists() else True
    )


@pytest.fixture(scope="module")
def harbin(tmp_path_factory):
    return import_city(HARBIN, tmp_path_factory.mktemp("harbin"), None, quiet)


@pytest.mark.skipif(not HARBIN.exists(), reason="no extract of Harbin beside the checkout")
class TestHarbin:
    """The real thing, with its 109 areas cut off at the border."""

    def test_the_songhua_shows_and_districts_cover_the_city(self, harbin):
        assert harbin.name == "哈尔滨市"
        for lon, lat in ((126.515, 45.770), (126.60, 45.775), (126.70, 45.815)):
            layers, here = layers_at(harbin.tiles, lon, lat, 13)
            near = [shape(f["geometry"]).distance(here) for f in layers["water"]]
            assert min(near) < 600
        assert len(harbin.buildings) > 15_000
        assert {b.district for b in harbin.buildings} == {
            "道里区", "道外区", "南岗区", "松北区", "香坊区",
        }  # fmt: skip
        assert sum(b.community is None for b in harbin.buildings) == 0

    def test_no_tile_is_heavy(self, harbin):
        sizes = [len(d) for _, d in all_tiles(MemorySource(harbin.tiles.read_bytes()))]
        assert max(sizes) <= 200 * 1024
        assert sum(sizes) < 4_000_000

    def test_half_of_it_is_refused_at_every_blob_and_between(self, harbin, tmp_path):
        whole = HARBIN.read_bytes()
        ends, at = [], 0
        while at < len(whole):
            length = int.from_bytes(whole[at : at + 4], "big")
            header = whole[at + 4 : at + 4 + length]
            size = shift = 0
            for byte in header[header.rindex(b"\x18") + 1 :]:
                size |= (byte & 127) << shift
                shift += 7
            at += 4 + length + size
            ends.append(at)
        assert at == len(whole)
        before = hashlib.sha256(harbin.tiles.read_bytes()).digest()
        half = tmp_path / "half.osm.pbf"
        for end in {*ends[:-1:7], ends[-2], *(e - 100 for e in ends[1::9]), len(whole) // 2}:
            half.write_bytes(whole[:end])
            with pytest.raises(UserError) as error:
                import_city(half, harbin.tiles.parent, None, quiet)
            assert error.value.code in {"city_file_truncated", "city_without_buildings"}
        assert hashlib.sha256(harbin.tiles.read_bytes()).digest() == before
