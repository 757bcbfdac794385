"""The register: counts, a heat tree without a gap, made-up residents, imported cities."""

import math
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from server.demo.communities import choose, cluster, metres
from server.demo.records import Options
from server.demo.register import fill, fill_city

UP = {
    "riser": "unit", "unit": "entrance", "entrance": "circuit", "circuit": "substation",
    "substation": "primary", "primary": "plant",
}  # fmt: skip


def test_counts(register):
    assert len({b.district for b in register.buildings}) == 3
    assert len(register.communities) == 40
    assert len(register.buildings) == 900
    assert len(register.households) == 60_000
    assert len(register.points) == 2_400
    assert len(register.crews) == 60
    assert len(register.accounts) == 60_000
    assert len(register.usual_hours) == 48
    assert 30 <= sum(n.kind == "substation" for n in register.nodes) <= 36


def test_ids_are_unique(register):
    for rows in (
        register.communities,
        register.buildings,
        register.nodes,
        register.points,
        register.crews,
    ):
        assert len({r.id for r in rows}) == len(rows)
    assert len({h.id for h in register.households}) == 60_000
    owners = Counter(h.owner_phone for h in register.households)
    assert 1000 < sum(n > 1 for n in owners.values()) < 2000
    assert len(
        {(h.owner_phone, h.owner_name, h.owner_certificate) for h in register.households}
    ) == len(owners)
    assert len({(h.building, h.unit, h.flat) for h in register.households}) == 60_000
    assert len({p.household for p in register.points}) == len(register.points)


def test_every_flat_hangs_on_the_tree(register):
    nodes = {n.id: n for n in register.nodes}
    buildings = {b.id: b for b in register.buildings}
    for n in register.nodes:
        assert n.parent is None if n.kind == "plant" else nodes[n.parent].kind == UP[n.kind]
    for h in register.households:
        assert h.risers
        for riser in h.risers:
            node = nodes[riser]
            assert node.kind == "riser"
            while node.kind != "substation":
                node = nodes[node.parent]
            assert node.id == buildings[h.building].substation
    used = {r for h in register.households for r in h.risers}
    assert {n.id for n in register.nodes if n.kind == "riser"} == used


def test_owners_are_made_up_and_unreachable(register):
    assert all(
        h.owner_phone.startswith("100") and len(h.owner_phone) == 11 for h in register.households
    )
    assert sum(h.green_channel is not None for h in register.households) > 1000


def test_crews_cover_the_day_and_every_trade(register):
    for minute in range(0, 1440, 15):
        on = [
            c
            for c in register.crews
            if (minute - c.shift_start_min) % 1440 < (c.shift_end_min - c.shift_start_min) % 1440
        ]
        assert {"indoor", "secondary", "substation", "primary"} <= {t for c in on for t in c.trades}
    assert len({c.name for c in register.crews}) == 60
    assert all(2 <= c.members <= 4 and c.certificates and c.parts for c in register.crews)


def test_arrears_cluster(register):
    owing = {a.household for a in register.accounts if a.unpaid_fen > 0}
    assert 0.05 < len(owing) / 60_000 < 0.2
    share = Counter(h.building for h in register.households if h.id in owing)
    size = Counter(h.building for h in register.households)
    rates = sorted(share[b] / size[b] for b in size)
    assert rates[len(rates) // 4] < 0.12
    assert rates[-20] > 0.25


def test_same_seed_same_register(city, register):
    assert fill_city(city, 7) == register


def test_other_sizes(city):
    options = Options(points=26_000)
    register = fill_city(city, 7, options)
    assert len(register.points) == 26_000
    with pytest.raises(ValueError, match="household"):
        fill_city(city, 7, Options(households=100))


@dataclass(frozen=True)
class Mapped:
    id: str
    lon: float
    lat: float
    name: str | None = None
    street: str | None = "和兴路"
    house_number: str | None = None
    address: str = "和兴路 附近"
    outline_wkb: bytes = b""
    levels: int | None = None
    use: str = "yes"
    area_m2: float = 700.0
    district: str | None = None
    community: str | None = None


@dataclass(frozen=True)
class Named:
    name: str
    cls: str
    lon: float
    lat: float


def test_an_imported_city_is_filled_alike():
    town = [
        Mapped(f"osm:w{k}", 126.6 + (k % 40) * 8e-4, 45.7 + (k // 40) * 5e-4) for k in range(1600)
    ]
    town[3] = replace(town[3], area_m2=20_000.0)
    town[4] = replace(town[4], use="retail")
    town[5] = replace(town[5], name="博物馆")
    places = [
        Named("南岗区", "district", 126.61, 45.705),
        Named("花园街道", "suburb", 126.605, 45.703),
    ]
    options = Options(
        communities=8, buildings=200, households=9000, points=400, crews=20, substations=7
    )
    register = fill(town, places, 3, options, city="试城")
    assert fill(town, places, 3, options, city="试城") == register
    ids = {b.id for b in register.buildings}
    assert len(ids) == 200
    assert not ids & {"osm:w3", "osm:w4", "osm:w5"}
    assert len(register.households) == 9000
    assert len({c.name for c in register.communities}) == 8
    assert all(
        c.name.startswith("花园街道") and c.district == "南岗区" for c in register.communities
    )
    assert all("附近" not in b.address for b in register.buildings)


def test_a_city_without_blocks_of_flats_is_refused():
    with pytest.raises(ValueError, match="block of flats"):
        fill([Mapped("a", 1.0, 2.0, use="garage")], [], 1)


def test_choose_takes_exactly_and_compactly():
    import random

    at = metres([(126.0 + (k % 30) * 1e-3, 45.0 + (k // 30) * 7e-4) for k in range(900)])
    sets = choose(random.Random(1), at, list(range(900)), 100, 5)
    assert sum(map(len, sets)) == 100
    assert len({i for s in sets for i in s}) == 100
    for s in sets:
        middle = at[s].mean(axis=0)
        assert max(math.dist(p, middle) for p in at[s]) < 700
    few = choose(random.Random(1), at[:3], [0, 1, 2], 100, 5)
    assert sorted(i for s in few for i in s) == [0, 1, 2]


def test_clusters_are_never_empty():
    import random

    at = metres([(126.0 + k * 1e-6, 45.0) for k in range(50)])
    of, middles = cluster(random.Random(1), at, 8)
    assert set(of.tolist()) == set(range(len(middles)))
