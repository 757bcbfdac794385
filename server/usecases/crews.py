"""Commands on crews: register, shift, what lies on the van, stopped and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import crews
from dispatch_core.commands import (
    Base,
    CrewBackToWork,
    EndShift,
    RegisterCrew,
    StartShift,
    StockCrew,
    StopCrew,
)
from dispatch_core.crews import Crew, Stopped
from dispatch_core.events import Pause
from dispatch_core.ids import CrewId, CrewState, TicketId, unix
from server.ports import Decision, Loaded, Wanted
from server.usecases.streams import named


class CrewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A crew as its commands answer it; times are Unix seconds."""

    id: CrewId
    version: int
    name: str
    trades: list[str]
    certificates: list[str]
    members: int
    vehicle: str
    shift: str
    state: CrewState
    current: TicketId | None
    tickets: list[TicketId]
    shift_ends_at: int | None
    skill: int
    territory: list[str]
    """Districts it serves by day; empty: the whole city."""
    base: Base | None
    """Where it starts from, WGS-84."""
    breaks: list[Pause]
    equipment: list[str]
    """What the van carries for good."""
    parts: dict[str, int] | None
    """What lies on the van, part -> pieces; null: nobody has said."""
    stopped: Stopped | None
    """It can take no work for now; the tickets in its hands are still with it."""


def answer_of(crew_id: CrewId, crew: Crew) -> CrewAnswer:
    """What a caller is told of a crew."""
    state, current = crew.doing
    return CrewAnswer(
        id=crew_id,
        version=crew.version,
        name=crew.name,
        trades=crew.trades,
        certificates=crew.certificates,
        members=crew.members,
        vehicle=crew.vehicle,
        shift=crew.shift,
        state=state,
        current=current,
        tickets=list(crew.tickets),
        shift_ends_at=crew.shift_ends_at,
        skill=crew.skill,
        territory=crew.territory,
        base=crew.base,
        breaks=crew.breaks,
        equipment=crew.equipment,
        parts=crew.parts,
        stopped=crew.stopped,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCrew:
    """Every command but those of its tickets; where all is so already, nothing is written."""

    crew: CrewId
    command: RegisterCrew | StartShift | EndShift | StockCrew | StopCrew | CrewBackToWork

    def wanted(self) -> Wanted:
        """The crew's stream."""
        return Wanted(streams=(named("crew", self.crew),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The crew's facts."""
        stream = named("crew", self.crew)
        before: Crew | None = loaded.state(stream)[0]
        events = crews.decide(before, self.command, now)
        crew = before
        for event in events:
            crew = crews.apply(crew, event, unix(now))
        if crew is None:
            raise ValueError("no fact, no crew")
        return Decision(
            appends={stream: events} if events else {},
            answer=answer_of(self.crew, crew),
            status=201 if before is None else 200,
            grounds=self._grounds(crew),
            policy=crews.POLICY.version,
        )

    def _grounds(self, crew: Crew) -> str:
        match self.command:
            case StockCrew():
                return "the van was counted"
            case StopCrew():
                still = f"; still in its hands: {', '.join(crew.tickets)}" if crew.tickets else ""
                return f"it can take no work: {self.command.reason_code}{still}"
            case CrewBackToWork():
                return "back at work"
            case RegisterCrew():
                return "the crew's data in the register"
            case StartShift():
                return "the shift began"
            case EndShift():
                return "the shift ended"
