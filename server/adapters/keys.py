"""Secrets on disk: made once, read by every process, never in the database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from server.settings import UserError

NAMES = ("journal", "person", "pseudonym", "blind_index", "app_role", "feed_role")


class Keys:
    """32-byte keys by name, each in its own file of mode 0600 under `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def ensure(self) -> None:
        """Make the keys that are missing. A key is written whole or not at all.

        Raises:
            UserError: `keys_unwritable`, the folder cannot be written.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in NAMES:
                self._make(name)
        except OSError as error:
            raise UserError(
                "keys_unwritable",
                f"The key folder {self._directory} cannot be written: {error.strerror}.",
                "Give this user the right to write there, "
                "or choose another folder with HEATOPS_DATA.",
            ) from None

    def _make(self, name: str) -> None:
        target = self._directory / f"{name}.key"
        if target.exists():
            return
        draft = self._directory / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, target)  # unlike rename, never replaces a key another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def get(self, name: str) -> bytes:
        """The 32 bytes of key `name`.

        Raises:
            UserError: `key_missing`, without which stored data cannot be read.
        """
        try:
            return bytes.fromhex((self._directory / f"{name}.key").read_text().strip())
        except (OSError, ValueError):
            raise UserError(
                "key_missing",
                f"The key {name} in {self._directory} is missing or damaged.",
                "Restore the keys folder from the backup made together with the database.",
            ) from None

    def password(self, name: str) -> str:
        """Key `name` as a password for a database role."""
        return self.get(name).hex()
