"""Requests as they come in: their kind and level and why, and which open ticket they belong to."""

from dispatch_core.requests.policy import Policy

__all__ = ["Policy"]
