"""Opens PostgreSQL and Valkey, keeps them alive, and lets go of them in a bounded time."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from server.engines.locate import ORIGINS, Origin, find_postgres, find_valkey
from server.engines.places import (
    explain,
    make_data_folder,
    make_own_folder,
    service_account,
    socket_folder,
)
from server.engines.postgres import Postgres
from server.engines.valkey import Valkey
from server.settings import Settings, UserError

RUNNING = "running.json"
STOP_WITHIN = 1.2
"""Seconds for PostgreSQL's checkpoint at a clean stop; after that it stops at once and recovers at
the next start."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """One engine as shown to people."""

    name: str
    version: str | None
    """None when it was given by URL."""
    origin: Origin
    pid: int | None


class Engines:
    """Both engines, open. Synchronous; use from the main thread and as a context manager."""

    def __init__(self, settings: Settings, lock: int | None) -> None:
        self._data = settings.data
        self._lock = lock
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None
        self._database_url = settings.database_url
        self._redis_url = settings.redis_url
        self._shared: dict[str, EngineInfo] = {}

    @property
    def database_url(self) -> str:
        """The owner's DSN, for asyncpg."""
        return self._postgres.url if self._postgres else self._database_url or ""

    @property
    def redis_url(self) -> str:
        """For redis-py."""
        return self._valkey.url if self._valkey else self._redis_url or ""

    @property
    def postgres(self) -> EngineInfo:
        """PostgreSQL as it is now."""
        return self._info("postgres", "PostgreSQL", self._postgres)

    @property
    def valkey(self) -> EngineInfo:
        """Valkey (or Redis) as it is now."""
        return self._info("valkey", "Valkey", self._valkey)

    def _info(self, key: str, name: str, engine: Postgres | Valkey | None) -> EngineInfo:
        if engine:
            program = engine.program
            return EngineInfo(program.name, program.version, program.origin, engine.pid)
        return self._shared.get(key) or EngineInfo(name, None, "url", None)

    def restart_dead(self) -> list[str]:
        """Start again what has died since. Returns the names.

        Raises:
            UserError: as at the first start.
        """
        restarted = []
        for engine in (self._postgres, self._valkey):
            if engine and engine.pid is None:
                engine.start()
                restarted.append(engine.program.name)
        return restarted

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Stop the engines that were started here and let go of the data folder. Harmless when done
        twice."""
        if self._lock is not None:
            (self._data / RUNNING).unlink(missing_ok=True)
        if self._valkey:
            self._valkey.stop(0.3)
        if self._postgres:
            self._postgres.stop(within)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def announce(self, url: str | None) -> None:
        """Write down where the engines and the web are, for `share` and `heatops doctor`."""
        state = {
            "pid": os.getpid(),
            "url": url,
            "database_url": self.database_url,
            "redis_url": self.redis_url,
            "postgres": asdict(self.postgres),
            "valkey": asdict(self.valkey),
        }
        path = self._data / RUNNING
        draft = path.with_name(f".{RUNNING}.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(state), "utf-8")
            draft.replace(path)
        except OSError as error:
            raise explain(error, path) from None

    def _open(self, conf: Mapping[str, str], origins: Sequence[Origin]) -> None:
        account = service_account()
        sockets = socket_folder(self._data, account)
        if not self._database_url:
            self._postgres = Postgres(find_postgres(origins), self._data, sockets, account, conf)
        if not self._redis_url:
            self._valkey = Valkey(find_valkey(origins), self._data, sockets, account)
            self._valkey.start()
        if self._postgres:
            self._postgres.start()
        self.announce(None)

    def _borrow(self, state: dict[str, object]) -> None:
        self._database_url = self._database_url or str(state["database_url"])
        self._redis_url = self._redis_url or str(state["redis_url"])
        for key in ("postgres", "valkey"):
            info = state[key]
            if isinstance(info, dict):
                self._shared[key] = EngineInfo(**info)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def open_engines(
    settings: Settings,
    *,
    share: bool = False,
    postgres_conf: Mapping[str, str] | None = None,
    origins: Sequence[Origin] = ORIGINS,
) -> Engines:
    """Start whatever `settings` does not name by URL and wait until it takes connections.

    The data folder has one owner at a time. With `share`, engines that a running `heatops up` owns
    are used instead, and left alone afterwards. `postgres_conf` overrides server settings (tests
    turn fsync off).

    Raises:
        UserError: `data_in_use`, `data_unwritable`, `data_unreachable`, `disk_full`,
            `engine_version`, `engine_failed`, `no_postgres`, `no_valkey`, `no_account`,
            `socket_folder_taken`.
    """
    if share and settings.database_url and settings.redis_url:
        return Engines(settings, None)
    make_data_folder(settings.data, service_account())
    make_own_folder(settings.keys, None)
    lock = _lock(settings.data, patience=0.0 if share else 0.3)
    if lock is None:
        if not share:
            raise _in_use(settings.data)
        engines = Engines(settings, None)
        engines._borrow(_announced(settings.data))  # noqa: SLF001 - the class's own factory
        return engines
    engines = Engines(settings, lock)
    try:
        engines._open(postgres_conf or {}, origins)  # noqa: SLF001
    except BaseException:
        engines.stop(0)
        raise
    return engines


def running(data: Path) -> dict[str, object] | None:
    """What the owner of the data folder has announced, or None when nobody runs."""
    if not data.is_dir():
        return None
    if (lock := _lock(data)) is not None:
        os.close(lock)
        return None
    try:
        state = json.loads((data / RUNNING).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def _announced(data: Path) -> dict[str, object]:
    """Like `running`, giving an owner that has just started the time to open its engines."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if state := running(data):
            return state
        time.sleep(0.1)
    raise _in_use(data)


def _lock(data: Path, patience: float = 0.0) -> int | None:
    """The data folder's lock, which the system drops when its holder dies; None when somebody has
    it.

    `patience` in seconds outlasts those who only look whether somebody has it.
    """
    path = data / "heatops.lock"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain(error, path) from None
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            return None
        return descriptor


def _in_use(data: Path) -> UserError:
    try:
        state = json.loads((data / RUNNING).read_text("utf-8"))
        where = f" (process {state['pid']}{', ' + state['url'] if state['url'] else ''})"
    except (OSError, ValueError, KeyError, TypeError):
        where = ""
    return UserError(
        "data_in_use",
        f"Another heatops is running on the data in {data}{where}.",
        "Stop that one first, or set HEATOPS_DATA to another folder for a second installation.",
    )
