"""The file of refused rows: why each was refused, what to do, and its cells as they stood."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.adapters.imports.rows import Reject
from server.settings import UserError
from server.sources.tables.cells import defused
from server.sources.tables.mapping import REJECT_COLUMNS


class Rejects:
    """Made with the first refused row, so that a clean import leaves none. Readable by its owner
    only: rows hold residents."""

    def __init__(self, path: Path, header: Sequence[str] = ()) -> None:
        self.path, self.count = path, 0
        self._header = [c for c in header if c not in REJECT_COLUMNS]
        self._kept = [i for i, c in enumerate(header) if c not in REJECT_COLUMNS]
        self._wide = len(header)
        self._file: Any = None
        self._writer: Any = None
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def add(self, reject: Reject, cells: Sequence[str] = ()) -> None:
        """One more row; a spreadsheet takes none of its cells for a formula."""
        kept = [cells[i] for i in self._kept if i < len(cells)] + list(cells[self._wide :])
        try:
            if self._file is None:
                self._open()
            self._writer.writerow((*reject, *(defused(c) for c in kept)))
        except OSError as error:
            raise self._unwritable(error) from None
        self.count += 1

    def _open(self) -> None:
        descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        # with a byte order mark, so that spreadsheets show Chinese
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow((*REJECT_COLUMNS, *self._header))

    def close(self) -> None:
        """Everything is on its way to the disk."""
        if self._file is not None:
            self._file.close()

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            "rejects_unwritable",
            f"The refused rows cannot be written to {self.path}: {error.strerror}.",
            "Free some space there, or import a copy from a folder you may write to.",
        )
