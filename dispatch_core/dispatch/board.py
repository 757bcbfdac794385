"""The inputs laid out for decisions: who stands where and when, who may do what, how far it is.

Times are seconds after `inputs.at`; crews and tickets are numbered in the order of the inputs, that
of their ids, so that ties fall the same way every time.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.daytime import Rest, Window, breaks_of
from dispatch_core.dispatch.inputs import InHand, Inputs, Spot, Task, Team
from dispatch_core.dispatch.places import Seconds, seconds_between
from dispatch_core.events import Span
from dispatch_core.ids import CrewId, RuleCode, TicketId
from geo import travel

NOWHERE = Spot(0, 0)
DEPTH: dict[str, int] = {"on_site": 0, "en_route": 1, "confirmed": 2, "dispatched": 3}
FAR = 2**25
"""Later than every time of a plan, seconds."""


class Standing(NamedTuple):
    """A crew as it can be counted on."""

    team: Team
    spot: Spot
    free_at: int
    """From when it can leave there."""
    end_at: int
    """By when its last visit is over; before `free_at`: it takes nothing."""
    now: RuleCode | None
    """What keeps it from a ticket now."""
    later: RuleCode | None
    """What keeps it from the plan: a shift that begins soon does not."""
    doubt_s: int
    """How much its place adds to what an arrival may be off."""
    rests: list[Rest]
    """Breaks still to come."""
    rested: list[Span]
    """Breaks of its shift that it has begun."""
    begun: list[InHand]
    """On site, driven to, taken: in the order in which they are done."""


class Board:
    """One moment's inputs, laid out. Raises ValueError where an id stands twice."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.task_row: dict[TicketId, int] = {t.ticket: j for j, t in enumerate(inputs.tasks)}
        self.team_row: dict[CrewId, int] = {t.crew: k for k, t in enumerate(inputs.teams)}
        if len(self.task_row) != len(inputs.tasks) or len(self.team_row) != len(inputs.teams):
            raise ValueError("a ticket or a crew stands twice in the inputs")
        self._told = {held.crew: held.breaks for held in inputs.held}
        self.timings = [rules.timing(task, inputs) for task in inputs.tasks]
        self.crews = [self._standing(team) for team in inputs.teams]
        self.skills_over: dict[tuple[int, tuple[str, ...]], NDArray[np.int32]] = {}
        """Skill and certificates of work -> what each crew can do beyond them, int32 (K)."""
        self._registers: dict[tuple[object, ...], NDArray[np.uint32]] = {}

    # -------------------------------------------------------- crews

    def _standing(self, team: Team) -> Standing:
        inputs = self.inputs
        ahead = inputs.policy.rounds.ahead_s
        shift = rules.shift_of(team, inputs)
        begun = sorted(
            (h for h in team.in_hand if self._has_begun(h)),
            key=lambda h: (DEPTH[h.stage], h.since_at, h.ticket),
        )
        spot, doubt = team.base if not team.on_duty else team.place or team.base, 0
        on_site = begun and begun[0].stage == "on_site"
        if on_site:
            spot = self.task(begun[0].ticket).target or spot
        elif team.on_duty and team.place is None:
            doubt = inputs.position_discount_s
        elif rules.is_doubtful(team, inputs):
            doubt = min(team.fix_age_s or 0, inputs.position_exclude_s)
        free = doubt if team.on_duty or shift is None else max(0, self.after(shift.begins))
        rested = [] if shift is None else self._rested(team, shift.begins)
        return Standing(
            team=team,
            spot=spot or NOWHERE,
            free_at=max([free, *(self.after(rest.until_at) for rest in rested)]),
            end_at=-1 if shift is None else self.after(shift.ends),
            now=rules.of_crew(team, inputs),
            later=rules.of_crew(team, inputs, ahead_s=ahead),
            doubt_s=doubt,
            rests=[] if shift is None else self._rests(team, shift, rested),
            rested=rested,
            begun=begun,
        )

    def _has_begun(self, held: InHand) -> bool:
        """Whether a crew is at a ticket or on its way; what it took for a later hour waits."""
        if held.stage == "dispatched" or held.ticket not in self.task_row:
            return False
        soon = self.inputs.at + self.inputs.policy.churn.frozen_within_s
        opens = self.timings[self.task_row[held.ticket]].earliest
        return held.stage == "on_site" or opens <= soon

    def _rests(self, team: Team, shift: Window, rested: list[Span]) -> list[Rest]:
        """Breaks still to come, in seconds after the inputs'."""
        inputs, taken = self.inputs, [rest.from_at for rest in rested]
        found = breaks_of(team.breaks, shift, inputs.at, inputs.utc_offset_s, taken)
        return [Rest(r.begins - inputs.at, r.ends - inputs.at, r.lasts) for r in found]

    def _rested(self, team: Team, since: int) -> list[Span]:
        """Breaks that were told to a crew and have begun; one that runs while the crew drives or
        works was not taken."""
        at = self.inputs.at
        works = any(h.stage in {"en_route", "on_site"} for h in team.in_hand)
        return [
            rest
            for rest in self._told.get(team.crew, [])
            if since <= rest.from_at <= at and not (works and rest.until_at > at)
        ]

    def after(self, at: int) -> int:
        """A time as seconds after the inputs', never beyond FAR either way."""
        return max(-FAR, min(FAR, at - self.inputs.at))

    @cached_property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From when, and until when, each crew can work, int64 (K) each."""
        free = np.array([crew.free_at for crew in self.crews], np.int64)
        return free, np.array([crew.end_at for crew in self.crews], np.int64)

    # -------------------------------------------------------- tickets

    def task(self, ticket: TicketId) -> Task:
        """The ticket. Raises KeyError for one that is not among the inputs."""
        return self.inputs.tasks[self.task_row[ticket]]

    def service(self, task: Task) -> int:
        """Seconds of work that a ticket still takes; all of it again where the crew on site can
        work no more."""
        lasts = task.work.minutes * 60
        team = self.inputs.teams[self.team_row[task.crew]] if task.crew in self.team_row else None
        if task.state != "handling" or team is None or team.stopped:
            return lasts
        for held in team.in_hand:
            if held.ticket == task.ticket and held.stage == "on_site":
                left = held.since_at + lasts - self.inputs.at
                return max(self.inputs.policy.overrun_s, min(lasts, left))
        return lasts

    def late_cost(self, task: Task) -> int:
        """Thousandths of a second of travel that a second of its lateness counts."""
        return self.inputs.policy.weights.lateness.of(task.level)

    def for_two(self, j: int) -> bool:
        """Whether two crews are needed, or were given the ticket."""
        return self.inputs.tasks[j].work.crews > 1 or len(self.holders.get(j, ())) > 1

    # -------------------------------------------------------- rules

    @cached_property
    def masks(self) -> NDArray[np.uint32]:
        """What keeps each ticket from each crew in a plan, uint32 (J, K), bits of `rules.BIT`."""
        rows = [self.broken(j, planning=True) for j in range(len(self.inputs.tasks))]
        return np.array(rows, np.uint32).reshape(len(rows), len(self.crews))

    def broken(self, j: int, *, planning: bool) -> NDArray[np.uint32]:
        """Of every crew the rules that keep it from a ticket, uint32 (K).

        A crew that has the ticket in hand breaks none but those of the crew itself: people sent it.
        In a plan a crew may have more tickets than it may be given now.
        """
        task = self.inputs.tasks[j]
        mask = self._register(task).copy()
        for_all = rules.of_ticket(task, self.inputs)
        if for_all is not None:
            mask |= np.uint32(rules.BIT[for_all])
        holders = self.holders.get(j, ())
        if not planning:
            mask |= self._full
        if task.work.parts:
            lacking = [self.lacks_parts(task, crew) for crew in self.crews]
            mask[lacking] |= np.uint32(rules.BIT["parts"])
        mask[list(holders)] = 0
        mask |= self._own[planning]
        if task.pinned is not None:
            others = [rules.pinned_elsewhere(task, crew.team) for crew in self.crews]
            mask[others] |= np.uint32(rules.BIT["pinned_elsewhere"])
        return mask

    @cached_property
    def holders(self) -> dict[int, list[int]]:
        """Row of a ticket -> the crews that people gave it to."""
        found: dict[int, list[int]] = {}
        for k, crew in enumerate(self.crews):
            for held in crew.team.in_hand:
                if held.ticket in self.task_row:
                    found.setdefault(self.task_row[held.ticket], []).append(k)
        return found

    @cached_property
    def _own(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """What keeps each crew from everything, now and in the plan."""
        now = [rules.BIT[crew.now] if crew.now else 0 for crew in self.crews]
        later = [rules.BIT[crew.later] if crew.later else 0 for crew in self.crews]
        return np.array(now, np.uint32), np.array(later, np.uint32)

    @cached_property
    def _full(self) -> NDArray[np.uint32]:
        most = self.inputs.policy.rules.in_hand_max
        full = [len(crew.team.in_hand) >= most for crew in self.crews]
        return np.array(full, np.uint32) * np.uint32(rules.BIT["full"])

    def _register(self, task: Task) -> NDArray[np.uint32]:
        """What the register says of every crew: the same for all tickets that ask the same."""
        work, inputs = task.work, self.inputs
        guard = "confined_space" in work.permits
        named = guard and rules.valid_permit(task, "confined_space", inputs.at)
        begins = self.timings[self.task_row[task.ticket]].earliest
        key = (
            work.trade, tuple(work.certificates), work.skill, tuple(work.vehicle), task.district,
            guard, bool(named and named.guard), rules.is_night(inputs, begins),
        )  # fmt: skip
        found = self._registers.get(key)
        if found is None:
            codes = (rules.of_pair(task, team, inputs, begins) for team in inputs.teams)
            bits = [rules.BIT[code] if code else 0 for code in codes]
            found = self._registers[key] = np.array(bits, np.uint32)
        return found

    # -------------------------------------------------------- parts

    @cached_property
    def spoken_for(self) -> list[dict[str, int]]:
        """Of every crew the parts that its tickets in hand take from the van, part -> pieces."""
        return [self._spoken(team) for team in self.inputs.teams]

    def _spoken(self, team: Team) -> dict[str, int]:
        taken: dict[str, int] = {}
        for held in team.in_hand:
            if held.ticket in self.task_row:
                for part, n in self.task(held.ticket).work.parts.items():
                    taken[part] = taken.get(part, 0) + n
        return taken

    def missing(self, task: Task, crew: Standing) -> int | None:
        """Kinds of part that the crew lacks on its van for the ticket; None: nobody knows."""
        spoken = self.spoken_for[self.team_row[crew.team.crew]]
        if self.holds(task, crew):
            own = task.work.parts
            spoken = {part: n - own.get(part, 0) for part, n in spoken.items()}
        return rules.missing_parts(task, crew.team, spoken)

    def lacks_parts(self, task: Task, crew: Standing) -> bool:
        """Whether parts are neither on the van nor in a store on the way."""
        if not self.missing(task, crew):
            return False
        return task.parts_at is not None or not self.stores_for(task)

    def holds(self, task: Task, crew: Standing) -> bool:
        """Whether people gave the ticket to the crew."""
        return any(h.ticket == task.ticket for h in crew.team.in_hand)

    def stores_for(self, task: Task) -> list[int]:
        """The stores (numbers among the inputs) that can give all the parts of a ticket."""
        stores = self.inputs.stores
        if task.parts_store is not None:
            return [s for s, store in enumerate(stores) if store.store == task.parts_store]
        if task.parts_at is not None:
            return []
        return [
            n for n, s in enumerate(stores)
            if all(s.parts.get(part, 0) >= n for part, n in task.work.parts.items())
        ]  # fmt: skip

    # -------------------------------------------------------- places

    @cached_property
    def seconds(self) -> Seconds:
        """Seconds between places, int32 (L, L): crews, tickets, stores, in this order. From where a
        doubtful crew was last seen it takes what nine of ten journeys stay within."""
        inputs = self.inputs
        spots = [crew.spot for crew in self.crews]
        spots += [self._spot_of(j, task) for j, task in enumerate(inputs.tasks)]
        spots += [store.place for store in inputs.stores]
        found = seconds_between(inputs, spots)
        for k, crew in enumerate(self.crews):
            if crew.doubt_s:
                found[k] = travel.late(inputs.travel.model, found[k], inputs.at)
        return found

    def _spot_of(self, j: int, task: Task) -> Spot:
        """Where a ticket is; one without a place that somebody was sent to is where its crew is:
        nobody else is, and the crew's day goes on from there."""
        holders = self.holders.get(j)
        return task.target or (self.crews[holders[0]].spot if holders else NOWHERE)

    def place_of_task(self, j: int) -> int:
        """The row of a ticket in `seconds`."""
        return len(self.crews) + j

    def place_of_store(self, s: int) -> int:
        """The row of a store in `seconds`."""
        return len(self.crews) + len(self.inputs.tasks) + s
