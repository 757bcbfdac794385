"""Address books, one a company: loaded from the register, kept fresh, asked in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from dispatch_core.addresses import Alias, Book, BookRow, Match, Matcher, suggest
from dispatch_core.errors import Unavailable
from server.adapters.address_answers import (
    AddressAnswer,
    Query,
    answer_of,
    household_answer,
    spot_answer,
)
from server.adapters.address_questions import ask
from server.adapters.address_sql import (
    Details,
    building_details,
    bump_register_version,
    community_names,
    details_of,
    households_like,
    read_aliases,
    similar,
    version_of,
)
from server.adapters.clock import monotonic
from server.adapters.pool import Pool
from server.adapters.vault import Vault

__all__ = ["AddressAnswer", "AddressBooks", "Query", "Suggestion", "bump_register_version"]

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""How often a changed register is looked for."""
CHUNK = 2_000
SUGGESTED = 8
FEWEST_DIGITS = 4
"""A household's number is looked for from this many digits on."""
IN_LINE = 20
"""More texts than this are matched beside the loop."""


class Loaded(NamedTuple):
    """A company's book and the register's version that it was made of."""

    version: int
    matcher: Matcher


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A building, or a household, that the words so far may become."""

    building: str
    address: str
    community: str | None
    score: float
    household: str | None = None
    lon: float | None = None
    lat: float | None = None


class AddressBooks:
    """Every company's book that was asked for since this process began."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault
        self._books: dict[int, Loaded] = {}
        self._looked: dict[int, float] = {}
        self._loading: dict[int, asyncio.Lock] = {}
        self._tended = False

    async def run(self) -> None:
        """Keep books fresh for ever, behind the questions: the old one answers meanwhile."""
        self._tended = True
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                for company in list(self._books):
                    try:
                        await self.refresh(company)
                    except Unavailable as error:
                        log.warning("address book of company %s: %s", company, error.detail)
        finally:
            self._tended = False

    async def refresh(self, company: int) -> Loaded:
        """The book of the register as it is now. Raises Unavailable."""
        lock = self._loading.setdefault(company, asyncio.Lock())
        async with lock:
            known = self._books.get(company)
            async with self._pool.company(company, readonly=True) as c:
                version = await version_of(c)
            if known is None or known.version != version:
                known = self._books[company] = await self._load(company)
            self._looked[company] = monotonic()
            return known

    async def matcher(self, company: int) -> Matcher:
        """The book to ask. Raises Unavailable."""
        known = self._books.get(company)
        stale = monotonic() - self._looked.get(company, 0.0) > LOOK_S
        if known is None or (not self._tended and stale):
            known = await self.refresh(company)
        return known.matcher

    async def _load(self, company: int) -> Loaded:
        rows: list[BookRow] = []
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            version = await version_of(c)
            city = await c.fetchval("SELECT name FROM city")
            # in parts: other requests of this process go on between them
            cursor = await c.cursor(
                "SELECT b.building_id, b.name, b.street, b.house_number, b.address,"
                " coalesce(k.name, ''), b.district, b.lon, b.lat FROM building b"
                " LEFT JOIN community k USING (company_id, community_id)"
                " ORDER BY b.building_id"
            )
            while part := await cursor.fetch(CHUNK):
                rows += [BookRow(*r) for r in part]
            aliases = [Alias(a.alias, a.kind, a.means) for a in await read_aliases(c)]
        book = await asyncio.to_thread(Book, rows, aliases, city=city or "")
        return Loaded(version, Matcher(book))

    # ---------------------------------------------------------------- questions
    async def match(self, company: int, texts: Sequence[str]) -> tuple[Matcher, list[Match]]:
        """What texts mean, by the book alone. Raises Unavailable."""
        matcher = await self.matcher(company)
        if len(texts) > IN_LINE or sum(map(len, texts)) > 20_000:
            return matcher, await asyncio.to_thread(lambda: [matcher.match(t) for t in texts])
        return matcher, [matcher.match(t) for t in texts]

    async def resolve(self, company: int, queries: Sequence[Query]) -> list[AddressAnswer]:
        """The building, unit and flat of each query, with score, reasons and candidates.

        Of household, text and spot the first that is given counts. Raises Unavailable.
        """
        matcher, matches = await self.match(
            company, ["" if q.household else q.text or "" for q in queries]
        )
        async with self._pool.company(company, readonly=True) as c:
            details = await details_of(c, matcher.book, queries, matches)
        return [_answer(matcher.book, details, q, m) for q, m in zip(queries, matches, strict=True)]

    async def knows(self, company: int, building: str) -> bool:
        """Whether the register has this building. Raises Unavailable."""
        async with self._pool.company(company, readonly=True) as c:
            return building in await building_details(c, [building])

    async def suggest(self, company: int, words: str) -> list[Suggestion]:
        """Up to 8 buildings that words typed so far may become, best first; for digits alone, the
        households whose number begins so. Raises Unavailable."""
        words = words.strip()
        if not words:
            return []
        matcher = await self.matcher(company)
        found = suggest(matcher, words, SUGGESTED)
        async with self._pool.company(company, readonly=True) as c:
            if words.isascii() and words.isdigit() and len(words) >= FEWEST_DIGITS:
                homes = await households_like(c, words, SUGGESTED)
                return await self._spotted(c, [
                    Suggestion(building=b, address=a, community=k, score=1.0, household=h)
                    for h, b, a, k in homes
                ])  # fmt: skip
            by_id = {matcher.book.ids[b]: score for b, score in found}
            details = await building_details(c, by_id)
            names = await community_names(c, {d.community for d in details.values() if d.community})
            items = [
                Suggestion(
                    building=b, address=details[b].address, score=score,
                    community=names.get(details[b].community or ""),
                )
                for b, score in by_id.items()
                if b in details
            ]  # fmt: skip
            if len(items) < SUGGESTED:
                items += [
                    Suggestion(building=b, address=a, community=k, score=round(s / 2, 3))
                    for b, a, s, k in await similar(c, words, SUGGESTED)
                    if b not in by_id
                ]
            return await self._spotted(c, items[:SUGGESTED])

    async def _spotted(self, c: asyncpg.Connection, items: list[Suggestion]) -> list[Suggestion]:
        there = await building_details(c, {item.building for item in items})
        return [
            msgspec.structs.replace(
                item, lon=there[item.building].lon, lat=there[item.building].lat
            )
            for item in items
            if item.building in there
        ]

    async def ask(
        self,
        c: asyncpg.Connection,
        company: int,
        origin: str,
        reference: str,
        text: str,
        answer: AddressAnswer,
        at: datetime,
    ) -> int:
        """Put an address into the queue, in the caller's transaction; once per origin and
        reference. Returns the question's number."""
        return await ask(c, company, self._vault, origin, reference, text, answer, at)


def _answer(book: Book, details: Details, query: Query, match: Match) -> AddressAnswer:
    if query.household:
        return household_answer(details, query.household)
    if query.text and query.text.strip():
        return answer_of(book, details, match)
    return spot_answer(details, query.spot)
