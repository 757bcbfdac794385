"""The one root of refusals: a stable code, what is wrong, and what the user can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

Kind = Literal["invalid", "not_found", "conflict", "forbidden", "too_large", "unavailable"]


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A command that is not carried out; nothing has changed.

    `code` is stable and meant for programs, `detail` and `what_to_do` are plain sentences for
    people, `extra` holds JSON-ready facts such as the present state.
    """

    kind: ClassVar[Kind] = "invalid"

    def __init__(
        self,
        code: str,
        detail: str,
        what_to_do: str,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.what_to_do = what_to_do
        self.extra: dict[str, object] = dict(extra or {})


class Invalid(Refused):
    """The command can never be carried out as it stands."""

    kind = "invalid"


class NotFound(Refused):
    """The thing that the command names does not exist in this company."""

    kind = "not_found"


class Conflict(Refused):
    """The command does not fit the present state; `extra` shows that state."""

    kind = "conflict"


class Forbidden(Refused):
    """The person or source may not do this."""

    kind = "forbidden"


class TooLarge(Refused):
    """More than one call may carry."""

    kind = "too_large"


class Unavailable(Refused):
    """A part that is needed does not answer now; the same call may succeed later."""

    kind = "unavailable"
