"""External cases (12345, property firms) hung on a ticket: own number, own clocks."""

from dispatch_core.cases.policy import Policy

__all__ = ["Policy"]
