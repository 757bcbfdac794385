"""What was asked and what was acknowledged: the account that the installation is held to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Acknowledged(NamedTuple):
    """One answered command about a ticket; `at` is system time after the answer had come. `own`:
    of a ticket that one writer has to itself, so that every version of it is answered for."""

    at: float
    key: str
    ticket: str
    version: int
    own: bool = True


class Given(NamedTuple):
    """One answered command of a dispatcher: the kind of fact that it made of a ticket."""

    ticket: str
    kind: str


class Applied(NamedTuple):
    """One answered application; `duplicate`: it was counted on the one that was open."""

    household: str
    application: str
    duplicate: bool


@dataclass
class Ledger:
    """Grows over all scenarios of an installation."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Of every command that was carried out."""
    ending: set[str] = field(default_factory=set)
    """Tickets whose end has been asked for: their rows may go."""
    calls: Counter[str] = field(default_factory=Counter)
    """Answered calls by household."""
    applied: list[Applied] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    """Applications that were taken back, with an answer."""
    cases: dict[str, list[str]] = field(default_factory=dict)
    """Every answered case id by the origin's number."""
    signed: set[str] = field(default_factory=set)
    """Cases that were signed for: the origin is owed a message."""
    given: Counter[Given] = field(default_factory=Counter)
    """Every fact that dispatchers were answered for, of the tickets that gave way too."""
    doubtful: dict[str, Any] = field(default_factory=dict)
    """Commands by key that were refused when they were sent again: an earlier try may have been
    carried out, and was never answered."""
    refused: set[str] = field(default_factory=set)
    """Keys that were answered with a refusal."""
    asked: int = 0
    """Doors that were knocked at, numbered."""
    retried: int = 0
    surprises: list[str] = field(default_factory=list)
    """Answers that no correct installation gives."""
