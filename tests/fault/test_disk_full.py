"""The database's disk runs full under a stream of commits, and is emptied again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from chaos_checks import (
    check_intake,
    check_journal,
    check_layers,
    check_log,
    check_messages,
    check_screens,
)
from chaos_dispatch import check_dispatch, open_crews
from chaos_intake import fill_register
from chaos_ledger import Ledger
from chaos_traffic import Traffic
from installation import Installation, apart, wait_until

from server.adapters.clock import set_clock
from server.engines import open_engines
from server.settings import Settings, UserError

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk"),
]

AUGUST = datetime(2026, 8, 15, 2, tzinfo=UTC)
"""When households can still apply for a stop."""
DISK_MB = 400


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with TemporaryDirectory(prefix="heatops-full-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        disk = Path(folder) / "data"
        disk.mkdir(mode=0o711)
        options = f"size={DISK_MB}m,mode=711"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("this machine does not let root mount")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing goes any more."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def tend(installation: Installation) -> bool:
    """What `heatops up` does: start again what has died. True when everything runs."""
    try:
        installation.engines.restart_dead()
    except UserError as error:
        assert error.code == "disk_full", error.message  # noqa: PT017 - no other is expected
        print(error.message)
    for process in (*installation.webs, *installation.cores):
        if not process.alive:
            print(f"{process.name} had ended")
            process.start()
    return installation.engines.postgres.pid is not None


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Path) -> None:
    book = Ledger()
    with open_engines(Settings(data=small_disk)) as engines:
        installation = Installation(engines, small_disk, webs=2, cores=1, redis_db=0)
        company = installation.company("full", "满盘热力")
        fill_register(installation.database_url, company)
        apart(set_clock(installation.database_url, AUGUST, 1.0))
        try:
            installation.start()
            with closing(installation.sign_in("full")) as person:
                cookies = dict(person.cookies)
                open_crews(person, book)
            with Traffic(installation.urls, cookies, book) as traffic:
                time.sleep(2)
                filler = fill(small_disk)
                until = time.monotonic() + 10
                while time.monotonic() < until:
                    tend(installation)
                    time.sleep(0.5)
                refused, during = book.retried, book.surprises[:3]
                filler.unlink()
                wait_until(lambda: tend(installation), "everything runs again", every=0.5)
                before = len(book.keys)
                wait_until(lambda: len(book.keys) > before + 50, "commands go on")
                traffic.quiet()
                check_screens(installation, company, traffic.screens)
            print(f"{refused} answers were refusals; {len(book.keys)} acknowledged")
            assert not during, during
            assert not book.surprises, book.surprises[:3]
            assert refused
            check_journal(installation, company, book)
            check_dispatch(installation, company, book)
            check_intake(installation, company, book)
            check_messages(installation, company, "full", book)
            check_layers(installation, company)
            check_log(installation, company)
        finally:
            installation.stop()
