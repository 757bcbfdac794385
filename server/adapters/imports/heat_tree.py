"""The heat tree from a file: communities, plants down to risers, and buildings with their
substation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from server.adapters.address_book import bump_register_version
from server.adapters.imports.register_rows import Target, merged, present, upsert
from server.adapters.imports.rows import Entry, Outcome

NODE = Target(
    "node",
    "node_id",
    ("node_id", "kind", "parent_id", "name", "lon", "lat", "supply_low_c"),
    ("text", "text", "text", "text", "float8", "float8", "float8"),
)
BUILDING = Target(
    "building",
    "building_id",
    ("building_id", "name", "street", "house_number", "address", "lon", "lat", "outline",
     "levels", "area_m2", "use", "district", "community_id", "substation_id", "warranty_until"),
    ("text", "text", "text", "text", "text", "float8", "float8", "bytea", "int", "float8", "text",
     "text", "text", "text", "date"),
)  # fmt: skip
COMMUNITY = Target(
    "community",
    "community_id",
    ("community_id", "name", "district", "lon", "lat", "radius_m"),
    ("text", "text", "text", "float8", "float8", "float8"),
)
_DEFAULTS: dict[str, dict[str, Any]] = {
    "node": {"parent_id": None, "lon": None, "lat": None, "supply_low_c": None},
    "building": {
        "name": "", "street": "", "house_number": "", "outline": None, "levels": None,
        "area_m2": None, "use": "residential", "district": "", "community_id": None,
        "substation_id": None, "warranty_until": None,
    },
    "community": {"district": "", "radius_m": 300.0},
}  # fmt: skip
_NEEDED = {
    "node": ("name",),
    "building": ("address", "lon", "lat"),
    "community": ("name", "lon", "lat"),
}
_FIELDS = {
    "node": {"parent": "parent_id"},
    "building": {"parent": "substation_id", "community": "community_id"},
    "community": {},
}
ORDER = ("plant", "primary", "substation", "circuit", "entrance", "unit", "riser")
"""A node hangs below one of a kind before its own; sections and circuits also below their like."""
_BELOW_THEIR_LIKE = {"primary", "circuit"}
_MAY_STAND_ALONE = {"plant", "primary", "substation"}
"""Their parent may be another company's, or not be known."""


def table_of(kind: str) -> str:
    """Where a kind of row is kept."""
    return kind if kind in {"building", "community"} else "node"


def key_of(kind: str, name: str) -> str:
    """Buildings, communities and nodes may share numbers."""
    return f"{table_of(kind)}/{name}"


class _Node(NamedTuple):
    kind: str
    parent: str | None
    row: int | None
    """None: stands in the register already."""
    named: bool = True


class TreeWriter:
    """Writes the heat tree of one company in one run."""

    exists = (
        "CASE split_part(k.key, '/', 1)"
        " WHEN 'node' THEN EXISTS (SELECT FROM node n WHERE n.company_id = d.company_id"
        "  AND n.node_id = substr(k.key, 6))"
        " WHEN 'building' THEN EXISTS (SELECT FROM building b WHERE b.company_id = d.company_id"
        "  AND b.building_id = substr(k.key, 10))"
        " ELSE EXISTS (SELECT FROM community m WHERE m.company_id = d.company_id"
        "  AND m.community_id = substr(k.key, 11)) END"
    )

    def __init__(self, company: int, *, dry: bool) -> None:
        self._company = company
        self._dry = dry
        self._nodes: dict[str, _Node] | None = None
        """Register and file together: a row's parent may come later in the file."""
        self._stood: set[str] = set()
        """Nodes of the register."""
        self._communities: dict[str, str] = {}
        """Number or name -> number"""
        self._bad: dict[str, tuple[str, str, str]] | None = None
        """Nodes of the file that do not fit -> code, detail, what to do."""

    async def survey(self, c: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        """Learn the rows of the whole file; the first of a key counts."""
        if self._nodes is None:
            rows = await c.fetch(
                "SELECT node_id, kind, parent_id FROM node WHERE company_id = $1", self._company
            )
            self._nodes = {r[0]: _Node(r[1], r[2], None) for r in rows}
            self._stood = set(self._nodes)
            self._communities = await self._known_communities(c)
        for entry in entries:
            said = entry.values
            name = said["node"]
            if said["kind"] == "community":
                if name in self._communities or all(f in said for f in _NEEDED["community"]):
                    self._communities.setdefault(name, name)
                    self._communities.setdefault(said.get("name", name), name)
            elif said["kind"] != "building":
                known = self._nodes.get(name)
                if known is None or known.row is None:
                    parent = said.get("parent", known.parent if known else None)
                    named = "name" in said or name in self._stood
                    self._nodes[name] = _Node(said["kind"], parent, entry.row, named)

    async def _known_communities(self, c: asyncpg.Connection) -> dict[str, str]:
        rows = await c.fetch(
            "SELECT community_id, name FROM community WHERE company_id = $1", self._company
        )
        return {r[1]: r[0] for r in rows} | {r[0]: r[0] for r in rows}

    def _judge(self) -> dict[str, tuple[str, str, str]]:
        """Nodes of the file whose place in the tree cannot be."""
        nodes = self._nodes or {}
        bad: dict[str, tuple[str, str, str]] = {}
        for name, node in nodes.items():
            if node.row is not None:
                reason = _misplaced(name, node, nodes)
                if reason is not None:
                    bad[name] = reason
        for ring in _rings(nodes):
            told = " - ".join(ring[:5])
            for name in ring:
                if nodes[name].row is not None:
                    bad[name] = (
                        "cycle", f"These hang below one another in a ring: {told}.",
                        "Correct the parents.",
                    )  # fmt: skip
        lost = set(bad)
        while lost:  # what hangs below a refused row hangs nowhere
            lost = {
                name
                for name, node in nodes.items()
                if name not in bad and node.row is not None and node.parent in lost - self._stood
            }
            bad |= dict.fromkeys(
                lost, ("unknown_parent", "Its parent was refused.", "Correct the parent's row.")
            )
        return bad

    async def prepare(self, entries: Sequence[Entry], outcome: Outcome) -> list[Entry]:
        """Rows whose place in the tree can be."""
        if self._bad is None:
            self._bad = self._judge()
        left = []
        for entry in entries:
            reason = None
            if table_of(entry.values["kind"]) == "node":
                reason = self._bad.get(entry.values["node"])
            elif entry.values["kind"] == "building":
                reason = self._building_misplaced(entry.values)
            if reason is None:
                left.append(entry)
            else:
                outcome.refuse(entry, *reason)
        return left

    def _building_misplaced(self, said: dict[str, Any]) -> tuple[str, str, str] | None:
        nodes, parent = self._nodes or {}, said.get("parent")
        if parent is not None and (parent not in nodes or parent in (self._bad or {})):
            return (
                "unknown_parent", f"There is no substation {parent}.",
                "Check the number, or give the substation a row of its own.",
            )  # fmt: skip
        if parent is not None and nodes[parent].kind != "substation":
            return (
                "wrong_parent", f"{parent} is a {nodes[parent].kind}, no substation.",
                "A building hangs on the substation that feeds it.",
            )  # fmt: skip
        community = said.get("community")
        if community is not None and community not in self._communities:
            return (
                "unknown_community", f"There is no community {community}.",
                "Check number or name, or give the community a row of its own.",
            )  # fmt: skip
        return None

    # ---------------------------------------------------------------- writing
    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`."""
        taken: list[Entry] = []
        places = False
        for target in (COMMUNITY, NODE, BUILDING):
            mine = [e for e in entries if table_of(e.values["kind"]) == target.name]
            if not mine:
                continue
            before = await present(c, target, [e.values["node"] for e in mine])
            rows = []
            for entry in mine:
                stands = before.get(entry.values["node"])
                row = self._row(target, entry, stands, outcome)
                if row is None:
                    continue
                taken.append(entry)
                if stands is None:
                    outcome.added += 1
                elif row != stands:
                    outcome.changed += 1
                else:
                    outcome.unchanged += 1
                    continue
                rows.append(row)
            if not self._dry:
                await upsert(c, self._company, target, rows)
                places = places or (bool(rows) and target is not NODE)
        if places:
            await bump_register_version(c, self._company)
        return [] if self._dry else taken

    def _row(
        self, target: Target, entry: Entry, stands: dict[str, Any] | None, outcome: Outcome
    ) -> dict[str, Any] | None:
        said = dict(entry.values)
        if target is BUILDING and "community" in said:
            said["community"] = self._communities[said["community"]]
        if target is BUILDING and stands is None and "address" not in said:
            number = f"{said['house_number']} 号" if "house_number" in said else ""
            parts = (said.get("district"), said.get("street"), number, said.get("name"))
            if any(parts[1:]):
                said["address"] = " ".join(filter(None, parts))
        told = {column: said[f] for f, column in _FIELDS[target.name].items() if f in said}
        told |= {column: said[column] for column in target.columns if column in said}
        missing = [f for f in _NEEDED[target.name] if f not in told] if stands is None else []
        if missing:
            outcome.refuse(
                entry, "missing_field", f"A new {entry.values['kind']} needs {', '.join(missing)}.",
                "Fill in these columns.",
            )  # fmt: skip
            return None
        row = merged(stands, _DEFAULTS[target.name], told)
        row[target.key] = said["node"]
        return row

    async def finish(self, c: asyncpg.Connection) -> None:
        """Nothing is left to do."""


def _misplaced(name: str, node: _Node, nodes: dict[str, _Node]) -> tuple[str, str, str] | None:
    if node.kind not in ORDER:
        return "wrong_kind", f"{node.kind} is no kind of node.", f"Take one of {', '.join(ORDER)}."
    if not node.named:
        return "missing_field", f"A new {node.kind} needs name.", "Fill in this column."
    if node.parent is None:
        if node.kind in _MAY_STAND_ALONE:
            return None
        return (
            "parent_missing", f"A {node.kind} hangs below another node.",
            "Fill in the number of its parent.",
        )  # fmt: skip
    above = nodes.get(node.parent)
    if above is None:
        return (
            "unknown_parent", f"There is no node {node.parent}.",
            "Check the number, or give the parent a row of its own.",
        )  # fmt: skip
    high, low = ORDER.index(above.kind) if above.kind in ORDER else -1, ORDER.index(node.kind)
    if high > low or (high == low and node.kind not in _BELOW_THEIR_LIKE):
        return (
            "wrong_parent", f"A {node.kind} cannot hang below a {above.kind}.",
            "Correct kind or parent.",
        )  # fmt: skip
    if node.parent == name:
        return "cycle", f"{name} hangs below itself.", "Correct the parent."
    return None


def _rings(nodes: dict[str, _Node]) -> list[list[str]]:
    """Nodes that hang below one another in a ring, each ring once."""
    rings = []
    done: set[str] = set()
    for start in nodes:
        way: dict[str, int] = {}
        at: str | None = start
        while at is not None and at in nodes and at not in done and at not in way:
            way[at] = len(way)
            at = nodes[at].parent
        if at is not None and at in way:
            rings.append(list(way)[way[at] :])
        done.update(way)
    return rings
