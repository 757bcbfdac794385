"""A job for two crews that stands in the plan is proposed as if it did not."""

from __future__ import annotations

import pytest
from dispatch_town import AT, inputs, task, team

from dispatch_core.dispatch import Held, Slot, propose
from dispatch_core.events import Work
from dispatch_core.ids import TicketId


@pytest.mark.parametrize("planned_at", [-300, 45, 105, 165, 3_600])
def test_the_start_in_the_plan_binds_no_proposal(planned_at: int) -> None:
    job = task(work=Work(trade="indoor", crews=2))
    crews = [team("C1"), team("C2", (900, 0)), team("C3", (-900, 0)), team("C4", (0, 900))]
    fresh = propose(inputs(crews, [job]), "T1")
    first = fresh.choices[0]
    assert first.with_crew is not None
    slot = Slot(tickets=[TicketId("T1")], start_at=AT + planned_at)
    held = [Held(crew=crew, visits=[slot]) for crew in (first.crew, first.with_crew)]
    again = propose(inputs(crews, [job], held=held, plan=1), "T1")
    assert again.left_out == {}
    assert len(again.choices) == len(fresh.choices)
    best = again.choices[0]
    assert ({best.crew, best.with_crew}, best.start_at) == (
        {first.crew, first.with_crew},
        first.start_at,
    )
