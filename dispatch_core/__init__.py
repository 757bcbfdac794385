"""The domain, pure: told the time, no clock, no wire, no disk."""
