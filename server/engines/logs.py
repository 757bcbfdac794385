"""The engines' log files: appended, and turned over at start when they have grown."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from server.engines.places import explain

LARGEST = 4 * 2**20


def open_log(path: Path) -> BinaryIO:
    """`path` open for appending; what was longer than 4 MiB becomes `path`.1, of which there is
    one.

    Raises:
        UserError: `data_unwritable`, `disk_full`.
    """
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGEST:
            path.replace(path.with_name(path.name + ".1"))
        return path.open("ab")
    except OSError as error:
        raise explain(error, path) from None
