"""Batches from sources: good rows are kept, bad rows are refused by index and code,
one commit each."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from dispatch_core.errors import Invalid, NotFound, TooLarge
from geo.datums import Datums
from realtime.layers.rows import TOPICS
from server.adapters import register
from server.adapters.accounts import Principal
from server.adapters.address_sql import version_of
from server.adapters.clock import BusinessClock, monotonic
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.telemetry import FIX, Incoming, Telemetry, Told
from server.adapters.vault import Vault
from server.api.batch_items import KINDS, Checking, Kind, RefusedItem, checked
from server.api.documents import body_hash, described
from server.api.gate import Gate, idempotency_key

MOST_ITEMS = 30_000
KNOWN_FOR_S = 30.0

Cadence = Annotated[float, msgspec.Meta(gt=0, le=7 * 86400)]


class Batch(msgspec.Struct, kw_only=True):
    """Up to 30,000 items of the kind, and how often this source promises to be heard (seconds)."""

    items: list[dict[str, Any]]
    cadence_s: Cadence | None = None


class _RawBatch(msgspec.Struct, kw_only=True):
    items: list[msgspec.Raw]
    cadence_s: Cadence | None = None


class BatchAnswer(msgspec.Struct, kw_only=True):
    """How many items are stored, and which are not."""

    accepted: int
    refused: list[RefusedItem]


class Heartbeat(msgspec.Struct, kw_only=True):
    """A source promises to be heard at least every so many seconds."""

    cadence_s: Cadence


class _Held(NamedTuple):
    at: float
    version: int
    names: set[str]


class _Known:
    """Identifiers of the register, read again when an unknown one comes and the register has
    changed, or the last look is half a minute old."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._sets: dict[tuple[int, str], _Held] = {}

    async def load(self, company: int, table: str, *, fresh: bool = False) -> set[str]:
        at = (company, table)
        held = self._sets.get(at)
        # Crews are entered through this API: one that was answered a moment ago is known.
        known_for_s = 0.0 if table == "crew" else KNOWN_FOR_S
        if held is None or fresh:
            async with self._pool.company(company, readonly=True) as c:
                version = await version_of(c)
                if held is None or version != held.version or monotonic() - held.at > known_for_s:
                    names = await register.known(c, table)
                    held = self._sets[at] = _Held(monotonic(), version, names)
        return held.names


class _Intake:
    """Checks whole batches against the register."""

    def __init__(
        self,
        pool: Pool,
        vault: Vault,
        clock: BusinessClock,
        policies: Policies,
        datums: Datums,
    ) -> None:
        self._known = _Known(pool)
        self._datums = datums
        self._policies = policies
        self._vault = vault
        self._clock = clock

    async def read(self, principal: Principal, kind: str, of: Kind, body: bytes) -> Incoming:
        """A body's good rows and the answer that names the bad ones.

        Raises:
            Invalid: `bad_body`. TooLarge: `too_many_items`.
        """
        try:
            batch = msgspec.json.decode(body, type=_RawBatch)
        except msgspec.DecodeError as error:
            raise Invalid(
                "bad_body", str(error), 'Send {"items": [...]} as described at /docs.'
            ) from None
        if len(batch.items) > MOST_ITEMS:
            raise TooLarge(
                "too_many_items",
                f"{len(batch.items)} items in one batch.",
                "Send at most 30,000 at a time.",
            )
        company, at = principal.company, self._clock.now()
        now = int(at.timestamp())
        rules = await self._policies.at(company, at) if of.seasonal or of.table is FIX else None
        season = rules.season if rules is not None else ""
        names = await self._known.load(company, of.register) if of.register else set()
        x = Checking(principal, now, names, self._vault, season, self._datums)
        rows, bad = checked(batch.items, of, x)
        if x.unknown and of.register:
            again = await self._known.load(company, of.register, fresh=True)
            if again is not names:
                x = Checking(principal, now, again, self._vault, season, self._datums)
                rows, bad = checked(batch.items, of, x)
        told = []
        if x.weather is not None:
            told.append(Told("figure:weather", x.weather))
        return Incoming(
            kind=kind, topic=of.topic, table=of.table, rows=rows,
            answer=BatchAnswer(accepted=len(rows), refused=bad), told=told, texts=x.texts,
            cadence_s=batch.cadence_s, empty=not batch.items,
            fence=None if rules is None else rules.evidence.fence,
        )  # fmt: skip


def create_handlers(
    gate: Gate,
    store: Telemetry,
    vault: Vault,
    pool: Pool,
    clock: BusinessClock,
    policies: Policies,
    datums: Datums,
) -> list[BaseRouteHandler]:
    """One POST per kind of batch, and heartbeats."""
    intake = _Intake(pool, vault, clock, policies, datums)

    def handler(kind: str, of: Kind) -> HTTPRouteHandler:
        @post(
            f"/api/batches/{kind}",
            status_code=200,
            tags=["batches"],
            operation_class=described(
                Batch, of.example, BatchAnswer, {"accepted": 1, "refused": []}
            ),
            name=f"batch-{kind}",
            summary=of.summary,
        )
        async def batch(request: Request[Any, Any, Any]) -> Response[bytes]:
            """Good rows are kept, bad rows are refused by index and code."""
            principal = await gate.principal(request)
            key = idempotency_key(request)
            body = await request.body()
            incoming = await intake.read(principal, kind, of, body)
            answer = await store.store(
                principal, f"POST /api/batches/{kind}", key, body_hash(body), incoming
            )
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return batch

    @post(
        "/api/sources/{source:str}/heartbeat",
        status_code=200,
        tags=["batches"],
        operation_class=described(Heartbeat, {"cadence_s": 60}, Heartbeat, {"cadence_s": 60}),
    )
    async def heartbeat(request: Request[Any, Any, Any], source: str) -> Response[bytes]:
        """An idle source is alive; named like the layer it feeds."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        if source not in TOPICS:
            raise NotFound(
                "unknown_source",
                f"No source {source!r} is known.",
                "Sources are named like layers.",
            )
        body = await request.body()
        try:
            beat = msgspec.json.decode(body, type=Heartbeat)
        except msgspec.DecodeError as error:
            raise Invalid("bad_body", str(error), 'Send {"cadence_s": 60}.') from None
        answer = await store.heartbeat(
            principal,
            f"POST /api/sources/{source}/heartbeat",
            key,
            body_hash(body),
            source,
            beat.cadence_s,
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [*(handler(kind, of) for kind, of in KINDS.items()), heartbeat]
