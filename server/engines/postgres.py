"""The embedded PostgreSQL: created, started, recovered after a crash, stopped in a bounded time."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from server.engines import leftovers
from server.engines.children import spawn
from server.engines.locate import Program
from server.engines.logs import open_log
from server.engines.places import (
    Account,
    disk_full,
    explain,
    make_own_folder,
    need_space,
    reachable_server,
)
from server.settings import UserError

OWNER = "postgres"
DATABASE = "heatops"
START_TIMEOUT = 120.0
"""Seconds; crash recovery replays at most max_wal_size, which takes a few."""

# For a machine of 2 cores shared with our own processes. Durability stays as shipped: fsync and
# synchronous_commit are on.
CONF: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "heatops",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "synchronous_commit": "on",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "5min",
    "random_page_cost": "1.1",
    "jit": "off",  # costs more than it saves on short statements
    "max_parallel_workers_per_gather": "0",  # the other core is ours; containers lack /dev/shm
    "autovacuum_naptime": "10s",  # outbox and layer_row churn all day
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_min_messages": "log",  # the caller gets its errors; here they would fill the disk
    "log_checkpoints": "off",
}


class Postgres:
    """One cluster below the data folder, reached through a socket only."""

    def __init__(
        self,
        program: Program,
        data: Path,
        sockets: Path,
        account: Account | None,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        self.program = program
        self._data = data
        self._cluster = data / f"pg{program.major}"
        self._sockets = sockets
        self._account = account
        self._conf = {**CONF, **(conf or {})}
        self._server = reachable_server(program, account, data)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The owner's DSN."""
        return (
            f"postgresql://{OWNER}@/{DATABASE}?host={quote(str(self._sockets), safe='/')}&port=5432"
        )

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Create the cluster if there is none, then start it and wait until it takes connections.

        Raises:
            UserError: `engine_version`, `disk_full`, `data_unwritable`, `engine_failed`.
        """
        if not (self._cluster / "PG_VERSION").exists():
            self._refuse_other_versions()
            self._create()
        need_space(self._data, 48)
        leftovers.clear(self._cluster)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self._sockets / name).unlink(missing_ok=True)
        self._start()

    def _start(self) -> None:
        command: list[str | Path] = [
            self._server,
            "-D",
            self._cluster,
            "-k",
            self._sockets,
            "-p",
            "5432",
        ]
        for name, value in self._conf.items():
            command += ["-c", f"{name}={value}"]
        log = self._data / "logs" / "postgres.log"
        with open_log(log) as output:
            began = output.seek(0, os.SEEK_END)
            self._process = spawn(
                command,
                # Immediate shutdown when we die: gone at once, and the write-ahead log brings all
                # back.
                death_signal=signal.SIGQUIT,
                account=self._account,
                output=output,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            if self._process.poll() is not None:
                raise self._failure(log, began)
            if time.monotonic() > deadline:
                self.stop(0)
                raise self._failure(log, began)
            time.sleep(0.01)

    def _ready(self) -> bool:
        """The postmaster writes its state as the eighth line of its pid file."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        ours = self._process is not None and lines[:1] == [str(self._process.pid)]
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def stop(self, within: float) -> None:
        """Stop in about `within` seconds: fast first (with a checkpoint), then at once, then by
        force."""
        process, self._process = self._process, None
        if process is None:
            return
        steps = ((signal.SIGINT, within), (signal.SIGQUIT, 0.4), (signal.SIGKILL, 5.0))
        for number, seconds in steps:
            process.send_signal(number)
            try:
                process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue

    def _refuse_other_versions(self) -> None:
        for found in sorted(self._data.glob("pg*/PG_VERSION")):
            other = found.parent.name.removeprefix("pg")
            if not other.isdecimal():  # an interrupted draft
                continue
            raise UserError(
                "engine_version",
                f"The data in {self._data} was written by PostgreSQL {other}; the one found here is"
                f" {self.program.version}.",
                f"Install PostgreSQL {other} and set HEATOPS_DATABASE_URL to it, move the data with"
                " pg_dump and pg_restore, or begin anew with HEATOPS_DATA set to an empty folder.",
            )

    def _create(self) -> None:
        """initdb into a draft that gets its name when it is whole, so that an interrupted one
        leaves nothing."""
        need_space(self._data, 200)
        draft = self._cluster.with_name(self._cluster.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        make_own_folder(draft, self._account)
        # pg_trgm asks LC_CTYPE, not the provider, what a letter is: under plain C no Chinese text
        # resembles another.
        ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        locale = ["--locale=C", f"--lc-ctype={ctype}"]
        if self.program.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = ["--no-sync"] if self._conf.get("fsync") == "off" else []
        initdb: list[str | Path] = [self._server.with_name("initdb"), "-D", draft, "-U", OWNER]
        initdb += ["-E", "UTF8", "--data-checksums", "-A", "trust", *locale, *sync]
        self._run(initdb)
        single: list[str | Path] = [
            self._server,
            "--single",
            "-D",
            draft,
            *sync_option(sync),
            "postgres",
        ]
        self._run(single, f"CREATE DATABASE {DATABASE}\n")
        try:
            draft.rename(self._cluster)
        except OSError as error:
            raise explain(error, self._cluster) from None

    def _run(self, command: list[str | Path], text: str = "") -> None:
        account = self._account
        done = subprocess.run(  # noqa: S603 - the engine's own binaries
            command,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            check=False,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0 or "FATAL" in done.stderr or "ERROR" in done.stderr:
            raise self._explain(done.stderr or done.stdout, "")

    def _failure(self, log: Path, began: int) -> UserError:
        with log.open("rb") as file:
            file.seek(began)
            text = file.read()[-20_000:].decode("utf-8", "replace")
        return self._explain(text, f" The log is {log}.")

    def _explain(self, text: str, where: str) -> UserError:
        """What a failed engine wrote, as a failure the user understands."""
        if "No space left on device" in text or "Disk quota exceeded" in text:
            return disk_full(self._data)
        said = re.findall(r"(?:FATAL|PANIC|ERROR|error): +(.+)", text)
        reason = said[-1] if said else "it did not become ready in time"
        return UserError(
            "engine_failed",
            f"PostgreSQL {self.program.version} did not start: {reason.rstrip('.')}.{where}",
            "Mend what it names and start again; the data is left as it is.",
        )


def sync_option(flags: list[str]) -> list[str]:
    """The server's own option for what `--no-sync` is to initdb."""
    return ["-F"] if flags else []
