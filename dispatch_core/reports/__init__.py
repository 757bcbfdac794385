"""The 07:30 report: 24 hours of figures counted from the facts, frozen for the morning meeting."""

from dispatch_core.reports.state import Freeze, Remark, Report, apply, decide, due, name_of
from dispatch_core.reports.tally import ALL_COUNTED, COUNTED, Tally, counted_in, frozen
from dispatch_core.reports.words import Figure, Group, figures

__all__ = [
    "ALL_COUNTED", "COUNTED", "Figure", "Freeze", "Group", "Remark", "Report", "Tally", "apply",
    "counted_in", "decide", "due", "figures", "frozen", "name_of",
]  # fmt: skip
