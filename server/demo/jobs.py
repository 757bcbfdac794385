"""A ticket as the demo's people last saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.demo.calls import Body
from server.demo.fleet import At
from server.demo.weather import local

MINUTE, HOUR = 60.0, 3600.0
LONG_S = 18 * HOUR
"""A blue ticket that waited so long goes before its turn."""
HOME_HOURS = (8, 21)
_URGENCY = {"red": 0, "yellow": 1, "blue": 2}
_PLACED = frozenset({"flat", "unit", "building"})


@dataclass(slots=True)
class Job:
    """A ticket as the demo last saw it."""

    id: str
    version: int
    state: str
    level: str
    kind: str
    at: At
    substation: bool
    """The ticket stands at a substation: the fault of the day."""
    since: float
    """Business time of the last step that the demo knows of."""
    district: str | None = None
    placed: bool = True
    """Its door is known; else it waits for whoever finds it."""
    crew: str | None = None
    with_crew: str | None = None
    work: Body = field(default_factory=dict)
    """What it asks of a crew; empty where nobody has said."""
    permits: dict[str, float] = field(default_factory=dict)
    """Permit -> until when it holds."""
    parts_at: float | None = None
    """It waits for parts that are expected then."""
    appointed: Body | None = None
    """The window that was agreed for the visit."""
    reopened: bool = False
    """The work was not well done the first time."""
    waiting: bool = False
    """A call is on its way."""
    stale: bool = False
    """It must be read again before the next act."""
    not_before: float = 0.0
    tried: set[str] = field(default_factory=set)
    """What is done once, whatever comes of it."""
    seen: Body | None = None
    """The proposal that lies before the dispatcher."""

    @property
    def crews(self) -> tuple[str, ...]:
        """Those who have it."""
        return tuple(c for c in (self.crew, self.with_crew) if c)

    @property
    def minutes(self) -> float | None:
        """How long the work takes on site, as planned."""
        return self.work.get("minutes")

    def may_begin(self, at: float) -> bool:
        """Whether the resident opens the door at this time."""
        if self.level == "red" or not self.work.get("home_visit"):
            return True
        if self.appointed:
            return bool(at >= self.appointed["from_at"])
        return HOME_HOURS[0] <= local(at)[1] < HOME_HOURS[1]

    def update(self, ticket: Body, at: float) -> None:
        """Take the ticket as the API shows it."""
        state = ticket["state"]
        if self.state != state:
            self.since = at
        given = state not in {"received", "accepted"}
        self.version, self.state, self.level = ticket["version"], state, ticket["level"]
        self.placed = ticket.get("precision", "building") in _PLACED
        self.crew = ticket.get("crew") if given else None
        self.with_crew = ticket.get("with_crew") if given else None
        self.work = ticket.get("work") or {}
        held: Sequence[Body] = ticket.get("permits") or ()
        self.permits = {p["permit"]: p["valid_until"] for p in held}
        wait = ticket.get("parts_wait")
        self.parts_at = wait["expected_at"] if wait else None
        self.appointed = ticket.get("appointed")
        self.reopened = bool(ticket.get("reopened"))
        self.waiting, self.stale, self.seen = False, False, None

    def rest(self, until: float) -> None:
        """Nobody looks at it before then, and then with fresh eyes."""
        self.waiting, self.seen, self.not_before = False, None, until


def first_seen(ticket: Body, at: float) -> Job:
    """A new ticket, or one that another process knew: of its past only the age counts."""
    early = ticket["state"] in {"received", "accepted"}
    return Job(
        id=ticket["id"],
        version=ticket["version"],
        state=ticket["state"],
        level=ticket["level"],
        kind=ticket["kind"],
        at=(float(ticket["lon"]), float(ticket["lat"])),
        district=ticket.get("district"),
        substation="换热站" in ticket["address"] and ticket["building"] is None,
        since=float(ticket["received_at"]) if early else at,
    )


def urgency(job: Job, at: float) -> int:
    """Red, then yellow and what has waited long, then blue."""
    return 1 if at - job.since > LONG_S and job.level != "red" else _URGENCY[job.level]
