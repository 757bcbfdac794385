"""A what-if of a large company: the processor's time it takes, and what more effort would gain.

200 crews and 500 open tickets with a plan in force, as `POST /api/what-if` computes it, beside the
same with a plan round's iterations. `python -m benchmarks.what_if [--json] [--seed 7]`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Mapping

import msgspec
import numpy as np

from benchmarks._figure import figure
from dispatch_core.dispatch import (
    Change,
    Inputs,
    MoreOf,
    Outcome,
    Policy,
    Spot,
    Store,
    Task,
    Team,
    in_force,
    make_plan,
    what_if,
)
from dispatch_core.events import Pause, Work
from dispatch_core.ids import CrewId, Level, StoreId, TicketId, Trade
from geo.travel import TravelModel, great_circle_table
from server.jobs.dispatch_answers import WHAT_IF_STEPS
from server.settings import CHECKOUT

CREWS, TICKETS = 200, 500
AT, OFFSET, HOUR = 1_768_356_000, 28_800, 3_600
"""Wednesday 14 January 2026, 10:00 at UTC+8."""
WIDE_U = 110_000
"""Half the city's width, millionths of a degree."""
TRADES: Mapping[Trade, float] = {
    "indoor": 0.62, "secondary": 0.2, "substation": 0.08, "primary": 0.06, "plant": 0.04
}  # fmt: skip
LIMITS: Mapping[Level, int] = {"red": HOUR // 2, "yellow": 2 * HOUR, "blue": 24 * HOUR}
CHANGES = {
    "crews_down": Change(crews_down=[CrewId(f"C{k:03}") for k in range(5)]),
    "extra_crews": Change(extra_crews=[MoreOf(like=CrewId("C007"), n=5)]),
    "district_closed": Change(districts_closed=["B"]),
}


class _File(msgspec.Struct):
    dispatch: Policy


def day(seed: int) -> Inputs:
    """Ten in the morning of a winter's day, with the plan of the rounds before in force."""
    chance = random.Random(seed)
    shipped = (CHECKOUT / "server" / "policies" / "default" / "default.toml").read_bytes()
    nowhere = np.zeros((0, 2), np.int32)
    moment = Inputs(
        at=AT, utc_offset_s=OFFSET, policy=msgspec.toml.decode(shipped, type=_File).dispatch,
        policy_version="bench", position_discount_s=300, position_exclude_s=1_800,
        travel=great_circle_table(TravelModel(utc_offset_s=OFFSET), nowhere, nowhere, AT).stored(),
        teams=[_team(chance, k) for k in range(CREWS)],
        tasks=[_task(chance, j) for j in range(TICKETS)],
        stores=[
            Store(store=StoreId(f"S{n}"), place=_spot(chance), parts={"放气阀": 500})
            for n in range(3)
        ],
    )  # fmt: skip
    plan = make_plan(moment, moment.policy.rounds.iterations)
    return msgspec.structs.replace(moment, held=in_force(plan), plan=1)


def _spot(chance: random.Random) -> Spot:
    around = chance.randint(-WIDE_U, WIDE_U), chance.randint(-WIDE_U, WIDE_U)
    return Spot(126_600_000 + around[0], 45_750_000 + around[1])


def _team(chance: random.Random, k: int) -> Team:
    usual = chance.random() < 0.7
    return Team(
        crew=CrewId(f"C{k:03}"), name=f"{k} 班", version=1,
        trades=["indoor", "secondary"] if usual else chance.sample(sorted(TRADES), 2),
        skill=chance.randint(2, 5), members=3, parts={"放气阀": chance.randint(0, 12)},
        territory=chance.sample("ABCDEF", 3) if chance.random() < 0.5 else [],
        shift="06:00-18:00", on_duty=True, shift_ends_at=AT + 8 * HOUR, fix_age_s=20,
        breaks=[Pause(after="11:00", before="13:30", minutes=40)], place=_spot(chance),
    )  # fmt: skip


def _task(chance: random.Random, j: int) -> Task:
    level: Level = chance.choices(tuple(LIMITS), (0.01, 0.14, 0.85))[0]
    trade = chance.choices(tuple(TRADES), tuple(TRADES.values()))[0]
    received = AT - chance.randint(0, HOUR if level != "blue" else 16 * HOUR)
    agreed = AT + chance.randint(0, 6) * HOUR if chance.random() < 0.1 else None
    return Task(
        ticket=TicketId(f"260114-{j:06}"), version=1, kind="repair", level=level, state="accepted",
        address=f"{j} 号楼", received_at=received, due_at=received + LIMITS[level],
        work=Work(
            trade=trade, minutes=chance.choice((20, 30, 40, 60, 90)), home_visit=trade == "indoor",
            skill=chance.randint(1, 3),
            parts={"放气阀": 1} if trade == "indoor" and chance.random() < 0.4 else {},
        ),
        place=_spot(chance), building=f"B{chance.randrange(TICKETS // 2)}",
        district=chance.choice("ABCDEF"), appointed_from=agreed,
        appointed_until=None if agreed is None else agreed + 2 * HOUR,
    )  # fmt: skip


def _timed(moment: Inputs, change: Change, iterations: int) -> tuple[Outcome, float]:
    begin = time.process_time()
    outcome = what_if(moment, change, iterations)
    return outcome, time.process_time() - begin


def main() -> None:
    """Print both figures of every change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.what_if")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    moment = day(parser.parse_args().seed)
    most = moment.policy.rounds.iterations
    steps = min(most, WHAT_IF_STEPS // len(moment.tasks))
    for name, change in CHANGES.items():
        ours, took = _timed(moment, change, steps)
        more, longer = _timed(moment, change, most)
        figure(
            f"what_if.{name}_cpu", took, "s", baseline=longer, ratio=took / longer,
            target="<= 2", ok=took <= 2, note=f"{steps} iterations, a round's {most}",
        )  # fmt: skip
        gap = 100 * (ours.then.cost / more.then.cost - 1)
        served = ours.then.served >= more.then.served
        figure(
            f"what_if.{name}_gap", gap, "% of cost", target="<= 1", ok=gap <= 1 and served,
            note=f"{ours.then.served} served, {more.then.served} with a round's effort",
        )  # fmt: skip


if __name__ == "__main__":
    main()
