"""Which ticket each dispatcher has open, so that two do not take the same one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.handlers import BaseRouteHandler

from server.adapters.accounts import Role
from server.adapters.presence import Doing, Hand, Presence
from server.api.documents import decode_body, described
from server.api.gate import Gate

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")


class PresenceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What this desk has open; said every five seconds, and when it changes."""

    ticket: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_-]{1,40}$")] | None
    doing: Doing = "looking"


class PresenceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the others have open: every desk but this one that has said so within 15 s."""

    hands: list[Hand]


def create_handlers(gate: Gate, presence: Presence) -> list[BaseRouteHandler]:
    """`POST /api/presence`."""

    @post(
        "/api/presence",
        status_code=200,
        tags=["dispatch"],
        operation_class=described(
            PresenceBody, {"ticket": "260114-004711", "doing": "looking"}, PresenceAnswer,
            {"hands": [{"who": "li", "ticket": "260114-004711", "doing": "choosing",
                        "since": 1768363200.0}]},
            keyed=False,
        ),
    )  # fmt: skip
    async def say(request: Request[Any, Any, Any]) -> PresenceAnswer:
        """Say which ticket this desk has open, and hear what the others have."""
        principal = await gate.person(request, *DESK)
        b = decode_body(await request.body(), PresenceBody)
        hands = await presence.say(
            principal.company, principal.secret_hash.hex()[:24], principal.name, b.ticket, b.doing
        )
        return PresenceAnswer(hands=hands)

    return [say]
