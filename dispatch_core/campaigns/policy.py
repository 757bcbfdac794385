"""When and how households are reminded: data of a city's policy file, section `reminders`."""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reminders before the deadline of applications; texts hold {days} and {deadline}."""

    days_before: list[int]
    send_from: str
    """Local time of day `HH:MM` from which messages go out, and until when."""
    send_until: str
    attempts_max: int
    text_zh: str
    text_en: str
