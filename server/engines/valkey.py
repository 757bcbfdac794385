"""The embedded Valkey: a cache of sealed batches that may be wiped at any time, so it keeps nothing
on disk."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from server.engines.children import spawn
from server.engines.locate import Program
from server.engines.logs import open_log
from server.engines.places import Account, reachable_server
from server.settings import UserError

START_TIMEOUT = 20.0

CONF = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    # Streams are trimmed by their writer; should anything leak all the same, the oldest use goes
    # and is refilled.
    "maxmemory-policy": "allkeys-lru",
    "loglevel": "warning",
}


class Valkey:
    """One server reached through a socket only."""

    def __init__(
        self, program: Program, data: Path, sockets: Path, account: Account | None
    ) -> None:
        self.program = program
        self._data = data
        self._sockets = sockets
        self._socket = sockets / "valkey.sock"
        self._account = account
        self._server = reachable_server(program, account, data)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For redis-py."""
        return f"unix://{quote(str(self._socket), safe='/')}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            UserError: `engine_failed`, `disk_full`, `data_unwritable`.
        """
        self._socket.unlink(missing_ok=True)
        command: list[str | Path] = [
            self._server,
            "--unixsocket",
            self._socket,
            "--dir",
            self._sockets,
        ]
        for name, value in CONF.items():
            command += [f"--{name}", value]
        log = self._data / "logs" / "valkey.log"
        with open_log(log) as output:
            began = output.seek(0, os.SEEK_END)
            self._process = spawn(
                command, death_signal=signal.SIGKILL, account=self._account, output=output
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop(0.2)
                raise self._failure(log, began)
            time.sleep(0.005)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self._socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self, within: float) -> None:
        """Stop within about `within` seconds, by force if need be: nothing on disk depends on
        it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    def _failure(self, log: Path, began: int) -> UserError:
        with log.open("rb") as file:
            file.seek(began)
            lines = file.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1].strip() if lines else "it did not answer in time"
        return UserError(
            "engine_failed",
            f"{self.program.name} {self.program.version} did not start: {reason.rstrip('.')}."
            f" The log is {log}.",
            "Mend what it names and start again.",
        )
