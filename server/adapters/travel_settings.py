"""Which router a company asks for travel times: `<data>/travel.toml`, read again when it changes.

Each `[[router]]` names an OSRM or a Valhalla by URL and, if it is meant for one only, a company;
the first that fits is asked. Without one the roads of the imported city serve, else great circles:

    [[router]]
    kind = "osrm"                   # or valhalla
    url = "http://127.0.0.1:5000"
    company = "warm"                # left away: every company
    profile = "driving"             # a Valhalla's costing, e.g. auto
    answer_s = 2.0                  # one request's time to answer
    table_s = 10.0                  # a whole table's
    places = 100                    # places in one request: the router's own limit
    at_once = 4
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.adapters.clock import monotonic

log = logging.getLogger(__name__)

FILE = "travel.toml"
LOOK_AGAIN_S = 1.0


class Router(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[router]]` of the file."""

    kind: Literal["osrm", "valhalla"]
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$", max_length=500)]
    company: str | None = None
    profile: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")] | None = None
    answer_s: Annotated[float, Meta(ge=0.05, le=60)] = 2.0
    table_s: Annotated[float, Meta(ge=0.05, le=120)] = 10.0
    places: Annotated[int, Meta(ge=2, le=10_000)] | None = None
    at_once: Annotated[int, Meta(ge=1, le=32)] = 4

    def __post_init__(self) -> None:
        if self.table_s < self.answer_s:
            raise ValueError("a table may take no less time than one answer")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    router: list[Router] = []


class TravelSettings:
    """The routers of an installation. A file that cannot be used is said once in the log, and the
    last good one stays in force; `error` says what is wrong with it."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._routers: list[Router] = []
        self._seen: tuple[int, ...] | None = None
        self._looked_at = float("-inf")
        self.error: str | None = None

    def router(self, company: str) -> Router | None:
        """The router that the company with this code asks."""
        self._look()
        return next((r for r in self._routers if r.company in {None, company}), None)

    def _look(self) -> None:
        if monotonic() - self._looked_at < LOOK_AGAIN_S:
            return
        self._looked_at = monotonic()
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._routers = msgspec.toml.decode(self._path.read_bytes(), type=_File).router
            self.error = None
        except FileNotFoundError:
            self._routers, self._seen, self.error = [], None, None
        except (OSError, ValueError, RecursionError, msgspec.DecodeError) as error:
            self.error = f"{FILE} cannot be used: {error}"
            log.error("%s; the last good one stays in force", self.error)
