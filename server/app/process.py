"""What every process sets up for itself before it begins."""

from __future__ import annotations

import contextlib
import logging
import resource

from server.settings import Settings


def many_files() -> None:
    """A socket is a file: as many as this account may have, not the shell's usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def start_logging(settings: Settings) -> None:
    """Log lines of this process go to standard error, at the level that was chosen."""
    # A pool that cannot connect says so with a traceback each time; our own line says it once.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
