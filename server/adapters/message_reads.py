"""Messages for people and receivers: lists without bodies, and reports of what arrived."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from dispatch_core.errors import Conflict, Invalid, NotFound
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock, system_now
from server.adapters.idempotency import Answer, Key, earlier, keep
from server.adapters.message_store import State
from server.adapters.pool import Pool
from server.adapters.vault import Vault

MOST = 500


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message without its body; times are Unix seconds."""

    id: int
    channel: str
    target: str
    kind: str
    about: str
    state: State
    attempts: int
    next_try_at: int | None
    """System time of the next try; None when it is not tried again."""
    written_at: int
    sent_at: int | None
    delivered_at: int | None
    way: str | None
    proof: str | None
    error: str | None


class MessageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list. `after` is the `next` of the page before."""

    about: str | None = None
    state: State | None = None
    channel: str | None = None
    target: str | None = None
    limit: int = 50
    after: str | None = None


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first; `total` counts all pages."""

    items: list[MessageView]
    next: str | None
    total: int


class Messages:
    """Messages for people and gateways: lists without bodies, and reports of what arrived."""

    def __init__(self, pool: Pool, clock: BusinessClock, vault: Vault) -> None:
        self._pool = pool
        self._clock = clock
        self._vault = vault

    async def page(self, company: int, wanted: MessageFilter) -> MessagePage:
        """A page of messages, newest first.

        Raises:
            Invalid: `bad_page`, `bad_limit`.
        """
        if not 1 <= wanted.limit <= MOST:
            raise Invalid(
                "bad_limit", f"limit is {wanted.limit}.", f"Ask for 1 to {MOST} at a time."
            )
        where, args = ["company_id = $1"], list[Any]([company])
        for column in ("about", "state", "channel", "target"):
            value = getattr(wanted, column)
            if value is not None:
                args.append(value)
                where.append(f"{column} = ${len(args)}")
        all_pages, all_args = " AND ".join(where), list(args)
        if wanted.after is not None:
            if not wanted.after.isdecimal() or len(wanted.after) > 18:
                raise Invalid(
                    "bad_page", "`after` is no page of this list.", "Use `next` of the page before."
                )
            args.append(int(wanted.after))
            where.append(f"message_id < ${len(args)}")
        args.append(wanted.limit + 1)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                f"SELECT {_SHOWN} FROM message WHERE {' AND '.join(where)}"
                f" ORDER BY message_id DESC LIMIT ${len(args)}",
                *args,
            )
            total: int = await c.fetchval(
                f"SELECT count(*) FROM message WHERE {all_pages}", *all_args
            )
        shown = [_view(r) for r in rows[: wanted.limit]]
        return MessagePage(
            items=shown,
            next=str(shown[-1].id) if len(rows) > wanted.limit else None,
            total=total,
        )

    async def report(
        self, principal: Principal, asked: Key, body_hash: bytes, report: Report
    ) -> Answer:
        """The other side says whether a message arrived; the same report again changes nothing.

        Raises:
            Refused: `key_in_flight`, `key_reused`. NotFound: `no_such_message`.
            Conflict: `arrived_already`, it is known to have arrived.
        """
        company, hashed = principal.company, self._vault.keyed(body_hash)
        async with self._pool.company(company) as c:
            stored = await earlier(c, company, asked, hashed)
            if stored is not None:
                return stored
            view = await self._reported(c, principal, report)
            return await keep(c, company, asked, hashed, view)

    async def again(
        self, principal: Principal, asked: Key, body_hash: bytes, message: str
    ) -> Answer:
        """A message that failed waits to be carried out anew.

        Raises:
            Refused: `key_in_flight`, `key_reused`. NotFound: `no_such_message`.
            Conflict: `not_failed`, it is under way or has left.
        """
        company, hashed = principal.company, self._vault.keyed(body_hash)
        async with self._pool.company(company) as c:
            stored = await earlier(c, company, asked, hashed)
            if stored is not None:
                return stored
            row = await _locked(c, company, number_of(message))
            if row["state"] != "failed":
                raise Conflict(
                    "not_failed",
                    f"This message is {row['state']}; only one that failed is sent again.",
                    "Nothing needs to be done.",
                    {"state": row["state"]},
                )
            waiting = await c.fetchrow(
                "UPDATE message SET state = 'waiting', attempts = 0, next_at = $3, error = NULL"
                f" WHERE company_id = $1 AND message_id = $2 RETURNING {_SHOWN}",
                company,
                row["id"],
                system_now(),
            )
            return await keep(c, company, asked, hashed, _view(waiting))

    async def _reported(
        self, c: asyncpg.Connection, principal: Principal, report: Report
    ) -> MessageView:
        wanted = "delivered" if report.delivered else "failed"
        number = number_of(report.message)
        row = await _locked(c, principal.company, number)
        if row["state"] == wanted:
            return _view(row)
        # A try that failed may have arrived all the same; what arrived cannot have failed.
        if row["state"] == "delivered":
            raise Conflict(
                "arrived_already",
                "This message is known to have arrived.",
                "Nothing needs to be done.",
                {"state": "delivered"},
            )
        return _view(
            await c.fetchrow(
                "UPDATE message SET state = $3, way = coalesce(way, 'report'), reported_by = $4,"
                " proof = coalesce($5, proof),"
                " error = CASE WHEN $3 = 'failed' THEN 'reported as not arrived' END,"
                " sent_at = CASE WHEN $3 = 'delivered' THEN coalesce(sent_at, $6) ELSE sent_at END,"
                " delivered_at = CASE WHEN $3 = 'delivered' THEN $6 END"
                f" WHERE company_id = $1 AND message_id = $2 RETURNING {_SHOWN}",
                principal.company,
                number,
                wanted,
                principal.actor,
                report.proof,
                self._clock.now(),
            )
        )


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side says of a message."""

    message: str
    """The message's number as the caller wrote it."""
    delivered: bool
    proof: str | None


def number_of(message: str) -> int:
    """A message's number as a caller wrote it.

    Raises:
        NotFound: `no_such_message`, for what is no number.
    """
    if not message.isascii() or not message.isdecimal() or len(message) > 18:
        raise NotFound(
            "no_such_message", "There is no message of this number.", "Check its number."
        )
    return int(message)


async def _locked(c: asyncpg.Connection, company: int, number: int) -> asyncpg.Record:
    row = await c.fetchrow(
        f"SELECT {_SHOWN} FROM message WHERE company_id = $1 AND message_id = $2 FOR UPDATE",
        company,
        number,
    )
    if row is None:
        raise NotFound("no_such_message", f"There is no message {number}.", "Check its number.")
    return row


_SHOWN = (
    "message_id AS id, channel, target, kind, about, state, attempts,"
    " CASE WHEN state = 'waiting' THEN extract(epoch FROM next_at)::bigint END AS next_try_at,"
    " extract(epoch FROM written_at)::bigint AS written_at,"
    " extract(epoch FROM sent_at)::bigint AS sent_at,"
    " extract(epoch FROM delivered_at)::bigint AS delivered_at, way, proof, error"
)


def _view(row: asyncpg.Record) -> MessageView:
    return MessageView(**{name: row[name] for name in MessageView.__struct_fields__})
