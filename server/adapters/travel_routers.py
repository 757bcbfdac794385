"""Travel times asked of an OSRM or a Valhalla over HTTP, in requests no larger than they take."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

import httpx
import msgspec
import numpy as np

from geo.travel import LONGEST_S, MICRO, UNKNOWN, Places, Seconds
from server.adapters.travel_settings import Router

ANSWER_MOST: Final = 64 << 20
PLACES: Final = {"osrm": 100, "valhalla": 50}
PROFILES: Final = {"osrm": "driving", "valhalla": "auto"}


class RouterFailed(Exception):  # noqa: N818 - reads as a verdict, like the core's Refused
    """A router that gives no travel times now; `code` is `not_answering` or `bad_answer`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


_Times = list[list[float | None]]


class _Osrm(msgspec.Struct, frozen=True):
    code: str
    durations: _Times = []


class _Pair(msgspec.Struct, frozen=True):
    time: float | None = None


class _Matrix(msgspec.Struct, frozen=True):
    durations: _Times


class _Valhalla(msgspec.Struct, frozen=True):
    """Both forms of its answer: a list of pairs for each source, or bare durations."""

    sources_to_targets: list[list[_Pair]] | _Matrix


class _Block(NamedTuple):
    """Rows and columns of the table that one request asks for."""

    rows: slice
    columns: slice


class RouterClient:
    """One router of the settings."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self._places = router.places or PLACES[router.kind]
        self._profile = router.profile or PROFILES[router.kind]
        self._client = httpx.AsyncClient(
            base_url=router.url.rstrip("/") + "/",
            timeout=router.answer_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=router.at_once, keepalive_expiry=15.0),
        )

    async def close(self) -> None:
        """Let its connections go."""
        await self._client.aclose()

    async def table(self, a: Places, b: Places) -> Seconds:
        """Travel times from each of `a` (n) to each of `b` (m), int32 (n, m), rounded up, UNKNOWN
        where there is no way. Raises RouterFailed."""
        answer = np.full((len(a), len(b)), UNKNOWN, np.int32)
        half = max(1, self._places // 2)
        blocks = [
            _Block(slice(i, i + half), slice(j, j + half))
            for i in range(0, len(a), half)
            for j in range(0, len(b), half)
        ]
        free = asyncio.Semaphore(self.router.at_once)

        async def one(block: _Block) -> None:
            async with free:
                answer[block] = await self._ask(a[block.rows], b[block.columns])

        try:
            async with asyncio.timeout(self.router.table_s), asyncio.TaskGroup() as requests:
                for block in blocks:
                    requests.create_task(one(block))
        except TimeoutError:
            raise RouterFailed(
                "not_answering", f"No whole table within {self.router.table_s:g} s."
            ) from None
        except ExceptionGroup as failed:
            first = next((e for e in failed.exceptions if isinstance(e, RouterFailed)), None)
            if first is None:
                raise
            raise first from None
        return answer

    async def _ask(self, a: Places, b: Places) -> Seconds:
        request = self._osrm(a, b) if self.router.kind == "osrm" else self._valhalla(a, b)
        try:
            # httpx counts its timeout anew with each byte; a router may not drip for ever
            async with asyncio.timeout(self.router.answer_s):
                raw = await self._read(request)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            why = str(error) or type(error).__name__
            raise RouterFailed("not_answering", f"{self.router.url}: {why}.") from None
        try:
            return _checked(_rows(self.router, raw), len(a), len(b))
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            raise RouterFailed(
                "bad_answer", f"{self.router.url} answers what is no table: {error}."
            ) from None

    async def _read(self, request: httpx.Request) -> bytes:
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != 200:
                raise RouterFailed(
                    "bad_answer", f"{self.router.url} answers {response.status_code}."
                )
            raw = bytearray()
            async for part in response.aiter_bytes():
                raw += part
                if len(raw) > ANSWER_MOST:
                    raise RouterFailed("bad_answer", f"{self.router.url} answers without end.")
            return bytes(raw)
        finally:
            await response.aclose()

    def _osrm(self, a: Places, b: Places) -> httpx.Request:
        """https://project-osrm.org/docs/v5.24.0/api/#table-service"""
        places = ";".join(
            f"{lon / MICRO:.6f},{lat / MICRO:.6f}" for lon, lat in [*a.tolist(), *b.tolist()]
        )
        sources = ";".join(map(str, range(len(a))))
        destinations = ";".join(map(str, range(len(a), len(a) + len(b))))
        return self._client.build_request(
            "GET",
            f"table/v1/{self._profile}/{places}"
            f"?sources={sources}&destinations={destinations}&annotations=duration",
        )

    def _valhalla(self, a: Places, b: Places) -> httpx.Request:
        """https://valhalla.github.io/valhalla/api/matrix/api-reference/"""

        def ends(where: Places) -> list[dict[str, float]]:
            return [{"lon": lon / MICRO, "lat": lat / MICRO} for lon, lat in where.tolist()]

        body = {"sources": ends(a), "targets": ends(b), "costing": self._profile}
        return self._client.build_request("POST", "sources_to_targets", json=body)


def _rows(router: Router, raw: bytes) -> _Times:
    if router.kind == "osrm":
        found = msgspec.json.decode(raw, type=_Osrm)
        if found.code != "Ok":
            raise ValueError(found.code[:60])
        return found.durations
    table = msgspec.json.decode(raw, type=_Valhalla).sources_to_targets
    if isinstance(table, _Matrix):
        return table.durations
    return [[pair.time for pair in row] for row in table]


def _checked(rows: _Times, n: int, m: int) -> Seconds:
    if len(rows) != n or any(len(row) != m for row in rows):
        raise ValueError(f"not {n} rows of {m}")
    flat = [UNKNOWN if s is None else s for row in rows for s in row]
    times = np.array(flat, np.float64).reshape(n, m)
    if not np.isfinite(times).all() or ((times < 0) & (times != UNKNOWN)).any():
        raise ValueError("a time below nothing")
    return np.minimum(np.ceil(times), LONGEST_S).astype(np.int32)
