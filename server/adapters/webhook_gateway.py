"""Messages as signed POSTs to a system of somebody else's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

import httpx
import msgspec

from server.adapters.message_store import Claimed, Outcome

TIMEOUT_S = 10.0
FIRST_AGAIN_S, LONGEST_AGAIN_S = 5.0, 900.0
MOST_OF_ANSWER = 64 << 10
AGAIN = frozenset({408, 425, 429})
"""Answers of the 4xx range that say: later."""


class Webhook(NamedTuple):
    """Where to, signed with what, how many at once, and how often tried."""

    url: str
    secret: str
    at_once: int
    attempts_max: int


def letter(message: Claimed) -> dict[str, object]:
    """What leaves the house."""
    return {
        "message_id": message.message_id,
        "channel": message.channel,
        "target": message.target,
        "kind": message.kind,
        "about": message.about,
        "written_at": message.written_at,
        "body": message.body,
    }


def signature(secret: str, body: bytes) -> str:
    """What the receiver compares: `sha256=` and the HMAC of the body under the shared secret."""
    return f"sha256={hmac.digest(secret.encode(), body, hashlib.sha256).hex()}"


def again_after(attempts: int) -> float:
    """Seconds until the next try: doubled each time, a quarter of an hour at most."""
    return min(LONGEST_AGAIN_S, FIRST_AGAIN_S * 2.0 ** min(attempts - 1, 16))


class WebhookGateway:
    """Posts each message as JSON with `Idempotency-Key` and `X-Heatops-Signature`.

    200 to 299 is delivered, but 202 (accepted) only sent: the receiver reports later. Other answers
    of the 4xx range and redirects, which are never followed, fail the message at once; what may
    pass is tried again, longer and longer apart.
    """

    def __init__(self, hook: Webhook) -> None:
        self._hook = hook
        # The installer's file names the receiver; no proxy of the environment stands between.
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=hook.at_once, keepalive_expiry=5.0),
        )

    @property
    def at_most(self) -> int:
        """Messages under way at the same time."""
        return self._hook.at_once

    async def carry(self, company: str, messages: Sequence[Claimed]) -> list[Outcome]:
        """Post messages, all at once."""
        return await asyncio.gather(*(self._post(company, m) for m in messages))

    async def _post(self, company: str, message: Claimed) -> Outcome:
        body = msgspec.json.encode(letter(message))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"heatops-{company}-{message.message_id}",
            "X-Heatops-Signature": signature(self._hook.secret, body),
        }
        try:
            # httpx counts its timeout anew with each byte; a receiver may not drip for ever.
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client.stream(
                    "POST", self._hook.url, content=body, headers=headers
                ) as answer,
            ):
                digest = await _digest(answer)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return self._again(message, f"no answer: {type(error).__name__}")
        status = answer.status_code
        if answer.is_success:
            tag = answer.headers.get("x-request-id") or answer.headers.get("etag")
            proof = f"HTTP {status} {tag[:120] if tag else f'sha256:{digest}'}"
            return Outcome(
                message_id=message.message_id,
                state="sent" if status == httpx.codes.ACCEPTED else "delivered",
                way="webhook",
                proof=proof,
            )
        if status < 500 and status not in AGAIN:
            return Outcome(
                message_id=message.message_id,
                state="failed",
                way="webhook",
                error=f"HTTP {status}: the receiver does not take it",
            )
        return self._again(message, f"HTTP {status}")

    def _again(self, message: Claimed, error: str) -> Outcome:
        if message.attempts >= self._hook.attempts_max:
            return Outcome(
                message_id=message.message_id,
                state="failed",
                way="webhook",
                error=f"{error}; given up after {message.attempts} tries",
            )
        return Outcome(
            message_id=message.message_id,
            state="waiting",
            way="webhook",
            error=error,
            again_s=again_after(message.attempts),
        )


async def _digest(answer: httpx.Response) -> str:
    """Digest of the beginning of an answer: what a receiver says may be long, or name somebody."""
    seen, taken = hashlib.sha256(), 0
    async for chunk in answer.aiter_raw():
        seen.update(chunk[: MOST_OF_ANSWER - taken])
        taken += len(chunk)
        if taken >= MOST_OF_ANSWER:
            break
    return seen.hexdigest()[:32]
