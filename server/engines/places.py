"""Folders and the account of the embedded engines: who owns what, and where sockets fit."""

from __future__ import annotations

import errno
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from server.engines.locate import Program
from server.settings import UserError

ACCOUNTS = ("heatops", "postgres", "nobody")
# sun_path holds 104 bytes on macOS, 108 on Linux; the longest name below the folder is
# ".s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 100 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that runs the engines when we are root."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """An existing unprivileged account when we are root (PostgreSQL refuses to run as root), else
    None.

    Raises:
        UserError: `no_account`.
    """
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise UserError(
        "no_account",
        "PostgreSQL does not run as root, and no account is named heatops, postgres or nobody.",
        "Start as an ordinary user, or make an account: useradd --system heatops.",
    )


def explain(error: OSError, path: Path) -> UserError:
    """An operating system's refusal at `path` in the words of the user."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(path)
    return UserError(
        "data_unwritable",
        f"The folder {path} cannot be used: {error.strerror}.",
        "Give this user the right to write there, or choose another folder with HEATOPS_DATA.",
    )


def disk_full(path: Path) -> UserError:
    """No room left below `path`."""
    return UserError(
        "disk_full",
        f"The disk that holds {path} is full.",
        "Free some space there, or choose a folder on another disk with HEATOPS_DATA.",
    )


def need_space(path: Path, megabytes: int) -> None:
    """Refuse early, in words, rather than in the middle of a write.

    Raises:
        UserError: `disk_full`.
    """
    if shutil.disk_usage(path).free < megabytes * 2**20:
        raise disk_full(path)


def make_data_folder(path: Path, account: Account | None) -> None:
    """Create the data folder; a folder that exists keeps its mode.

    Raises:
        UserError: `data_unwritable`, `data_unreachable`, `disk_full`.
    """
    try:
        if not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            # As root the engines' account passes through here to its own folder, and sees nothing
            # else.
            path.mkdir(mode=0o711 if account else 0o700)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise explain(error, path) from None
    if account and not reachable(path, account):
        raise UserError(
            "data_unreachable",
            f"The account {account.name}, which runs PostgreSQL, cannot reach {path}.",
            "Choose a folder outside of private homes with HEATOPS_DATA.",
        )


def make_own_folder(path: Path, account: Account | None) -> None:
    """Create a folder of mode 0700 that belongs to the engines' account.

    Raises:
        UserError: `data_unwritable`, `disk_full`.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        if account:
            os.chown(path, account.uid, account.gid)
    except OSError as error:
        raise explain(error, path) from None


def socket_folder(data: Path, account: Account | None) -> Path:
    """`data`/run, or a short private folder elsewhere when the sockets' path would be too long for
    the system.

    Raises:
        UserError: `data_unwritable`; `socket_folder_taken`, somebody else owns the short folder.
    """
    folder = data / "run"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        private = os.environ.get("XDG_RUNTIME_DIR", "") if not account else ""
        base = Path(private) if private and Path(private).is_dir() else Path("/tmp")  # noqa: S108 - checked below
        folder = base / f"heatops-{os.geteuid()}-{digest}"
    make_own_folder(folder, account)
    found = folder.lstat()
    owner = account.uid if account else os.geteuid()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != owner
        or stat.S_IMODE(found.st_mode) & 0o077
    ):
        raise UserError(
            "socket_folder_taken",
            f"{folder} belongs to somebody else or is open to others.",
            "Remove it, or choose a shorter data folder with HEATOPS_DATA.",
        )
    return folder


def reachable(path: Path, account: Account) -> bool:
    """Whether the account may pass through every folder above `path` and execute or enter it."""
    return (
        subprocess.run(  # noqa: S603
            ["/usr/bin/env", "test", "-x", path],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            stderr=subprocess.DEVNULL,
        ).returncode
        == 0
    )


def reachable_server(program: Program, account: Account | None, data: Path) -> Path:
    """The server's binary where the account can run it: as installed, or a copy below `data`.

    A virtual environment in a private home cannot be reached by another account. Its folders are
    left as they are.

    Raises:
        UserError: `data_unwritable`, `disk_full`.
    """
    if account is None or reachable(program.server, account):
        return program.server
    digest = hashlib.sha256(os.fsencode(program.tree)).hexdigest()[:8]
    home = data / "engines" / f"{program.name.lower()}-{program.version}-{digest}"
    # Two folders deep, as installed, so that the libraries are found where the binaries look for
    # them.
    copied = home / program.tree.parent.name / program.tree.name
    server = copied / program.server.relative_to(program.tree)
    if server.exists():
        return server
    draft = home.with_name(home.name + ".new")
    try:
        home.parent.mkdir(mode=0o711, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(program.tree, draft / copied.relative_to(home), symlinks=True)
        for library in program.libraries:
            shutil.copytree(library, draft / library.name)
        for folder in (draft, draft / program.tree.parent.name):
            folder.chmod(0o755)
        draft.rename(home)
    except OSError as error:
        raise explain(error, home) from None
    except shutil.Error as error:
        # copytree collects the reasons of many files; they end in the operating system's words.
        raise disk_full(home) if os.strerror(errno.ENOSPC) in str(error) else error from None
    return server
