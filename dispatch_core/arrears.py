"""The arrears heat map: which cells of a nested square grid may be shown, and when they may change.

A cell shows a banded share of households in arrears, and only if enough households stand behind it.
A wider cell shows only when nothing inside it does, so shown cells never overlap and no two of them
can be subtracted. A cell is looked at again only after several of its households have changed since
the last look, shown or not: what an onlooker sees is a function of these looks alone, and every
change on the map stands for at least that many households, never for one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

from dispatch_core.events import CellHidden, CellPublished, Event

Size = Literal[100, 200, 400, 800]
Band = Literal[1, 2, 3, 4, 5]
SIZES: tuple[Size, ...] = (100, 200, 400, 800)
WIDER: dict[Size, Size] = {100: 200, 200: 400, 400: 800}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How many households must stand behind a cell, and how often it may change."""

    version: str = "arrears-1"
    least_households: int = 10
    least_in_arrears: int = 5
    least_changed: int = 5
    round_s: int = 900


POLICY = Policy()


class Cell(NamedTuple):
    """A square of the projected grid: index `x`, `y` at its own size, nested exactly by halving."""

    size_m: Size
    x: int
    y: int

    def wider(self) -> Cell | None:
        """The cell of twice the size that holds this one; None above 800 m."""
        size = WIDER.get(self.size_m)
        return Cell(size, self.x >> 1, self.y >> 1) if size else None

    def name(self) -> str:
        """The cell's key, `size:x:y`."""
        return f"{self.size_m}:{self.x}:{self.y}"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in a cell when it was last looked at (`at` in Unix seconds)."""

    households: int
    in_arrears: int
    at: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A household came, went, or changed between in arrears and not: in a 100 m cell, at a second.

    A payment that leaves it on the same side is no change.
    """

    household: str
    leaf: Cell
    at: int


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """A cell's edges in degrees."""

    west: float
    south: float
    east: float
    north: float


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one round publishes, in order, and every look that is now to be remembered."""

    events: list[tuple[Cell, Event]]
    looks: dict[Cell, Look]


def lineage(leaf: Cell) -> list[Cell]:
    """A 100 m cell and the wider cells around it, smallest first."""
    cells = [leaf]
    while (wider := cells[-1].wider()) is not None:
        cells.append(wider)
    return cells


def count_changed(changes: Iterable[Change], looks: Mapping[Cell, Look]) -> dict[Cell, int]:
    """Per cell of any size, how many different households changed since its last look."""
    households: defaultdict[Cell, set[str]] = defaultdict(set)
    for change in changes:
        for cell in lineage(change.leaf):
            look = looks.get(cell)
            if look is None or change.at > look.at:
                households[cell].add(change.household)
    return {cell: len(who) for cell, who in households.items()}


def roll_up(leaves: Mapping[Cell, tuple[int, int]]) -> dict[Cell, tuple[int, int]]:
    """(households, of them in arrears) per cell of every size, from those of the 100 m cells."""
    totals: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0])
    for leaf, (households, in_arrears) in leaves.items():
        for cell in lineage(leaf):
            totals[cell][0] += households
            totals[cell][1] += in_arrears
    return {cell: (total[0], total[1]) for cell, total in totals.items()}


def enough(look: Look, policy: Policy = POLICY) -> bool:
    """Whether enough households stand behind a cell to show it."""
    return look.households >= policy.least_households and look.in_arrears >= policy.least_in_arrears


def band(look: Look) -> Band:
    """The band of the share in arrears: below 10, 15, 20, 30 percent, or from 30 on."""
    share = 100 * look.in_arrears
    if share < 10 * look.households:
        return 1
    if share < 15 * look.households:
        return 2
    if share < 20 * look.households:
        return 3
    return 4 if share < 30 * look.households else 5


def shown(looks: Mapping[Cell, Look], policy: Policy = POLICY) -> set[Cell]:
    """The cells on the map: enough households behind each, and none inside another."""
    cells: set[Cell] = set()
    covered: set[Cell] = set()
    for cell in sorted(looks):
        if cell not in covered and enough(looks[cell], policy):
            cells.add(cell)
            covered.update(lineage(cell))
    return cells


def round_is_due(last_round_at: int | None, at: int, policy: Policy = POLICY) -> bool:
    """Whether a round may be held at `at` (Unix seconds)."""
    return last_round_at is None or at - last_round_at >= policy.round_s


def publish(
    leaves: Mapping[Cell, tuple[int, int]],
    looks: Mapping[Cell, Look],
    changed: Mapping[Cell, int],
    at: int,
    bounds_of: Callable[[Cell], Bounds],
    policy: Policy = POLICY,
) -> Round:
    """One round: look again at the cells that changed enough, and say what that changes.

    `leaves` gives (households, in arrears) now for every 100 m cell, `changed` the number of
    different households that changed since each cell's last look (all of them if there was none).
    Raises ValueError if a leaf is not of 100 m.
    """
    if any(cell.size_m != SIZES[0] for cell in leaves):
        raise ValueError("leaves are cells of 100 m")
    totals = roll_up(leaves)
    fresh = {
        cell: Look(households=totals[cell][0], in_arrears=totals[cell][1], at=at)
        if cell in totals
        else Look(households=0, in_arrears=0, at=at)
        for cell, households in changed.items()
        if households >= policy.least_changed
    }
    now = {**looks, **fresh}
    before, after = shown(looks, policy), shown(now, policy)
    events: list[tuple[Cell, Event]] = [
        (cell, CellHidden(size_m=cell.size_m, x=cell.x, y=cell.y))
        for cell in sorted(before - after)
    ]
    events += [
        (cell, _published(cell, now[cell], bounds_of(cell)))
        for cell in sorted(after)
        if cell in fresh or cell not in before
    ]
    return Round(events=events, looks=now)


def _published(cell: Cell, look: Look, bounds: Bounds) -> CellPublished:
    return CellPublished(
        size_m=cell.size_m,
        x=cell.x,
        y=cell.y,
        west=bounds.west,
        south=bounds.south,
        east=bounds.east,
        north=bounds.north,
        band=band(look),
    )
