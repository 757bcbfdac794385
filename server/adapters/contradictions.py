"""Finds contradictions in a company's records, keeps them until a scan no longer finds them, and
sends word to who can mend them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from dispatch_core import contradictions
from dispatch_core.contradictions import Mend, MendAction, Records
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.ids import ContradictionKind, unix
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock, monotonic
from server.adapters.idempotency import Answer, Key, earlier, keep, stream_lock, try_locks
from server.adapters.messages import save_messages
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.ports import OutMessage

MOST = 500
SCAN_WITHIN_S = 60
_COLUMNS = (
    "extract(epoch FROM started_at)::bigint AS at, season, took_ms, households, found,"
    " new, gone, by_whom AS by"
)

# The rules of dispatch_core.contradictions as one statement: what they say of NULL, SQL says too.
# A standing that passes the first filter of `looked` may contradict; few of a million do.
_SCAN = """
WITH granted AS MATERIALIZED (
  SELECT DISTINCT ON (household_id) household_id, application_id, action, state, known_by
  FROM application
  WHERE company_id = $1 AND season = $2 AND state IN ('approved', 'completed', 'closed')
  ORDER BY household_id, applied_at DESC, application_id DESC
), looked AS (
  SELECT s.*, g.application_id AS granted, g.action, g.state, g.known_by,
    s.service <> 'heated' AND g.action IN ('suspension', 'temporary_stop')
      AND g.state IN ('completed', 'closed') AS in_force,
    s.service = 'heated' AND g.action = 'resume'
      AND g.state IN ('completed', 'closed') AS heated_again,
    coalesce(g.known_by < $3, true) AS known,
    s.network = 'disconnected' OR s.valve = 'sealed' AS shut
  FROM household_standing s LEFT JOIN granted g ON g.household_id = s.household_id
  WHERE s.company_id = $1 AND s.season = $2
    AND (s.service <> 'heated' OR s.network = 'disconnected' OR s.valve = 'sealed'
         OR s.billing IN ('base', 'none'))
), found AS MATERIALIZED (
  SELECT l.household_id, k.kind, json_build_object(
      'service', l.service, 'application', l.granted, 'action', l.action, 'state', l.state,
      'known_by', extract(epoch FROM l.known_by)::bigint,
      'network', l.network, 'network_at', extract(epoch FROM l.network_at)::bigint,
      'valve', l.valve, 'valve_at', extract(epoch FROM l.valve_at)::bigint,
      'billing', l.billing, 'billed_fen', l.billed_fen,
      'billed_at', extract(epoch FROM l.billed_at)::bigint)::text AS records
  FROM looked l CROSS JOIN LATERAL (VALUES
    ('suspended_yet_connected', l.in_force AND l.known AND l.network = 'connected'),
    ('marked_without_application',
     l.granted IS NULL AND (l.service <> 'heated' OR l.shut OR l.billing IN ('base', 'none'))
     OR l.heated_again AND l.known AND l.shut),
    ('suspended_yet_billed', l.in_force AND l.known AND l.billing = 'full'),
    ('valve_open', l.in_force AND l.valve = 'open')
  ) AS k(kind, holds)
  WHERE k.holds
), seen AS (
  INSERT INTO contradiction AS c
    (company_id, season, kind, household_id, found_at, seen_at, records)
  SELECT $1, $2, kind, household_id, $3, $3, records FROM found
  ON CONFLICT (company_id, season, kind, household_id) DO UPDATE SET
    seen_at = excluded.seen_at, records = excluded.records, gone_at = NULL,
    found_at = CASE WHEN c.gone_at IS NULL THEN c.found_at ELSE excluded.found_at END,
    mending = CASE WHEN c.gone_at IS NULL THEN c.mending END,
    mending_by = CASE WHEN c.gone_at IS NULL THEN c.mending_by END,
    mending_at = CASE WHEN c.gone_at IS NULL THEN c.mending_at END
), gone AS (
  UPDATE contradiction c SET gone_at = $3
  WHERE c.company_id = $1 AND c.season = $2 AND c.gone_at IS NULL
    AND NOT EXISTS (SELECT FROM found f WHERE f.kind = c.kind AND f.household_id = c.household_id)
  RETURNING 1
)
SELECT
  (SELECT count(*) FROM household_standing WHERE company_id = $1 AND season = $2) AS households,
  (SELECT count(*) FROM found) AS found,
  (SELECT count(*) FROM found f WHERE NOT EXISTS (
     SELECT FROM contradiction c WHERE c.company_id = $1 AND c.season = $2 AND c.kind = f.kind
       AND c.household_id = f.household_id AND c.gone_at IS NULL)) AS new,
  (SELECT count(*) FROM gone) AS gone
"""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One look through all records of a season. `at` is business time."""

    at: int
    season: str
    took_ms: int
    households: int
    found: int
    new: int
    gone: int
    by: str


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """A contradiction as the last scan saw it, why it is one, and what mends it."""

    season: str
    kind: ContradictionKind
    household: str
    building: str | None
    address: str | None
    unit: int | None
    found_at: int
    seen_at: int
    records: Records
    why_zh: str
    why_en: str
    mends: list[Mend]
    mending: MendAction | None
    mending_by: str | None
    mending_at: int | None


class ContradictionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Contradictions that stand, by kind and household."""

    items: list[Contradiction]
    next: str | None
    total: int
    by_kind: dict[str, int]
    scan: Scan | None
    """The last one of the season."""


async def scan(c: asyncpg.Connection, company: int, season: str, now: datetime, by: str) -> Scan:
    """Look through a season's records, in the caller's transaction; nobody waits for it.

    Raises:
        Conflict: `scan_running`.
    """
    lock = stream_lock(company, "contradictions")
    if not await try_locks(c, {lock}):
        raise Conflict(
            "scan_running", "A scan is running already.", "Wait for it: it takes seconds."
        )
    began, at = monotonic(), datetime.fromtimestamp(unix(now), UTC)
    await c.execute(f"SET LOCAL statement_timeout = '{SCAN_WITHIN_S}s'")
    found = await c.fetchrow(_SCAN, company, season, at, timeout=SCAN_WITHIN_S)
    row = await c.fetchrow(
        "INSERT INTO contradiction_scan (company_id, season, started_at, took_ms, households,"
        " found, new, gone, by_whom) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        f" RETURNING {_COLUMNS}",
        company,
        season,
        at,
        round((monotonic() - began) * 1000),
        *found,
        by,
    )
    return Scan(**row)


async def scanned_by(
    c: asyncpg.Connection, company: int, by: str, since: datetime, until: datetime
) -> bool:
    """Whether `by` has scanned at a business time in [since, until)."""
    known: bool = await c.fetchval(
        "SELECT EXISTS (SELECT FROM contradiction_scan WHERE company_id = $1 AND by_whom = $2"
        " AND started_at >= $3 AND started_at < $4)",
        company,
        by,
        since,
        until,
    )
    return known


class Contradictions:
    """Contradictions of one company at a time, as the web asks for them."""

    def __init__(self, pool: Pool, clock: BusinessClock, vault: Vault, policies: Policies) -> None:
        self._pool = pool
        self._clock = clock
        self._vault = vault
        self._policies = policies

    async def scan(self, principal: Principal, route: str, key: str, body_hash: bytes) -> Answer:
        """Scan the present season now. Raises Refused: `scan_running`, those of keys."""
        company, now = principal.company, self._clock.now()
        season = (await self._policies.at(company, now)).season
        asked, hashed = Key(principal.actor, route, key), self._vault.keyed(body_hash)
        async with self._pool.company(company) as c:
            stored = await earlier(c, company, asked, hashed)
            if stored is not None:
                return stored
            made = await scan(c, company, season, now, principal.actor)
            return await keep(c, company, asked, hashed, made)

    async def mend(
        self,
        principal: Principal,
        key: str,
        body_hash: bytes,
        wanted: tuple[str, ContradictionKind, str],
        action: MendAction,
        reason: str | None,
    ) -> Answer:
        """Record who mends a contradiction (season, kind, household) and how, and send word to the
        departments; it stands until a scan no longer finds it.

        Raises:
            NotFound: `no_such_contradiction`. Invalid: `wrong_mend`. Refused: those of keys.
        """
        company, now = principal.company, self._clock.now()
        asked = Key(principal.actor, "POST /api/contradictions/mend", key)
        hashed = self._vault.keyed(body_hash)
        season, kind, household = wanted
        async with self._pool.company(company) as c:
            stored = await earlier(c, company, asked, hashed)
            if stored is not None:
                return stored
            row = await c.fetchrow(
                "UPDATE contradiction SET mending = $5, mending_by = $6, mending_at = $7"
                " WHERE company_id = $1 AND season = $2 AND kind = $3 AND household_id = $4"
                " AND gone_at IS NULL RETURNING records",
                company, season, kind, household, action, principal.actor, now,
            )  # fmt: skip
            if row is None:
                raise NotFound(
                    "no_such_contradiction",
                    "This contradiction does not stand, or no longer.",
                    "Look at the list again.",
                )
            records = msgspec.json.decode(row["records"], type=Records)
            finding = contradictions.explain(kind, records, unix(now))
            if action not in [m.action for m in finding.mends]:
                raise Invalid(
                    "wrong_mend",
                    f"{action} does not mend {kind}.",
                    f"What does: {', '.join(m.action for m in finding.mends)}.",
                )
            texts = [self._vault.words(company, reason)] if reason else []
            await save_secrets(c, company, self._vault, (), texts)
            body: dict[str, Any] = {
                "season": season, "kind": kind, "household": household, "action": action,
                "why_zh": finding.why_zh, "why_en": finding.why_en,
                "records": msgspec.to_builtins(records), "by": principal.actor, "at": unix(now),
                "reason": reason,
            }  # fmt: skip
            targets = contradictions.told(action, records, unix(now))
            about = f"contradiction:{season}/{kind}/{household}"
            await save_messages(c, company, self._vault, now, [
                OutMessage(channel="department", target=target, kind="contradiction", about=about,
                           body=body)
                for target in targets
            ])  # fmt: skip
            made = await _one(c, company, season, kind, household, unix(now))
            return await keep(c, company, asked, hashed, made)

    async def page(
        self, company: int, kind: str | None, season: str | None, limit: int, after: str | None
    ) -> ContradictionPage:
        """Those that stand in a season, the present one if none is named.

        Raises:
            Invalid: `bad_limit`, `unknown_kind`, `bad_page`.
        """
        if not 1 <= limit <= MOST:
            raise Invalid("bad_limit", f"limit is {limit}.", f"Ask for 1 to {MOST} at a time.")
        if kind is not None and kind not in contradictions.KINDS:
            raise Invalid(
                "unknown_kind", f"There is no kind {kind[:40]!r}.",
                f"Kinds: {', '.join(contradictions.KINDS)}.",
            )  # fmt: skip
        now = self._clock.now()
        if season is None:
            season = (await self._policies.at(company, now)).season
        last_kind, slash, last_household = (after or "/").partition("/")
        if not slash:
            raise Invalid(
                "bad_page", f"after={after!r} is no page.", "Give back `next` as it was answered."
            )
        async with self._pool.company(company, readonly=True) as c:
            counts = await c.fetch(
                "SELECT kind, count(*) FROM contradiction WHERE company_id = $1 AND season = $2"
                " AND gone_at IS NULL GROUP BY kind ORDER BY kind",
                company,
                season,
            )
            rows = await c.fetch(
                _ITEM + " AND ($3::text IS NULL OR c.kind = $3)"
                " AND (c.kind, c.household_id) > ($4, $5)"
                " ORDER BY c.kind, c.household_id LIMIT $6",
                company, season, kind, last_kind, last_household, limit + 1,
            )  # fmt: skip
            last = await c.fetchrow(
                f"SELECT {_COLUMNS} FROM contradiction_scan WHERE company_id = $1 AND season = $2"
                " ORDER BY scan_id DESC LIMIT 1",
                company,
                season,
            )
        by_kind = dict.fromkeys(contradictions.KINDS, 0) | {r[0]: r[1] for r in counts}
        items = [_item(r, unix(now)) for r in rows[:limit]]
        return ContradictionPage(
            items=items,
            next=f"{items[-1].kind}/{items[-1].household}" if len(rows) > limit else None,
            total=sum(by_kind.values()) if kind is None else by_kind[kind],
            by_kind=by_kind,
            scan=Scan(**last) if last else None,
        )


_ITEM = (
    "SELECT c.season, c.kind, c.household_id AS household, h.building_id AS building, b.address,"
    " h.unit, extract(epoch FROM c.found_at)::bigint AS found_at,"
    " extract(epoch FROM c.seen_at)::bigint AS seen_at, c.records, c.mending, c.mending_by,"
    " extract(epoch FROM c.mending_at)::bigint AS mending_at"
    " FROM contradiction c"
    " LEFT JOIN household h ON h.company_id = c.company_id AND h.household_id = c.household_id"
    " LEFT JOIN building b ON b.company_id = h.company_id AND b.building_id = h.building_id"
    " WHERE c.company_id = $1 AND c.season = $2 AND c.gone_at IS NULL"
)


def _item(row: asyncpg.Record, now: int) -> Contradiction:
    records = msgspec.json.decode(row["records"], type=Records)
    finding = contradictions.explain(row["kind"], records, now)
    return Contradiction(
        **{**row, "records": records},
        why_zh=finding.why_zh,
        why_en=finding.why_en,
        mends=finding.mends,
    )


async def _one(
    c: asyncpg.Connection, company: int, season: str, kind: str, household: str, now: int
) -> Contradiction:
    row = await c.fetchrow(
        _ITEM + " AND c.kind = $3 AND c.household_id = $4", company, season, kind, household
    )
    return _item(row, now)
