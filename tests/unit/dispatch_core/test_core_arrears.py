"""The arrears map: enough households behind every cell, and no single one to be seen in it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core import arrears
from dispatch_core import events as e
from dispatch_core.arrears import Bounds, Cell, Change, Look, lineage

Leaves = dict[Cell, tuple[int, int]]
LEAF = st.builds(Cell, st.just(100), st.integers(-9, 9), st.integers(-9, 9))
COUNT = st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
CITY = st.dictionaries(LEAF, COUNT, max_size=40)


def bounds(cell: Cell) -> Bounds:
    return Bounds(
        west=cell.x * cell.size_m, south=cell.y * cell.size_m,
        east=(cell.x + 1) * cell.size_m, north=(cell.y + 1) * cell.size_m,
    )  # fmt: skip


def all_new(leaves: Leaves) -> dict[Cell, int]:
    return {cell: n for cell, (n, _) in arrears.roll_up(leaves).items()}


def play(shown: set[Cell], made: list[tuple[Cell, e.Event]]) -> set[Cell]:
    shown = set(shown)
    for cell, event in made:
        if isinstance(event, e.CellHidden):
            shown.remove(cell)
        else:
            shown.add(cell)
    return shown


@given(CITY)
def test_the_first_round_shows_only_cells_with_enough_behind_them(leaves: Leaves) -> None:
    done = arrears.publish(leaves, {}, all_new(leaves), 0, bounds)
    totals = arrears.roll_up(leaves)
    shown = play(set(), done.events)
    for cell in shown:
        households, in_arrears = totals[cell]
        assert households >= 10
        assert in_arrears >= 5
    for cell in shown:  # none inside another: nothing can be subtracted
        assert not set(lineage(cell)[1:]) & shown
    for cell in set(totals) - shown:  # and nothing is hidden without need
        inside = any(cell in lineage(other) for other in shown)
        around = any(other in shown for other in lineage(cell))
        enough = totals[cell][0] >= 10 and totals[cell][1] >= 5
        assert inside or around or not enough


class Town:
    """Households with a place and a standing, and the rounds held over them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.leaf = {
            f"h{i}": Cell(100, self.dice.randrange(6), self.dice.randrange(6)) for i in range(260)
        }
        self.owes = {h: self.dice.random() < 0.3 for h in self.leaf}
        self.changes = [Change(household=h, leaf=cell, at=0) for h, cell in self.leaf.items()]
        self.looks: dict[Cell, Look] = {}
        self.shown: set[Cell] = set()
        self.at = 1

    def counts(self) -> Leaves:
        leaves: Leaves = {}
        for h, cell in self.leaf.items():
            n, m = leaves.get(cell, (0, 0))
            leaves[cell] = (n + 1, m + self.owes[h])
        return leaves

    def pay(self, household: str) -> None:
        self.owes[household] = not self.owes[household]
        leaf = self.leaf[household]
        self.changes.append(Change(household=household, leaf=leaf, at=self.at))

    def round(self) -> list[tuple[Cell, e.Event]]:
        self.at += 900
        changed = arrears.count_changed(self.changes, self.looks)
        done = arrears.publish(self.counts(), self.looks, changed, self.at, bounds)
        self.looks = done.looks
        self.shown = play(self.shown, done.events)
        self.at += 1
        return done.events


@given(seed=st.integers(0, 10**6), rounds=st.lists(st.integers(0, 40), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_change_on_the_map_stands_for_five_households(seed: int, rounds: list[int]) -> None:
    town = Town(seed)
    town.round()
    since: dict[Cell, set[str]] = {}
    for payers in rounds:
        before = dict(town.looks)
        for _ in range(payers):
            household = town.dice.choice(list(town.leaf))
            town.pay(household)
            for cell in lineage(town.leaf[household]):
                since.setdefault(cell, set()).add(household)
        events = town.round()
        looked = {cell for cell, look in town.looks.items() if before.get(cell) != look}
        for cell in looked:
            assert len(since[cell]) >= 5
        for cell, _ in events:  # what is seen changes only where something was looked at
            assert any(cell in lineage(other) or other in lineage(cell) for other in looked)
        for cell in looked:
            since[cell] = set()
        assert town.shown == arrears.shown(town.looks)
        for cell in town.shown:
            assert arrears.enough(town.looks[cell])
            assert not set(lineage(cell)[1:]) & town.shown


@given(seed=st.integers(0, 10**6), who=st.integers(0, 259), others=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_one_household_alone_is_never_seen(seed: int, who: int, others: int) -> None:
    """Two towns that differ in one household's standing look the same, until five have changed."""
    here, there = Town(seed), Town(seed)
    assert here.round() == there.round()
    near = here.leaf[f"h{who}"]
    quiet = [h for h, leaf in here.leaf.items() if leaf == near and h != f"h{who}"][:others]
    for town in (here, there):
        for household in quiet:
            town.pay(household)
    there.pay(f"h{who}")
    assert here.round() == there.round() == []
    assert here.shown == there.shown


def test_a_wider_cell_shows_when_all_inside_it_are_hidden() -> None:
    small = {Cell(100, x, y): (4, 2) for x in (0, 1) for y in (0, 1)}
    done = arrears.publish(small, {}, all_new(small), 0, bounds)
    assert [cell for cell, _ in done.events] == [Cell(200, 0, 0)]
    one_big = {**small, Cell(100, 0, 0): (20, 6)}
    done = arrears.publish(one_big, {}, all_new(one_big), 0, bounds)
    assert [cell for cell, _ in done.events] == [Cell(100, 0, 0)]


def test_a_cell_that_splits_hides_before_its_parts_show() -> None:
    before = {Cell(100, 0, 0): (8, 4), Cell(100, 1, 0): (8, 4)}
    first = arrears.publish(before, {}, all_new(before), 0, bounds)
    assert play(set(), first.events) == {Cell(200, 0, 0)}
    after = {Cell(100, 0, 0): (16, 9), Cell(100, 1, 0): (8, 4)}
    changed = dict.fromkeys(lineage(Cell(100, 0, 0)), 8)
    second = arrears.publish(after, first.looks, changed, 900, bounds)
    assert [(cell, e.kind_of(type(event))) for cell, event in second.events] == [
        (Cell(200, 0, 0), "cell_hidden"),
        (Cell(100, 0, 0), "cell_published"),
    ]


@pytest.mark.parametrize(
    ("in_arrears", "band"),
    [(99, 1), (100, 2), (149, 2), (150, 3), (199, 3), (200, 4), (299, 4), (300, 5), (1000, 5)],
)
def test_bands(in_arrears: int, band: int) -> None:
    assert arrears.band(Look(households=1000, in_arrears=in_arrears, at=0)) == band


def test_cells_nest_by_halving_also_west_and_south() -> None:
    assert lineage(Cell(100, -1, 5)) == [
        Cell(100, -1, 5), Cell(200, -1, 2), Cell(400, -1, 1), Cell(800, -1, 0),
    ]  # fmt: skip
    assert Cell(100, -1, 5).name() == "100:-1:5"
    assert min(Cell(200, 0, 0), Cell(100, 1, 1)).size_m == 100


def test_a_household_that_pays_twice_counts_once() -> None:
    leaf = Cell(100, 0, 0)
    changes = [Change(household="h1", leaf=leaf, at=t) for t in (1, 2, 3)]
    assert arrears.count_changed(changes, {}) == dict.fromkeys(lineage(leaf), 1)
    seen = {leaf: Look(households=1, in_arrears=0, at=3)}
    assert leaf not in arrears.count_changed(changes, seen)


def test_rounds_are_a_quarter_of_an_hour_apart() -> None:
    assert arrears.round_is_due(None, 0)
    assert not arrears.round_is_due(1000, 1899)
    assert arrears.round_is_due(1000, 1900)


def test_leaves_are_of_100_m() -> None:
    with pytest.raises(ValueError, match="100 m"):
        arrears.publish({Cell(200, 0, 0): (9, 9)}, {}, {}, 0, bounds)
