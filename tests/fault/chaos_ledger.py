"""What was asked and what was acknowledged: the account that the installation is held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Acknowledged(NamedTuple):
    """One answered command; `at` is system time after the answer had come."""

    at: float
    key: str
    ticket: str
    version: int


@dataclass
class Ledger:
    """Grows over all scenarios of an installation."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    ending: set[str] = field(default_factory=set)
    """Tickets whose end has been asked for: their rows may go."""
    retried: int = 0
    surprises: list[str] = field(default_factory=list)
    """Answers that no correct installation gives."""
