"""The 07:30 report: 24 hours of figures counted from the facts, frozen for the morning meeting."""

from dispatch_core.reports.state import Freeze, Remark, Report, apply, decide, due, name_of
from dispatch_core.reports.tally import COUNTED, Tally, frozen
from dispatch_core.reports.words import Figure, Group, figures

__all__ = [
    "COUNTED", "Figure", "Freeze", "Group", "Remark", "Report", "Tally", "apply", "decide", "due",
    "figures", "frozen", "name_of",
]  # fmt: skip
