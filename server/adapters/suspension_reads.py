"""Applications and visits for people and integrators: filtered lists by keyset, one with its trace,
and the season's summary."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import asyncpg
import msgspec
from typing_extensions import override

from dispatch_core import events, suspensions
from dispatch_core.errors import Invalid
from dispatch_core.ids import VisitId, unix
from dispatch_core.suspensions import Application, Heating, Visit
from server.adapters.clock import monotonic
from server.adapters.pool import Pool
from server.adapters.suspension_summary import Summary, count
from server.adapters.traces import ChainView, Traces, TraceStep
from server.adapters.vault import Vault
from server.adapters.written import open_texts
from server.ports import CityPolicy
from server.usecases import visits
from server.usecases.suspensions import ApplicationAnswer, answer_of
from server.usecases.visits import Doorplate, VisitAnswer

MOST = 500
FRESH_S = 3.0
COUNT_SHARE = 10
"""A summary is kept this many times as long as it took to count, however many ask."""
_heating = msgspec.json.Decoder(Heating).decode
_visit = msgspec.json.Decoder(Visit).decode


class ApplicationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list; `after` is the `next` of the page before. `state=open`: what is not done."""

    state: str | None = None
    household: str | None = None
    building: str | None = None
    season: str | None = None
    action: str | None = None
    late: bool | None = None
    limit: int = 50
    after: str | None = None


class ApplicationPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first; `next` is None on the last one."""

    items: list[ApplicationAnswer]
    next: str | None
    total: int


class ApplicationTrace(msgspec.Struct, frozen=True, kw_only=True):
    """An application with everything that happened to it; its words and the reason a person wrote
    are opened for persons only."""

    application: ApplicationAnswer
    trace: list[TraceStep]
    chain: ChainView
    words: str | None
    reason: str | None


class VisitFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list; `after` is the `next` of the page before."""

    open: bool | None = None
    building: str | None = None
    late: bool | None = None
    limit: int = 50
    after: str | None = None


class VisitPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, due first; `next` is None on the last one."""

    items: list[VisitAnswer]
    next: str | None
    total: int


class VisitTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A visit with everything that happened to it."""

    visit: VisitAnswer
    trace: list[TraceStep]
    chain: ChainView


class _Where:
    """A condition with its arguments, grown piece by piece."""

    def __init__(self, company: int) -> None:
        self.args: list[object] = [company]
        self._texts = ["t.company_id = $1"]

    def add(self, text: str, *values: object) -> None:
        """One more condition; each ? is the next value. Raises Invalid `bad_filter`."""
        for value in values:
            if isinstance(value, str) and not value.isprintable():
                raise Invalid(
                    "bad_filter", f"{value!a} names nothing.", "Leave control characters away."
                )
            self.args.append(value)
            text = text.replace("?", f"${len(self.args)}", 1)
        self._texts.append(text)

    @override
    def __str__(self) -> str:
        return " AND ".join(self._texts)


class SuspensionReads:
    """Reads of one company's applications and visits."""

    def __init__(self, pool: Pool, traces: Traces, vault: Vault) -> None:
        self._pool = pool
        self._traces = traces
        self._vault = vault
        self._counting = asyncio.Lock()
        self._summaries: dict[int, tuple[float, Summary]] = {}
        """Until when it is fresh enough, on the monotonic clock."""

    # ---------------------------------------------------------------- applications
    async def whose(self, company: int, application: str) -> tuple[str, str] | None:
        """(household, season) of an application; None if there is no such."""
        if not application.isprintable():
            return None
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT household_id, season FROM application WHERE company_id = $1"
                " AND application_id = $2",
                company,
                application,
            )
        return (row[0], row[1]) if row else None

    async def page(self, company: int, wanted: ApplicationFilter) -> ApplicationPage:
        """A page of applications. Raises Invalid `bad_limit`, `bad_page`."""
        _check_limit(wanted.limit)
        where = _Where(company)
        if wanted.state == "open":
            where.add("t.state = ANY(?::text[])", list(suspensions.OPEN))
        elif wanted.state is not None:
            where.add("t.state = ?", wanted.state)
        for name, column in (
            ("household", "household_id"), ("season", "season"), ("action", "action"),
        ):  # fmt: skip
            value = getattr(wanted, name)
            if value is not None:
                where.add(f"t.{column} = ?", value)
        if wanted.building is not None:  # as the register has it now
            where.add(
                "t.household_id = ANY(ARRAY(SELECT household_id FROM household"
                " WHERE company_id = $1 AND building_id = ?))",
                wanted.building,
            )
        if wanted.late is not None:  # not as a value: a plan for any would not use its index
            where.add("t.late" if wanted.late else "NOT t.late")
        all_pages, all_args = str(where), list(where.args)
        if wanted.after is not None:
            where.add("(t.applied_at, t.application_id) < (?, ?)", *_position(wanted.after))
        where.args.append(wanted.limit + 1)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT t.application_id, t.household_id, t.applied_at FROM application t"
                f" WHERE {where} ORDER BY t.applied_at DESC, t.application_id DESC"
                f" LIMIT ${len(where.args)}",
                *where.args,
            )
            total = await c.fetchval(
                f"SELECT count(*) FROM application t WHERE {all_pages}", *all_args
            )
            shown = rows[: wanted.limit]
            found = await load_applications(c, {r[0]: r[1] for r in shown})
        last = shown[-1] if len(rows) > wanted.limit else None
        return ApplicationPage(
            items=[found[r[0]] for r in shown if r[0] in found],
            next=f"{int(last['applied_at'].timestamp())}.{last[0]}" if last else None,
            total=total,
        )

    async def trace(
        self, company: int, application: str, reader: str | None
    ) -> ApplicationTrace | None:
        """An application with its facts, and with its words for a `reader`, who is noted down.
        None if there is no such."""
        whose = await self.whose(company, application)
        if whose is None:
            return None
        household = whose[0]
        found = await self._traces.read(company, f"heating:{household}")
        if found is None:
            return None
        async with self._pool.company(company, readonly=True) as c:
            answer = (await load_applications(c, {application: household}))[application]
        steps = [s for s in found.steps if s.event["application"] == application]
        texts = await self._texts(company, application, steps, reader) if reader else {}
        return ApplicationTrace(
            application=answer, trace=steps, chain=found.chain,
            words=texts.get("words"), reason=texts.get("reason"),
        )  # fmt: skip

    async def _texts(
        self, company: int, application: str, steps: Iterable[TraceStep], reader: str
    ) -> dict[str, str]:
        """The last text under each name that the facts refer to."""
        named = {
            step.event[name]["id"]: name
            for step in steps
            for name in ("words", "reason")
            if step.event.get(name)
        }
        texts = await open_texts(
            self._pool, self._vault, company, named, of=f"application:{application}", reader=reader
        )
        return {name: texts[words] for words, name in named.items() if words in texts}

    async def summary(self, company: int, policy: CityPolicy, now: datetime) -> Summary:
        """The season's figures, a few seconds old at most: longer where counting takes long."""
        async with self._counting:
            known = self._summaries.get(company)
            if known is None or known[1].season != policy.season or monotonic() > known[0]:
                began = monotonic()
                found = await count(self._pool, company, policy, now)
                took = monotonic() - began
                known = (monotonic() + max(FRESH_S, COUNT_SHARE * took), found)
                self._summaries[company] = known
            return known[1]

    # ---------------------------------------------------------------- visits
    async def doors(self, company: int, visit: str) -> dict[str, Doorplate] | None:
        """Where the households of a visit live; None if there is no such visit."""
        if not visit.isprintable():
            return None
        async with self._pool.company(company, readonly=True) as c:
            state = await c.fetchval(
                "SELECT state FROM stream_head WHERE company_id = $1 AND stream = $2",
                company,
                f"visit:{visit}",
            )
            return None if state is None else await _doors(c, [_visit(state)])

    async def visits(self, company: int, wanted: VisitFilter, now: datetime) -> VisitPage:
        """A page of visits. Raises Invalid `bad_limit`, `bad_page`."""
        _check_limit(wanted.limit)
        where = _Where(company)
        if wanted.open is not None:
            where.add("t.open = ?", wanted.open)
        if wanted.building is not None:
            where.add("t.building_id = ?", wanted.building)
        if wanted.late is not None:
            where.add("(t.open AND t.due_at < ?) = ?", now, wanted.late)
        all_pages, all_args = str(where), list(where.args)
        if wanted.after is not None:
            where.add("(t.due_at, t.visit_id) > (?, ?)", *_position(wanted.after))
        where.args.append(wanted.limit + 1)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT t.visit_id, t.due_at, h.state FROM visit t JOIN stream_head h"
                " ON h.company_id = t.company_id AND h.stream = 'visit:' || t.visit_id"
                f" WHERE {where} ORDER BY t.due_at, t.visit_id LIMIT ${len(where.args)}",
                *where.args,
            )
            total = await c.fetchval(f"SELECT count(*) FROM visit t WHERE {all_pages}", *all_args)
            shown = [(r, _visit(r["state"])) for r in rows[: wanted.limit]]
            doors = await _doors(c, [v for _, v in shown])
        last = shown[-1][0] if len(rows) > wanted.limit else None
        return VisitPage(
            items=[visits.answer_of(VisitId(r["visit_id"]), v, doors, now) for r, v in shown],
            next=f"{int(last['due_at'].timestamp())}.{last['visit_id']}" if last else None,
            total=total,
        )

    async def visit(self, company: int, name: str, now: datetime) -> VisitTrace | None:
        """A visit with its facts; None if there is no such."""
        if not name.isprintable():
            return None
        found = await self._traces.read(company, f"visit:{name}")
        if found is None:
            return None
        async with self._pool.company(company, readonly=True) as c:
            doors = await _doors(c, [found.state])
        answer = visits.answer_of(VisitId(name), found.state, doors, now)
        return VisitTrace(visit=answer, trace=found.steps, chain=found.chain)


async def load_applications(
    c: asyncpg.Connection, wanted: dict[str, str]
) -> dict[str, ApplicationAnswer]:
    """application -> its answer, for `wanted` application -> household, in the caller's company.

    Those that their household's state has let go are folded from the journal.
    """
    rows = await c.fetch(
        "SELECT s.household_id, s.state, h.unit, h.building_id FROM"
        " (SELECT substr(stream, 9) AS household_id, company_id, state FROM stream_head"
        " WHERE stream = ANY($1::text[])"
        " AND company_id = current_setting('heatops.company')::int) s"
        " LEFT JOIN household h USING (company_id, household_id)",
        [f"heating:{h}" for h in set(wanted.values())],
    )
    heads: dict[str, tuple[Heating, int | None]] = {}
    for r in rows:
        heating = _heating(r["state"])
        here = r["building_id"] == heating.place.building
        heads[r["household_id"]] = heating, r["unit"] if here else None
    gone = {
        household
        for name, household in wanted.items()
        if household in heads and heads[household][0].application(name) is None
    }
    past = await _folded(c, gone) if gone else {}
    found: dict[str, ApplicationAnswer] = {}
    for name, household in wanted.items():
        if household not in heads:
            continue
        heating, unit = heads[household]
        a = heating.application(name) or past.get(name)
        if a is not None:
            found[name] = answer_of(heating, a, unit)
    return found


async def _folded(c: asyncpg.Connection, households: Collection[str]) -> dict[str, Application]:
    """Every application of these households, as its last fact left it."""
    rows = await c.fetch(
        "SELECT stream, kind, v, body, business_at FROM journal WHERE stream = ANY($1::text[])"
        " AND company_id = current_setting('heatops.company')::int ORDER BY stream, version",
        [f"heating:{h}" for h in households],
    )
    states: dict[str, Heating] = {}
    found: dict[str, Application] = {}
    for r in rows:
        event = events.decode(r["kind"], r["v"], r["body"].encode())
        after = suspensions.apply(states.get(r["stream"]), event, unix(r["business_at"]))
        states[r["stream"]] = after
        found.update((a.id, a) for a in after.applications)
    return found


async def _doors(c: asyncpg.Connection, of: Iterable[Visit]) -> dict[str, Doorplate]:
    rows = await c.fetch(
        "SELECT household_id, building_id, unit, flat FROM household"
        " WHERE household_id = ANY($1::text[])"
        " AND company_id = current_setting('heatops.company')::int",
        list({call.household for visit in of for call in visit.calls}),
    )
    return {r[0]: Doorplate(r[1], r[2], r[3]) for r in rows}


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise Invalid("bad_limit", f"limit is {limit}.", f"Ask for 1 to {MOST} at a time.")


def _position(after: str) -> tuple[datetime, str]:
    seconds, dot, name = after.partition(".")
    if not dot or not seconds.isdecimal() or len(seconds) > 11:
        raise Invalid(
            "bad_page", f"after={after!r} is no page.", "Give back `next` as it was answered."
        )
    return datetime.fromtimestamp(int(seconds), UTC), name
