"""What each figure of a morning report is called, and in which unit it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Group = Literal["demand", "clocks", "quality", "dispatch", "network", "cases", "weather"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its names; `value` None: there was nothing to count it from."""

    name: str
    group: Group
    zh: str
    en: str
    unit_zh: str
    unit_en: str
    value: float | int | None


_PIECES, _MINUTES, _SHARE, _DEGREES = ("件", ""), ("分钟", "min"), ("%", "%"), ("°C", "°C")
_HOMES, _TIMES = ("户", "flats"), ("次", "")
_WORDS: tuple[tuple[Group, str, str, str, tuple[str, str]], ...] = (
    ("demand", "received_n", "受理工单", "tickets taken in", _PIECES),
    ("demand", "received_red_n", "其中红色", "of these red", _PIECES),
    ("demand", "received_yellow_n", "其中黄色", "of these yellow", _PIECES),
    ("demand", "received_blue_n", "其中蓝色", "of these blue", _PIECES),
    ("demand", "repeat_calls_n", "重复来电", "repeat calls", _TIMES),
    ("demand", "closed_n", "闭环", "closed", _PIECES),
    ("demand", "cancelled_n", "取消", "cancelled", _PIECES),
    ("demand", "open_n", "07:30 在办", "open at 07:30", _PIECES),
    ("demand", "open_red_n", "其中红色在办", "of these red", _PIECES),
    ("clocks", "solved_due_n", "24 小时内应办结", "due within the day", _PIECES),
    ("clocks", "closing_rate_pct", "办结率", "closing rate", _SHARE),
    ("clocks", "first_contact_late_n", "首联超时", "first contact late", _PIECES),
    ("clocks", "respond_late_n", "响应超时", "response late", _PIECES),
    ("clocks", "on_site_late_n", "到场超时", "on site late", _PIECES),
    ("clocks", "solved_late_n", "办结超时", "solved late", _PIECES),
    ("clocks", "median_respond_min", "响应用时中位数", "median time to respond", _MINUTES),
    ("clocks", "median_on_site_min", "到场用时中位数", "median time to be on site", _MINUTES),
    ("clocks", "median_solved_min", "办结用时中位数", "median time to close", _MINUTES),
    ("clocks", "escalated_n", "上报值班经理", "carried to the duty manager", _TIMES),
    ("quality", "called_back_n", "回访接通", "call-backs answered", _PIECES),
    ("quality", "satisfied_n", "满意", "satisfied", _PIECES),
    ("quality", "dissatisfied_n", "不满意重开", "dissatisfied, reopened", _PIECES),
    ("quality", "nobody_reached_n", "回访未接通", "call-backs not answered", _PIECES),
    ("quality", "reopened_n", "重开", "reopened", _PIECES),
    ("quality", "repeat_repairs_n", "7 日内重复报修", "same fault within 7 days", _PIECES),
    ("quality", "lost_contact_n", "失联工单", "tickets that lost contact", _PIECES),
    ("dispatch", "dispatched_n", "派发", "given to crews", _TIMES),
    ("dispatch", "first_choice_n", "采纳首选建议", "first proposal taken", _TIMES),
    ("dispatch", "overridden_n", "改派其他班组", "another crew chosen", _TIMES),
    ("dispatch", "auto_confirmed_n", "蓝色自动确认", "confirmed by policy", _TIMES),
    ("dispatch", "by_hand_n", "无建议人工派发", "by hand without a proposal", _TIMES),
    ("dispatch", "displaced_n", "让位于红色", "gave way to something urgent", _TIMES),
    ("dispatch", "without_proposal_n", "红色无可派班组", "red without a crew to propose", _TIMES),
    ("dispatch", "position_lost_n", "定位中断", "positions lost", _TIMES),
    ("dispatch", "crews_stopped_n", "班组停用", "crews stopped", _TIMES),
    ("dispatch", "parts_late_n", "配件逾期", "parts late", _PIECES),
    ("network", "outages_opened_n", "停热", "outages begun", _TIMES),
    ("network", "outages_ended_n", "恢复供热", "outages ended", _TIMES),
    ("network", "households_cut_off_n", "停热影响", "flats cut off", _HOMES),
    ("network", "rooms_turned_cold_n", "室温转冷", "rooms turned cold", _TIMES),
    ("network", "rooms_warm_again_n", "室温恢复", "rooms warm again", _TIMES),
    ("cases", "cases_received_n", "外部转办件", "external cases", _PIECES),
    ("cases", "cases_closed_n", "外部件办结", "external cases closed", _PIECES),
    ("cases", "cases_overdue_n", "外部件超时", "external cases late", _TIMES),
    ("cases", "spikes_n", "舆情升温", "spikes of public mood", _TIMES),
    ("weather", "outdoor_lowest_c", "最低室外温度", "lowest outdoor temperature", _DEGREES),
    ("weather", "outdoor_mean_c", "平均室外温度", "mean outdoor temperature", _DEGREES),
)  # fmt: skip


def figures(values: Mapping[str, float | int | None]) -> list[Figure]:
    """A report's figures with their names, in the order in which they are read."""
    return [
        Figure(
            name=name, group=group, zh=zh, en=en, unit_zh=unit[0], unit_en=unit[1],
            value=values[name],
        )
        for group, name, zh, en, unit in _WORDS
        if name in values
    ]  # fmt: skip
