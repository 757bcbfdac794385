"""When and how households are reminded: data of a city's policy file, section `reminders`."""

from __future__ import annotations

from typing import Annotated

import msgspec

TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reminders before the deadline of applications; texts hold {days} and {deadline}."""

    days_before: list[Annotated[int, msgspec.Meta(ge=0, le=366)]]
    send_from: TimeOfDay
    """Local time of day `HH:MM` from which messages go out, and until when."""
    send_until: TimeOfDay
    attempts_max: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    text_zh: str
    text_en: str

    def __post_init__(self) -> None:
        if self.send_from >= self.send_until:
            raise ValueError("send_until is not after send_from: no reminder would go out")
