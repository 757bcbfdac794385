"""Clocks of external cases by origin: data of a city's policy file, section `cases`."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 86_400)]


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one origin, e.g. hotline_12345, asks of us; times in seconds from its receipt."""

    name_zh: str
    name_en: str
    sign_for_s: Seconds
    contact_s: Seconds
    reply_s: Seconds
    extension_s: Seconds
    extensions_max: Annotated[int, msgspec.Meta(ge=0, le=100)]
    rework_reply_s: Seconds
    """The reply to a case that was returned, from its return; the other clocks start anew too."""
    near_s: Seconds


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The origins that are known, by the code under which their cases come."""

    oldest_s: Seconds
    """A case's own receipt may lie this far back when it comes to us."""
    origins: dict[str, Origin]
