"""What use cases want, read in one transaction: for a group that is committed, or for a preview."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import asyncpg
from typing_extensions import override

from server.adapters import journal
from server.adapters.case_reads import CasesOf
from server.adapters.decision_reads import load_seen
from server.adapters.doors import Doors, load_outages
from server.adapters.field_reads import load_pinned, load_stocked
from server.adapters.households import load_households, load_photos
from server.adapters.plan_store import plan_version
from server.adapters.register import load_buildings, load_nearest, load_nodes
from server.ports import Loaded, Wanted


class Heads(Mapping[str, tuple[Any, int]]):
    """The heads as a decision sees them, always those of now: one view serves a whole group."""

    def __init__(self, heads: dict[str, journal.StreamHead]) -> None:
        self._heads = heads

    @override
    def __getitem__(self, stream: str) -> tuple[Any, int]:
        head = self._heads[stream]
        return head.state, head.version

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._heads)

    @override
    def __len__(self) -> int:
        return len(self._heads)


async def load(
    c: asyncpg.Connection,
    company: int,
    wanted: Collection[Wanted],
    heads: dict[str, journal.StreamHead],
) -> Loaded:
    """Everything that the use cases want beside `heads`, which were loaded before."""
    buildings = await load_buildings(c, {b for w in wanted for b in w.buildings})
    nodes = await load_nodes(c, {n for w in wanted for n in w.nodes})
    nearest = await load_nearest(c, {s for w in wanted for s in w.spots})
    homes = await load_households(c, {h for w in wanted for h in w.households})
    places = {*buildings, *(h.building.id for h in homes.values())}
    places |= {b.id for b in nearest.values()}
    seen = await load_seen(c, company, {w.decision for w in wanted if w.decision})
    return Loaded(
        Heads(heads),
        buildings,
        nodes,
        nearest,
        homes,
        await Doors.load(c, company, {d for w in wanted for d in w.doors}, homes, heads),
        cases=await CasesOf.load(c, company, {t for w in wanted for t in w.cases_of}, heads),
        photos=await load_photos(c, {p for w in wanted for p in w.photos}),
        outages=await load_outages(c, company, places if any(w.outages for w in wanted) else ()),
        decisions=seen,
        plan=await plan_version(c, company) if any(w.decision for w in wanted) else 0,
        pinned=await load_pinned(c, company, {crew for w in wanted for crew in w.pinned_to}),
        stocked=await load_stocked(c, company) if any(w.stock for w in wanted) else (),
    )
