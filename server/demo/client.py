"""The demo's way to the API: connections kept by a few threads, lost calls sent again."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from server.demo.calls import Body, Call
from server.settings import UserError

TIMEOUT_S = 30.0
RETRY_FOR_S = 120.0
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_IN_FLIGHT = "key_in_flight"
COOKIE = "heatops_session"


class ApiClient:
    """Speaks to one web process as a source; use as `async with`.

    `url`: http://host:port; `token`: the source's; `concurrency`: calls on their way at once;
    `sessions`: the secret of each person that it speaks for.
    """

    def __init__(
        self,
        url: str,
        token: str,
        concurrency: int = 16,
        sessions: Mapping[str, str] | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._token = token
        self.sessions = dict(sessions or {})
        self._threads = ThreadPoolExecutor(concurrency, "demo-api")
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    async def __aenter__(self) -> ApiClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for connection in self._open:
            connection.close()

    async def get(self, path: str, **query: str | int) -> Body:
        """The JSON object of a reading call; `query` becomes the query string.

        Raises UserError `api_refused` for no success, `api_unreachable` after two minutes.
        """
        where = f"{path}?{urlencode(query)}" if query else path
        status, body = await self.send(Call("GET", where, None, "", 0.0))
        if status != 200:
            told = body.get("detail", f"status {status}")
            raise UserError(
                "api_refused",
                f"The API refused {path}: {told}",
                "Check the token of the demo's source.",
            )
        return body

    async def send(self, call: Call) -> tuple[int, Body]:
        """Status and JSON of an answer; a lost or refused-for-now call is sent again with its key.

        Raises UserError `api_unreachable` after two minutes of trying.
        """
        loop = asyncio.get_running_loop()
        give_up, pause = loop.time() + RETRY_FOR_S, 0.1
        while True:
            try:
                status, body = await loop.run_in_executor(self._threads, self._once, call)
            except (OSError, http.client.HTTPException):
                status, body = 503, {}
            if call.once and body:
                return status, body
            if status not in _LATER and not (status == 409 and body.get("code") == _IN_FLIGHT):
                return status, body
            if loop.time() > give_up:
                raise UserError(
                    "api_unreachable",
                    "The API has not answered for two minutes.",
                    "See that `heatops up` runs.",
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def send_all(self, calls: Sequence[Call]) -> list[tuple[Call, int, Body]]:
        """Send calls side by side; answers in the calls' order."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.send(c)) for c in calls]
        return [(c, *t.result()) for c, t in zip(calls, tasks, strict=True)]

    async def sign_in(self, path: str, body: Body) -> str:
        """The secret of the session that a sign-in gives. Raises UserError `api_refused`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._signed_in, path, body)

    def _signed_in(self, path: str, body: Body) -> str:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            told = json.dumps(body, ensure_ascii=False).encode()
            connection.request("POST", path, told, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            cookie = SimpleCookie(answer.headers.get("Set-Cookie", "")).get(COOKIE)
            problem = _object(answer.read())
        finally:
            connection.close()
        if cookie is None:
            why = problem.get("detail", f"status {answer.status}")
            raise UserError("api_refused", f"The API refused {path}: {why}", "Try again.")
        return cookie.value

    def _once(self, call: Call) -> tuple[int, Body]:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(
                self._host, self._port, timeout=TIMEOUT_S
            )
            self._open.append(connection)
        headers = {"Accept": "application/json"}
        if call.by is None:
            headers["Authorization"] = f"Bearer {self._token}"
        else:
            headers["Cookie"] = f"{COOKIE}={self.sessions[call.by]}"
        body = None
        if call.photo is not None:
            body = call.photo
            headers |= {"Content-Type": "application/octet-stream"}
        elif call.body is not None:
            body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": call.key}
        try:
            connection.request(call.method, call.path, body, headers)
            answer = connection.getresponse()
            return answer.status, _object(answer.read())
        except BaseException:
            # a connection with half an answer in it is of no more use
            connection.close()
            raise


def _object(data: bytes) -> Body:
    try:
        value: Any = json.loads(data) if data else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"value": value}
