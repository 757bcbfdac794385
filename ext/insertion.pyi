"""One ticket into the crews' plans: the best crews with their reasons, who has to give way, and the
price of another choice. Changes nothing in the Plan: what is chosen goes in by Plan.set_route.

A plain insertion moves no visit to another crew and breaks no hard window. Answers are ordered by
(steps of lateness, levels displaced, levels unplanned, total), then the crew's number, then the
position, then the displaced visits: integers only, ties by number, the same answer every time.
The score compares with the plan without the ticket; `was` and `late_before` are the plan as it is.
"""

import numpy as np
from numpy.typing import NDArray

from ext.options import Answer as Answer
from ext.options import Delayed as Delayed
from ext.options import Displaced as Displaced
from ext.options import Option as Option
from ext.visits import Plan

_I32 = NDArray[np.int32]
_I64 = NDArray[np.int64]
_U32 = NDArray[np.uint32]

SCORE: tuple[str, ...]
"""The score vector's parts, in order; less is better:
travel      seconds of driving that the routes grow by
lateness    seconds the ticket's work starts after its due time
caused      lateness that others gain (or lose), each in its weighted seconds
level       seconds from `now` to the start of work, times the ticket's urgency
load        seconds of driving and work that the crew then has
continuity  as given for the crew: 0 knows the building
skill       as given: skill margin, what the crew can do beyond what is needed
parts       as given: parts that are not on the van
impact      household impact until work starts, thousandths of a degree-hour
churn       what is told anew to people: `churn` of each displaced visit, and of the ticket itself
            when another crew had it"""

PLACED: int
NO_CREW: int
NO_TIME: int
"""Why a displaced visit went where it did (0 to 2): it has a new crew and time; no crew may do it;
none of those who may has room in its windows and shift."""
NO_POSITION: int
"""1 << 31: the bit that `Answer.broken` gets where a crew keeps every rule but has no position that
its windows and shift allow. The caller's bits are 0 to 30."""
NONE: int
"""2**62: the total of a crew that has no plain insertion."""

def propose(
    plan: Plan,
    ticket: int,
    broken: _U32,
    weights: _I64,
    *,
    now: int,
    continuity: _I32 | None = None,
    skill: _I32 | None = None,
    parts: _I32 | None = None,
    ready: _I32 | None = None,
    late_step: int = 60,
    displace: int = 0,
    shortlist: int = 6,
    options: int = 3,
) -> Answer:
    """The best crews for a ticket, with at most `displace` (0 to 8) visits displaced when none that
    breaks no rule can start in time without.

    `broken` uint32 (K) holds each crew's broken rules (0: may), `weights` int64 (10) what each part
    of SCORE counts (0 to 10,000), `continuity`, `skill`, `parts` int32 (K) the parts that are given
    (absent: 0), `ready` int32 (K) from when the crew could work at the ticket (parts from the
    store, a permit; the Plan does not know it: put it into the ticket's `earliest` with the route).
    Lateness counts in whole steps of `late_step` seconds, begun ones too (0: only by its weight;
    then nobody is displaced). A ticket that the plan holds is taken out first, so that answers
    compare. Displaced are only visits of a larger `level` number that are not on site: as few of
    the more urgent as can be, then as few of the others; of each crew the cheapest such set, then,
    for the `shortlist` best crews, each displaced visit goes where it costs least in driving and
    weighted lateness (urgent ones first, by number), and the best of the shortlist are told. Bounds
    prune; the answer does not change by them. Raises ValueError for arrays that do not fit.
    """

def price(
    plan: Plan,
    ticket: int,
    crew: int,
    weights: _I64,
    *,
    now: int,
    position: int = -1,
    continuity: int = 0,
    skill: int = 0,
    parts: int = 0,
    ready: int | None = None,
    late_step: int = 60,
    displace: int = 0,
) -> Option | None:
    """The same figures for one named crew, at its best position or before the named one (0: first;
    of its route without the ticket); None where windows and shift leave no room. A person may
    choose a crew that breaks a rule: rules are not asked, and a named position may lie within the
    crew's `fixed` visits. Visits are displaced, at most `displace`, only where the ticket would not
    start in time otherwise, or has no room; none at a named position. Raises ValueError, also for a
    position before a visit on site."""

def release(plan: Plan, ticket: int) -> tuple[int, int]:
    """What taking a ticket out of its route frees: seconds of driving, and weighted seconds of
    lateness of the others. Raises ValueError for a ticket that nobody has."""

def stand_down(plan: Plan, crew: int, weights: _I64) -> tuple[Displaced, ...]:
    """What becomes of a crew's visits when it goes down: each, urgent ones first, with the crew and
    time where it costs least among the others, or why there is none; on-site ones too."""
