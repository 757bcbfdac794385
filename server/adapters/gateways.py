"""Which gateway carries a message: `<data>/gateways.toml`, read again when it changes.

Each `[[gateway]]` names a channel and, if it is meant for some only, a company and a target; the
first that fits carries the message, and without one the file gateway does:

    [[gateway]]
    channel = "case"                # department, case or resident
    target = "hotline_12345"        # left away: every target of the channel
    company = "warm"                # left away: every company
    url = "https://hotline.example/status"
    secret = "at least sixteen characters"
    at_once = 8                     # how many are under way at the same time
    attempts_max = 24               # then the message has failed

    [[gateway]]
    channel = "department"          # without a url: to the file gateway
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec

from dispatch_core.errors import Unavailable
from server.adapters.clock import monotonic
from server.adapters.file_gateway import FileGateway
from server.adapters.message_store import Claimed, Lane, Outcome
from server.adapters.webhook_gateway import Webhook, WebhookGateway

log = logging.getLogger(__name__)

FILE = "gateways.toml"
LOOK_AGAIN_S = 1.0


class Gateway(Protocol):
    """Carries messages. It opens no transaction and answers within the lease of a claim."""

    @property
    def at_most(self) -> int:
        """How many it takes at once."""

    async def carry(self, company: str, messages: Sequence[Claimed]) -> list[Outcome]:
        """Carry messages of one lane of the company with this code; one outcome for each."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[gateway]]` of the file."""

    channel: Literal["department", "case", "resident", "duty"]
    target: str | None = None
    company: str | None = None
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+")] | None = None
    secret: Annotated[str, msgspec.Meta(min_length=16)] | None = None
    at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    attempts_max: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 24

    def __post_init__(self) -> None:
        if (self.url is None) != (self.secret is None):
            raise ValueError("a webhook has a url and a secret; the file gateway has neither")
        if self.channel == "resident" and self.target is not None:
            raise ValueError("residents have no gateway each: leave target away")

    def fits(self, company: str, lane: Lane) -> bool:
        """Whether it carries the messages of this lane."""
        return (
            self.channel == lane.channel
            and self.company in {None, company}
            and (self.target is None or self.target == lane.target)
        )


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    gateway: list[Rule] = []


class Gateways:
    """The gateways of an installation. A file that cannot be used is said once in the log, and the
    last good one stays in force; after a start with such a file nothing is carried, lest it go
    another way than the file meant."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._default = FileGateway(data / "gateway")
        self._rules: list[Rule] | None = None
        """None: no good file, nor none at all, has been seen."""
        self._made: dict[Rule, WebhookGateway] = {}
        self._seen: tuple[int, ...] | None = None
        self._looked_at = float("-inf")

    def of(self, company: str, lane: Lane) -> Gateway:
        """What carries the messages of a lane now. Raises Unavailable `bad_gateways`."""
        self._look()
        if self._rules is None:
            raise Unavailable("bad_gateways", f"{FILE} cannot be used.", "Mend the file.")
        rule = next((r for r in self._rules if r.fits(company, lane)), None)
        if rule is None or rule.url is None or rule.secret is None:
            return self._default
        made = self._made.get(rule)
        if made is None:
            hook = Webhook(rule.url, rule.secret, rule.at_once, rule.attempts_max)
            made = self._made[rule] = WebhookGateway(hook)
        return made

    def _look(self) -> None:
        if monotonic() - self._looked_at < LOOK_AGAIN_S:
            return
        self._looked_at = monotonic()
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            rules = msgspec.toml.decode(self._path.read_bytes(), type=_File).gateway
            self._rules, self._made = rules, {r: g for r, g in self._made.items() if r in rules}
        except FileNotFoundError:
            self._rules, self._made, self._seen = [], {}, None
        except (OSError, ValueError, RecursionError, msgspec.DecodeError) as error:
            kept = (
                "nothing is carried" if self._rules is None else "the last good one stays in force"
            )
            log.error("%s cannot be used, %s: %s", FILE, kept, error)
