"""Crews from a file: each row is the command that enters or changes a crew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from dispatch_core.commands import Base, RegisterCrew, StockCrew
from dispatch_core.crews import Crew
from dispatch_core.errors import Refused
from dispatch_core.ids import CrewId
from server.adapters import journal
from server.adapters.accounts import Principal
from server.adapters.commits import Commits
from server.adapters.imports.rows import Entry, Outcome, RowByRow
from server.ports import Loaded
from server.usecases.crews import ChangeCrew

_NEEDED = ("name", "trades", "members", "vehicle", "shift")


class CrewWriter(RowByRow):
    """Enters the crews of one company in one run."""

    exists = (
        "EXISTS (SELECT FROM stream_head s WHERE s.company_id = d.company_id"
        " AND s.stream = 'crew:' || k.key)"
    )

    def __init__(self, principal: Principal, run: str, commits: Commits, *, dry: bool) -> None:
        self._principal = principal
        self._run = run
        self._commits = commits
        self._dry = dry

    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`. Each crew is a commit of its own."""
        found = await journal.load_heads(c, [f"crew:{e.key}" for e in entries])
        heads = {stream: (head.state, head.version) for stream, head in found.items()}
        taken = []
        for entry in entries:
            crew = heads.get(f"crew:{entry.key}", (None, 0))[0]
            missing = [f for f in _NEEDED if f not in entry.values] if crew is None else []
            if missing:
                outcome.refuse(
                    entry, "missing_field", f"A new crew needs {', '.join(missing)}.",
                    "Fill in these columns.",
                )  # fmt: skip
                continue
            command = _command(entry, crew)
            change = ChangeCrew(crew=CrewId(entry.key), command=command)
            try:
                decision = change.decide(Loaded(heads), now)
                if decision.appends and not self._dry:
                    await self._commits.submit(
                        self._principal, f"POST /api/crews/{entry.key}", f"{self._run}-{entry.row}",
                        entry.digest, change,
                    )  # fmt: skip
            except Refused as refused:
                outcome.refuse_all([entry], refused)
                continue
            stocked = await self._stock(entry, crew)
            taken.append(entry)
            if crew is None:
                outcome.added += 1
            elif decision.appends or stocked:
                outcome.changed += 1
            else:
                outcome.unchanged += 1
        return [] if self._dry else taken

    async def _stock(self, entry: Entry, crew: Crew | None) -> bool:
        """What lies on the van, where the row says so; whether that is new."""
        parts = entry.values.get("parts")
        if parts is None:
            return False
        there = {part: n for part, n in parts.items() if n}
        if crew is not None and crew.parts == there:
            return False
        if not self._dry:
            command = StockCrew(parts=there, by=self._principal.actor)
            await self._commits.submit(
                self._principal, f"POST /api/crews/{entry.key}/stock",
                f"{self._run}-{entry.row}", entry.digest,
                ChangeCrew(crew=CrewId(entry.key), command=command),
            )  # fmt: skip
        return True


def _command(entry: Entry, crew: Crew | None) -> RegisterCrew:
    """The whole crew: what the row leaves out stays as it is."""
    before = msgspec.structs.asdict(crew) if crew is not None else {"certificates": []}
    data: dict[str, Any] = {f: before.get(f) for f in (*_NEEDED, "certificates")} | entry.values
    return RegisterCrew(
        crew=CrewId(entry.key), name=data["name"], trades=data["trades"],
        certificates=data["certificates"], members=data["members"], vehicle=data["vehicle"],
        shift=data["shift"], skill=entry.values.get("skill"),
        territory=entry.values.get("territory"), base=_base(entry.values),
        breaks=entry.values.get("breaks"), equipment=entry.values.get("equipment"),
    )  # fmt: skip


def _base(values: dict[str, Any]) -> Base | None:
    return Base(lon=values["lon"], lat=values["lat"]) if "lon" in values else None
