"""Messages to many households, with proof of who was reached."""

from dispatch_core.campaigns.policy import Policy

__all__ = ["Policy"]
