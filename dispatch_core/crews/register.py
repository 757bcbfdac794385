"""A crew's entry in the register."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from dispatch_core.commands import RegisterCrew
from dispatch_core.crews.state import Crew, apply
from dispatch_core.errors import Invalid
from dispatch_core.events import CrewRegistered, Event, Pause

MEMBERS_MIN = 2
SKILL = range(1, 6)
BREAK_MINUTES = range(5, 241)
T = TypeVar("T")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def register(crew: Crew | None, command: RegisterCrew) -> list[Event]:
    """The fact that the crew's data makes; none where all is so. What is None stays as it is.

    Raises Invalid `bad_crew`.
    """
    if command.members < MEMBERS_MIN or not command.name or not command.trades:
        raise Invalid(
            "bad_crew",
            "A crew has a name, a trade, and two or more people.",
            "Complete the crew's data.",
        )
    if command.skill is not None and command.skill not in SKILL:
        raise Invalid("bad_crew", f"Skill {command.skill} is none.", "Skill levels are 1 to 5.")
    for pause in command.breaks or ():
        _check_break(pause)
    base = command.base or (crew.base if crew else None)
    event = CrewRegistered(
        name=command.name,
        trades=list(command.trades),
        certificates=command.certificates,
        members=command.members,
        vehicle=command.vehicle,
        shift=command.shift,
        skill=_told(command.skill, crew.skill if crew else 3),
        territory=_told(command.territory, crew.territory if crew else []),
        base_lon=base.lon if base else None,
        base_lat=base.lat if base else None,
        breaks=_told(command.breaks, crew.breaks if crew else []),
        equipment=_told(command.equipment, crew.equipment if crew else []),
    )
    if crew is not None and apply(crew, event, 0) == msgspec.structs.replace(
        crew, version=crew.version + 1
    ):
        return []
    return [event]


def _told(said: T | None, before: T) -> T:
    return before if said is None else said


def _check_break(pause: Pause) -> None:
    if not (_TIME.fullmatch(pause.after) and _TIME.fullmatch(pause.before)):
        raise Invalid(
            "bad_crew", "A break begins between two times of the day.", "Write them as 11:30."
        )
    if pause.minutes not in BREAK_MINUTES:
        raise Invalid(
            "bad_crew", f"A break of {pause.minutes} minutes is none.", "5 to 240 minutes."
        )
