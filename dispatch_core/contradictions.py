"""Where the departments' records of a flat contradict one another: what is found, why, and what
mends it.

Looked at is one household in one season. Its *grant* is its newest application that was approved,
completed or closed. A stop is **in force** while service holds the flat `suspended` or
`temporary_stop`, and the grant is a suspension or temporary stop whose valve was set (completed or
closed). The **grace** is over once `known_by` of the grant has passed: by then every department
must know.

- `suspended_yet_connected`: a stop is in force, its grace is over, operations say connected.
- `suspended_yet_billed`: a stop is in force, its grace is over, finance bills in full.
- `valve_open`: a stop is in force and the valve is reported open; there is no grace, since the
  company itself has closed it.
- `marked_without_application`: the season has no grant at all, and yet service holds the flat
  stopped, finance bills the base fee or nothing, operations say disconnected, or the valve bears a
  seal. A valve that is merely closed is no mark: residents and repairs close valves. The same holds
  of a flat that is heated again (its grant is a resume that was carried out, also the one that ends
  a temporary stop; service holds it heated; the grace is over): it must not stay disconnected or
  sealed. What it owes then is policy, and no mark.

A stop that is approved but not yet carried out, and one that a resume was approved for, contradict
nothing: their loop is under way and has its own clocks.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from dispatch_core.ids import (
    ApplicationState,
    ContradictionKind,
    Department,
    Standing,
    StopKind,
    Valve,
)

KINDS: tuple[ContradictionKind, ...] = get_args(ContradictionKind)
Network = Literal["connected", "disconnected"]
Billing = Literal["full", "base", "none"]
MendAction = Literal[
    "tell_operations", "tell_finance", "order_closing_visit", "ask_for_application", "unmark"
]

_SET: tuple[ApplicationState, ...] = ("completed", "closed")


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of one household in one season. Times are Unix seconds."""

    service: Standing = "heated"
    application: str | None = None
    """The grant: the newest application that was approved, completed or closed."""
    action: StopKind | None = None
    state: ApplicationState | None = None
    known_by: int | None = None
    network: Network | None = None
    network_at: int | None = None
    valve: Valve = "unknown"
    valve_at: int | None = None
    billing: Billing | None = None
    billed_fen: int | None = None
    billed_at: int | None = None


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """One way to mend a contradiction, as a person reads it."""

    action: MendAction
    zh: str
    en: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Why a contradiction stands, and the ways to mend it, the usual one first."""

    why_zh: str
    why_en: str
    mends: list[Mend]


_MENDS: dict[MendAction, Mend] = {
    "tell_operations": Mend(
        action="tell_operations",
        zh="通知运行部门核实并断开该户",
        en="Tell operations to check the flat and take it off the network",
    ),
    "tell_finance": Mend(
        action="tell_finance",
        zh="通知收费部门改按基础热费计收",
        en="Tell finance to bill the base fee",
    ),
    "order_closing_visit": Mend(
        action="order_closing_visit",
        zh="安排上门关阀并加封",
        en="Order a visit that closes and seals the valve",
    ),
    "ask_for_application": Mend(
        action="ask_for_application",
        zh="请客服联系用户补办停热申请",
        en="Have service ask the household for an application",
    ),
    "unmark": Mend(
        action="unmark",
        zh="通知相关部门取消停热标记，恢复正常供热",
        en="Tell the departments that hold it stopped to take the mark back",
    ),
}
_OFFERED: dict[ContradictionKind, tuple[MendAction, ...]] = {
    "suspended_yet_connected": ("tell_operations", "order_closing_visit"),
    "marked_without_application": ("ask_for_application", "unmark"),
    "suspended_yet_billed": ("tell_finance",),
    "valve_open": ("order_closing_visit", "tell_operations"),
}
_SERVICE_ZH = {"suspended": "停热", "temporary_stop": "临时停热", "heated": "供热"}
_SERVICE_EN = {
    "suspended": "suspended",
    "temporary_stop": "stopped for a while",
    "heated": "heated",
}


def find(records: Records, now: int) -> list[ContradictionKind]:
    """The contradictions in a household's records at a business time, in the order of the kinds."""
    in_force = (
        records.service != "heated"
        and records.action in ("suspension", "temporary_stop")
        and records.state in _SET
    )
    known = _grace_is_over(records, now)
    holds: dict[ContradictionKind, bool] = {
        "suspended_yet_connected": in_force and known and records.network == "connected",
        "marked_without_application": bool(marked_by(records, now)),
        "suspended_yet_billed": in_force and known and records.billing == "full",
        "valve_open": in_force and records.valve == "open",
    }
    return [kind for kind in KINDS if holds[kind]]


def marked_by(records: Records, now: int) -> list[Department]:
    """The departments that hold a flat stopped without a grant for it."""
    shut = records.network == "disconnected" or records.valve == "sealed"
    if records.application is None:
        held: dict[Department, bool] = {
            "service": records.service != "heated",
            "operations": shut,
            "finance": records.billing in ("base", "none"),
        }
        return [department for department, stopped in held.items() if stopped]
    again = records.action == "resume" and records.state in _SET and records.service == "heated"
    return ["operations"] if again and shut and _grace_is_over(records, now) else []


def _grace_is_over(records: Records, now: int) -> bool:
    return records.known_by is None or records.known_by < now


def explain(kind: ContradictionKind, records: Records, now: int) -> Finding:
    """What a person is told of a contradiction, from the records that it was found in."""
    zh, en = _stopped(records)
    match kind:
        case "suspended_yet_connected":
            zh, en = f"{zh}，运行部门仍登记为在网。", f"{en}; operations have it on the network."
        case "suspended_yet_billed":
            yuan, amount = _billed(records)
            zh = f"{zh}，收费部门仍按全额计费{yuan}。"
            en = f"{en}; finance bills it in full{amount}."
        case "valve_open":
            zh, en = f"{zh}，阀门却报告为开启。", f"{en}; its valve is reported open."
        case "marked_without_application":
            zh, en = _marked(records, now)
    offered = _OFFERED[kind]
    if kind == "marked_without_application" and records.application is not None:
        offered = ("unmark",)  # it has asked for heat again: nothing is to be applied for
    return Finding(why_zh=zh, why_en=en, mends=[_MENDS[a] for a in offered])


def told(action: MendAction, records: Records, now: int) -> list[Department]:
    """The departments that learn of a mend."""
    match action:
        case "tell_operations" | "order_closing_visit":
            return ["operations"]
        case "tell_finance":
            return ["finance"]
        case "ask_for_application":
            return ["service"]
        case "unmark":
            return marked_by(records, now)


def _stopped(r: Records) -> tuple[str, str]:
    return (
        f"该户已办结{_SERVICE_ZH[r.service]}（{r.application}）",
        f"The flat is {_SERVICE_EN[r.service]} by {r.application}",
    )


def _billed(r: Records) -> tuple[str, str]:
    if r.billed_fen is None:
        return "", ""
    return f"（{r.billed_fen / 100:.2f} 元）", f" ({r.billed_fen / 100:.2f} yuan)"


_MARKS_ZH = {
    "network": "运行部门登记为已断网",
    "valve": "阀门已加封",
    "base": "收费部门按基础热费计收",
    "none": "收费部门不计费",
}
_MARKS_EN = {
    "network": "operations have it disconnected",
    "valve": "its valve bears a seal",
    "base": "finance bills the base fee",
    "none": "finance bills nothing",
}


def _marked(r: Records, now: int) -> tuple[str, str]:
    by = marked_by(r, now)
    marks = []
    if "operations" in by:
        marks += ["network"] * (r.network == "disconnected") + ["valve"] * (r.valve == "sealed")
    if "finance" in by and r.billing is not None:
        marks.append(r.billing)
    zh, en = [_MARKS_ZH[m] for m in marks], [_MARKS_EN[m] for m in marks]
    if "service" in by:
        zh.insert(0, f"客服登记为{_SERVICE_ZH[r.service]}")
        en.insert(0, f"service holds it {_SERVICE_EN[r.service]}")
    if r.application is None:
        return (
            f"本采暖期没有已批准的停热申请，但{'；'.join(zh)}。",
            f"No application of the season was approved, and yet {'; '.join(en)}.",
        )
    return (
        f"该户已恢复供热（{r.application}），但{'；'.join(zh)}。",
        f"The flat is heated again after {r.application}, and yet {'; '.join(en)}.",
    )
