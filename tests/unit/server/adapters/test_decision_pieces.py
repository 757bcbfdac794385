"""Inputs of a decision in pieces: shared where nothing changed, told by name where something is
amiss."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from dispatch_core.dispatch import Held, Inputs, Slot, Spot, Task, Team
from dispatch_core.events import Work
from geo.travel import TravelModel, great_circle_table
from server.adapters import decision_pieces
from server.adapters.decision_pieces import Missing
from server.adapters.policies import SHIPPED, read_policy

AT = 1_768_363_200


def inputs(teams: int = 20, tasks: int = 200) -> Inputs:
    nowhere = np.zeros((0, 2), np.int32)
    city = read_policy(SHIPPED / "default" / "default.toml", "2025-2026", "Asia/Shanghai")
    return Inputs(
        at=AT,
        utc_offset_s=28_800,
        policy=city.dispatch,
        policy_version=city.version,
        position_discount_s=300,
        position_exclude_s=1_800,
        travel=great_circle_table(TravelModel(), nowhere, nowhere, AT).stored(),
        teams=[
            Team(crew=f"C{n:03d}", name=f"{n} 班", version=1, trades=["indoor"])
            for n in range(teams)
        ],
        tasks=[
            Task(
                ticket=f"260114-{n:06d}", version=2, kind="leak", level="red", state="accepted",
                address="和平路 1 号", received_at=AT, due_at=AT + 1_800,
                work=Work(trade="indoor"), place=Spot(126_630_000, 45_750_000),
            )
            for n in range(tasks)
        ],
        plan=7,
        held=[Held(crew="C001", visits=[Slot(tickets=["260114-000001"], start_at=AT)])],
    )  # fmt: skip


def moved(before: Inputs) -> Inputs:
    """One ticket is another than it was."""
    tasks = list(before.tasks)
    tasks[3] = msgspec.structs.replace(tasks[3], version=3, level="yellow")
    return msgspec.structs.replace(before, tasks=tasks)


@pytest.mark.parametrize(("teams", "tasks"), [(0, 0), (1, 0), (20, 200)])
def test_what_was_cut_is_joined_to_the_same_bytes(teams: int, tasks: int) -> None:
    whole = inputs(teams, tasks)
    root, pieces = decision_pieces.cut(whole)
    again = decision_pieces.join(root, pieces)
    assert again == whole
    assert decision_pieces.cut(again)[0] == root


def test_one_ticket_that_moves_changes_its_piece_and_the_manifest_alone() -> None:
    before = inputs()
    (_, one), (_, other) = decision_pieces.cut(before), decision_pieces.cut(moved(before))
    assert len(other.keys() - one.keys()) == 2
    new = sum(len(body) for digest, body in other.items() if digest not in one)
    assert new < sum(map(len, other.values())) / 5


def test_a_piece_that_is_gone_or_changed_is_named() -> None:
    root, pieces = decision_pieces.cut(inputs())
    listed = decision_pieces.manifest(root, pieces)
    policy = listed.pieces["policy"][0]
    gone = {digest: body for digest, body in pieces.items() if digest != policy}
    with pytest.raises(Missing, match=r"policy \(gone\)"):
        decision_pieces.join(root, gone)
    with pytest.raises(Missing, match=r"policy \(changed\)"):
        decision_pieces.join(root, pieces | {policy: pieces[policy] + b"\x00"})
    with pytest.raises(Missing, match="manifest"):
        decision_pieces.join(b"?" * 32, pieces)
