"""Stopping and resuming the heating of a flat: checked by policy, visited, made known, closed."""

from dispatch_core.suspensions.policy import Policy

__all__ = ["Policy"]
