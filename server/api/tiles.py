"""Serving a city's basemap: one file, whole or by one range of bytes (RFC 9110), read in pieces off
the event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from litestar import HttpMethod, Request, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp, Receive, Scope, Send

Resolve: TypeAlias = Callable[[str, str], Path | Awaitable[Path | None] | None]
"""From company code and file name without its ending to the file; None: no such map. May be
async."""

MEDIA_TYPE = "application/vnd.pmtiles"
PIECE = 256 * 1024
"""Bytes read and sent at a time, so that many readers of a large file cost little memory."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _File:
    handle: BinaryIO
    size: int
    etag: str
    modified_at: int


@dataclass(frozen=True, slots=True)
class _Decision:
    status: HTTPStatus
    start: int = 0
    length: int = 0
    content_range: str | None = None


def create_tiles_handler(resolve: Resolve) -> HTTPRouteHandler:
    """A handler of GET and HEAD on `/tiles/{company}/{name}.pmtiles`; who may read is for guards.

    It answers 200, 206, 304 or 416, and raises NotFoundException when `resolve` knows no file or
    the file is gone. Several ranges in one request get the whole file, as RFC 9110 allows. A file
    that is replaced by renaming is read to its end as it was when the request came.
    """

    @route("/tiles/{company:str}/{file:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def tiles(
        request: Request[Any, Any, Any], company: FromPath[str], file: FromPath[str]
    ) -> ASGIApp:
        """The basemap of a city as one PMTiles file; Range is answered with 206."""
        name = file.removesuffix(".pmtiles")
        wellformed = name != file and _NAME.fullmatch(company) and _NAME.fullmatch(name)
        path = resolve(company, name) if wellformed else None
        if inspect.isawaitable(path):
            path = await path
        opened = await asyncio.to_thread(_open, path) if path else None
        if opened is None:
            raise NotFoundException("There is no such map; the city may have been imported anew.")
        whole = request.method == HttpMethod.HEAD
        return _answer(opened, _decide(opened, request.headers, whole=whole), send_body=not whole)

    return tiles


def _open(path: Path) -> _File | None:
    try:
        handle = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    about = os.fstat(handle.fileno())
    if not stat.S_ISREG(about.st_mode):
        handle.close()
        return None
    etag = f'"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"'
    return _File(handle, about.st_size, etag, int(about.st_mtime))


def _decide(file: _File, headers: Mapping[str, str], *, whole: bool) -> _Decision:
    """Which answer the request's conditions and range ask for, in the order of RFC 9110 section
    13.2.2."""
    if _unchanged(file, headers):
        return _Decision(HTTPStatus.NOT_MODIFIED)
    asked = headers.get("range")
    if asked is None or whole or not _same_as_before(file, headers.get("if-range")):
        return _Decision(HTTPStatus.OK, 0, file.size)
    match = _RANGE.fullmatch(asked.strip())
    if not match or not (match[1] or match[2]):
        return _Decision(HTTPStatus.OK, 0, file.size)
    if match[1]:
        start, last = int(match[1]), int(match[2]) if match[2] else file.size - 1
        if match[2] and last < start:  # not a range at all: to be ignored
            return _Decision(HTTPStatus.OK, 0, file.size)
    else:
        start, last = max(0, file.size - int(match[2])), file.size - 1
    last = min(last, file.size - 1)
    if start > last:
        return _Decision(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, content_range=f"bytes */{file.size}"
        )
    shown = f"bytes {start}-{last}/{file.size}"
    return _Decision(HTTPStatus.PARTIAL_CONTENT, start, last - start + 1, shown)


def _unchanged(file: _File, headers: Mapping[str, str]) -> bool:
    tags = headers.get("if-none-match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return tags.strip() == "*" or file.etag in known
    since = _seconds(headers.get("if-modified-since"))
    return since is not None and file.modified_at <= since


def _same_as_before(file: _File, if_range: str | None) -> bool:
    """Whether a part may be joined to what the client has: strong comparison, and a date must be
    equal."""
    if if_range is None:
        return True
    if if_range.strip().startswith(('"', "W/")):
        return if_range.strip() == file.etag
    return _seconds(if_range) == file.modified_at


def _seconds(date: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp()) if date else None
    except (ValueError, OverflowError):
        return None


def _answer(file: _File, decision: _Decision, *, send_body: bool) -> ASGIApp:
    headers = {
        "etag": file.etag,
        "last-modified": formatdate(file.modified_at, usegmt=True),
        "accept-ranges": "bytes",
        # a new import may stand behind an old name: ask each time, which costs an empty answer
        "cache-control": "private, no-cache",
    }
    if decision.status != HTTPStatus.NOT_MODIFIED:
        headers["content-type"] = MEDIA_TYPE
        headers["content-length"] = str(decision.length)
    if decision.content_range is not None:
        headers["content-range"] = decision.content_range

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": decision.status,
                    "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
                }
            )
            left = decision.length if send_body else 0
            if left:
                file.handle.seek(decision.start)
            while left > 0:
                piece = await asyncio.to_thread(file.handle.read, min(left, PIECE))
                if not piece:
                    raise OSError(f"{file.handle.name} became shorter while it was read")
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if not (send_body and decision.length):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            file.handle.close()

    return respond
