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


_PIECES, _MINUTES, _SHARE, _DEGREES = ("件", "tickets"), ("分钟", "min"), ("%", "%"), ("°C", "°C")
_HOMES, _TIMES, _CASES = ("户", "flats"), ("次", "times"), ("件", "cases")
_WORDS: tuple[tuple[Group, str, str, str, tuple[str, str]], ...] = (
    ("demand", "received_n", "受理工单", "Tickets taken in", _PIECES),
    ("demand", "received_red_n", "其中红色", "Of these red", _PIECES),
    ("demand", "received_yellow_n", "其中黄色", "Of these yellow", _PIECES),
    ("demand", "received_blue_n", "其中蓝色", "Of these blue", _PIECES),
    ("demand", "repeat_calls_n", "重复来电", "Repeat calls", _TIMES),
    ("demand", "closed_n", "闭环", "Closed", _PIECES),
    ("demand", "cancelled_n", "取消", "Cancelled", _PIECES),
    ("demand", "open_n", "07:30 在办", "Open at 07:30", _PIECES),
    ("demand", "open_red_n", "其中红色在办", "Of these red", _PIECES),
    ("clocks", "solved_due_n", "24 小时内应办结", "Due within the day", _PIECES),
    ("clocks", "closing_rate_pct", "办结率", "Closing rate", _SHARE),
    ("clocks", "first_contact_late_n", "首联超时", "First contact late", _PIECES),
    ("clocks", "respond_late_n", "响应超时", "Response late", _PIECES),
    ("clocks", "on_site_late_n", "到场超时", "On site late", _PIECES),
    ("clocks", "solved_late_n", "办结超时", "Solved late", _PIECES),
    ("clocks", "median_respond_min", "响应用时中位数", "Median time to respond", _MINUTES),
    ("clocks", "median_on_site_min", "到场用时中位数", "Median time to be on site", _MINUTES),
    ("clocks", "median_solved_min", "办结用时中位数", "Median time to close", _MINUTES),
    ("clocks", "escalated_n", "上报值班经理", "Carried to the duty manager", _TIMES),
    ("quality", "called_back_n", "回访接通", "Call-backs answered", _PIECES),
    ("quality", "satisfied_n", "满意", "Satisfied", _PIECES),
    ("quality", "dissatisfied_n", "不满意重开", "Dissatisfied, reopened", _PIECES),
    ("quality", "nobody_reached_n", "回访未接通", "Call-backs not answered", _PIECES),
    ("quality", "reopened_n", "重开", "Reopened", _PIECES),
    ("quality", "repeat_repairs_n", "7 日内重复报修", "Same fault within 7 days", _PIECES),
    ("quality", "lost_contact_n", "失联工单", "Tickets that lost contact", _PIECES),
    ("dispatch", "dispatched_n", "派发", "Given to crews", _TIMES),
    ("dispatch", "first_choice_n", "采纳首选建议", "First proposal taken", _TIMES),
    ("dispatch", "overridden_n", "改派其他班组", "Another crew chosen", _TIMES),
    ("dispatch", "auto_confirmed_n", "蓝色自动确认", "Confirmed by policy", _TIMES),
    ("dispatch", "by_hand_n", "无建议人工派发", "By hand without a proposal", _TIMES),
    ("dispatch", "displaced_n", "让位于红色", "Gave way to something urgent", _TIMES),
    ("dispatch", "without_proposal_n", "红色无可派班组", "Red without a crew to propose", _TIMES),
    ("dispatch", "position_lost_n", "定位中断", "Positions lost", _TIMES),
    ("dispatch", "crews_stopped_n", "班组停用", "Crews stopped", _TIMES),
    ("dispatch", "parts_late_n", "配件逾期", "Parts late", _PIECES),
    ("network", "outages_opened_n", "停热", "Outages begun", _TIMES),
    ("network", "outages_ended_n", "恢复供热", "Outages ended", _TIMES),
    ("network", "households_cut_off_n", "停热影响", "Flats cut off", _HOMES),
    ("network", "rooms_turned_cold_n", "室温转冷", "Rooms turned cold", _TIMES),
    ("network", "rooms_warm_again_n", "室温恢复", "Rooms warm again", _TIMES),
    ("cases", "cases_received_n", "外部转办件", "External cases", _CASES),
    ("cases", "cases_closed_n", "外部件办结", "External cases closed", _CASES),
    ("cases", "cases_overdue_n", "外部件超时", "External cases late", _CASES),
    ("cases", "spikes_n", "舆情升温", "Spikes of public mood", _TIMES),
    ("weather", "outdoor_lowest_c", "最低室外温度", "Lowest outdoor temperature", _DEGREES),
    ("weather", "outdoor_mean_c", "平均室外温度", "Mean outdoor temperature", _DEGREES),
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
