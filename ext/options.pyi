"""What an answer of ext.insertion tells: crews with their reasons, and who gives way or waits."""

from typing import final

import numpy as np
from numpy.typing import NDArray

_I32 = NDArray[np.int32]
_I64 = NDArray[np.int64]
_U32 = NDArray[np.uint32]

@final
class Displaced:
    """A visit that gives way."""

    @property
    def ticket(self) -> int: ...
    @property
    def level(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def crew(self) -> int:
        """Who had it."""

    @property
    def was(self) -> int:
        """When its work would have started."""

    @property
    def to_crew(self) -> int:
        """Who gets it, -1: nobody; the same crew when it comes later in the same route."""

    @property
    def position(self) -> int:
        """Before which visit of that crew's new route it goes, -1."""

    @property
    def start(self) -> int:
        """When its work starts then; NEVER without a crew."""

    @property
    def late(self) -> int:
        """Seconds after its due time."""

    @property
    def why(self) -> int:
        """PLACED, NO_CREW or NO_TIME."""

@final
class Delayed:
    """A visit that keeps its crew and gains lateness."""

    @property
    def ticket(self) -> int: ...
    @property
    def crew(self) -> int: ...
    @property
    def was(self) -> int:
        """Start of work as planned."""

    @property
    def start(self) -> int:
        """Start of work then."""

    @property
    def late_before(self) -> int: ...
    @property
    def late(self) -> int:
        """Seconds late then: it breaches newly where `late_before` is 0."""

@final
class Option:
    """One crew for the ticket."""

    @property
    def crew(self) -> int: ...
    @property
    def position(self) -> int:
        """How many of the visits that the crew keeps come before it."""

    @property
    def arrival(self) -> int:
        """When the crew is there."""

    @property
    def start(self) -> int:
        """When work starts: arrival, the window, or what the crew must wait for (`ready`)."""

    @property
    def drive(self) -> int:
        """Seconds of the way to the ticket."""

    @property
    def late(self) -> int:
        """Seconds after the ticket's due time."""

    @property
    def newly_late(self) -> int:
        """How many other tickets breach their due time that did not before, displaced ones too
        (one that is left without a crew breaches when it has a due time)."""

    @property
    def score(self) -> tuple[int, ...]:
        """The parts of SCORE."""

    @property
    def total(self) -> int:
        """Sum of weight x part."""

    @property
    def levels(self) -> int:
        """Displaced visits by level, four bits each, the more urgent the higher."""

    @property
    def unplanned(self) -> int:
        """Displaced visits left without a crew, counted likewise."""

    @property
    def route(self) -> tuple[int, ...]:
        """The crew's visits in order, the ticket among them: what to give to Plan.set_route; the
        displaced that come back to this crew are in it."""

    @property
    def displaced(self) -> tuple[Displaced, ...]: ...
    @property
    def delayed(self) -> tuple[Delayed, ...]: ...

@final
class Answer:
    """What `propose` found."""

    @property
    def options(self) -> tuple[Option, ...]:
        """The best first; empty when nobody can."""

    @property
    def broken(self) -> _U32:
        """Of every crew (K): the rules it breaks as they were given, and NO_POSITION."""

    @property
    def totals(self) -> _I64:
        """Of every crew (K): the total of its best plain insertion; NONE without one."""

    @property
    def starts(self) -> _I32:
        """Of every crew (K): when work would start by that; NEVER without one."""
