"""Reads of external cases: filtered lists by keyset, one with its trace, those of a ticket."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec
from typing_extensions import override

from dispatch_core.cases import Case
from dispatch_core.errors import Invalid
from dispatch_core.ids import CaseId, CaseState
from server.adapters import journal
from server.adapters.pool import Pool
from server.adapters.traces import ChainView, Traces, TraceStep
from server.adapters.vault import Vault
from server.adapters.written import Written, written_at
from server.usecases.cases import CaseAnswer, answer_of

MOST = 500


class CaseTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A case with everything that happened to it and what was written."""

    case: CaseAnswer
    trace: list[TraceStep]
    chain: ChainView
    words: list[Written]


class CaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list. `after` is the `next` of the page before."""

    origin: str | None = None
    number: str | None = None
    state: CaseState | None = None
    open: bool | None = None
    overdue: bool | None = None
    ticket: str | None = None
    limit: int = 50
    after: str | None = None


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page; the one whose clock runs out first comes first, those without a running clock last,
    newest first."""

    items: list[CaseAnswer]
    next: str | None
    total: int


class CasesOf(Mapping[str, Sequence[str]]):
    """The streams of the cases that hang on each ticket asked for, as the heads stand now."""

    def __init__(
        self, stored: Mapping[str, Sequence[str]], heads: Mapping[str, journal.StreamHead]
    ) -> None:
        self._stored = stored
        self._heads = heads

    @classmethod
    async def load(
        cls,
        c: asyncpg.Connection,
        company: int,
        tickets: Collection[str],
        heads: Mapping[str, journal.StreamHead],
    ) -> CasesOf:
        """Of these tickets. Their streams must be locked: a case is hung on a ticket under its
        ticket's lock."""
        stored: dict[str, list[str]] = {ticket: [] for ticket in tickets}
        if tickets:
            rows = await c.fetch(
                "SELECT ticket_id, case_id FROM external_case"
                " WHERE company_id = $1 AND ticket_id = ANY($2::text[]) ORDER BY case_id",
                company,
                list(tickets),
            )
            for row in rows:
                stored[row[0]].append(f"case:{row[1]}")
        return cls(stored, heads)

    @override
    def __getitem__(self, ticket: str) -> Sequence[str]:
        found = [s for s in self._stored[ticket] if self._hangs(s, ticket) is not False]
        new = (s for s in self._heads if s.startswith("case:") and s not in self._stored[ticket])
        return [*found, *(s for s in new if self._hangs(s, ticket))]

    def _hangs(self, stream: str, ticket: str) -> bool | None:
        head = self._heads.get(stream)
        if head is None or not isinstance(head.state, Case):
            return None
        return head.state.ticket == ticket

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    @override
    def __len__(self) -> int:
        return len(self._stored)


async def cases_of_tickets(
    c: asyncpg.Connection, company: int, tickets: Collection[str]
) -> list[CaseAnswer]:
    """The cases that hang on these tickets, the open ones and the most urgent first."""
    rows = await c.fetch(
        "SELECT x.case_id, h.state FROM external_case x JOIN stream_head h"
        " ON h.company_id = x.company_id AND h.stream = 'case:' || x.case_id"
        " WHERE x.company_id = $1 AND x.ticket_id = ANY($2::text[])"
        " ORDER BY x.open DESC, x.due_at NULLS LAST, x.received_at DESC, x.case_id LIMIT 500",
        company,
        list(tickets),
    )
    return [_answer(r) for r in rows]


def _answer(row: asyncpg.Record) -> CaseAnswer:
    return answer_of(CaseId(row["case_id"]), msgspec.json.decode(row["state"], type=Case))


async def cases_to_check(c: asyncpg.Connection, company: int, now: datetime) -> list[str]:
    """Streams of cases whose next warning has come due."""
    rows = await c.fetch(
        "SELECT case_id FROM external_case WHERE company_id = $1 AND check_at <= $2"
        " ORDER BY check_at LIMIT 500",
        company,
        now,
    )
    return [f"case:{r[0]}" for r in rows]


class CaseReads:
    """Reads of one company's cases."""

    def __init__(self, pool: Pool, traces: Traces, vault: Vault) -> None:
        self._pool = pool
        self._traces = traces
        self._vault = vault

    async def page(self, company: int, wanted: CaseFilter) -> CasePage:
        """A page of cases.

        Raises:
            Invalid: `bad_page`, `after` is no `next` of ours; `bad_limit`.
        """
        if not 1 <= wanted.limit <= MOST:
            raise Invalid(
                "bad_limit", f"limit is {wanted.limit}.", f"Ask for 1 to {MOST} at a time."
            )
        where, args = ["x.company_id = $1"], list[object]([company])
        for column in ("origin", "number", "state", "open", "overdue"):
            value = getattr(wanted, column)
            if value is not None:
                args.append(value)
                where.append(f"x.{column} = ${len(args)}")
        if wanted.ticket is not None:
            args.append(wanted.ticket)
            where.append(f"x.ticket_id = ${len(args)}")
        all_pages, all_args = " AND ".join(where), list(args)
        if wanted.after is not None:
            args += _position(wanted.after)
            n = len(args)
            where.append(f"({_ORDER}) > (${n - 2}, ${n - 1}, ${n})")
        args.append(wanted.limit + 1)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT x.case_id, h.state,"
                f" extract(epoch FROM {_DUE})::float8 AS due,"
                " -extract(epoch FROM x.received_at)::float8 AS new"
                " FROM external_case x JOIN stream_head h"
                " ON h.company_id = x.company_id AND h.stream = 'case:' || x.case_id"
                f" WHERE {' AND '.join(where)} ORDER BY {_ORDER} LIMIT ${len(args)}",
                *args,
            )
            total: int = await c.fetchval(
                f"SELECT count(*) FROM external_case x WHERE {all_pages}", *all_args
            )
        shown = rows[: wanted.limit]
        last = shown[-1] if len(rows) > wanted.limit else None
        return CasePage(
            items=[_answer(r) for r in shown],
            next=f"{last['due']:.0f},{last['new']:.0f},{last['case_id']}" if last else None,
            total=total,
        )

    async def trace(self, company: int, case_id: str, reader: str | None) -> CaseTrace | None:
        """A case and everything that happened to it; what was written is opened for `reader` alone,
        a person who may see it, and that is noted."""
        found = await self._traces.read(company, f"case:{case_id}")
        if found is None or not isinstance(found.state, Case):
            return None
        words = (
            await written_at(
                self._pool, self._vault, company, found.steps, of=f"case:{case_id}", reader=reader
            )
            if reader
            else []
        )
        return CaseTrace(
            case=answer_of(CaseId(case_id), found.state),
            trace=found.steps,
            chain=found.chain,
            words=words,
        )


_DUE = "coalesce(x.due_at, 'epoch'::timestamptz + interval '8000 years')"
_ORDER = (
    f"extract(epoch FROM {_DUE})::float8, -extract(epoch FROM x.received_at)::float8, x.case_id"
)


def _position(after: str) -> tuple[float, float, str]:
    due, _, rest = after.partition(",")
    new, _, case_id = rest.partition(",")
    try:
        position = float(due), float(new), case_id
        datetime.fromtimestamp(position[0], UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid(
            "bad_page", "`after` is no page of this list.", "Use `next` of the page before."
        ) from None
    return position
