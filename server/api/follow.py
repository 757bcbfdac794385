"""The resident's link: made by the desk, followed without an account."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.commands import Link
from dispatch_core.errors import NotFound, Unavailable
from dispatch_core.ids import TicketId
from server.adapters.accounts import Role
from server.adapters.clock import BusinessClock, monotonic
from server.adapters.commits import Commits
from server.adapters.follow import Follow, FollowView, digest_of
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.usecases.linking import LinkTicket

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")
PER_MINUTE = 120
"""Looks that one address may make; a page looks every 15 s."""
LETTER = "【供热服务】您的报修进度、维修人员距离和预计到达时间可在此查看：{url}"


class LinkBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The ticket as the caller saw it, and whether the resident is written to."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    send: bool = False


class LinkMade(msgspec.Struct, frozen=True, kw_only=True):
    """The link; `path` is told in this answer alone."""

    ticket: str
    version: int
    sent: bool
    path: str


class Writing(NamedTuple):
    """What making a link needs."""

    commits: Commits
    vault: Vault
    clock: BusinessClock


class Looks:
    """How often each address has looked in this minute, in this process."""

    def __init__(self) -> None:
        self._minute = 0
        self._counted: Counter[str] = Counter()

    def count(self, address: str) -> None:
        """One more look. Raises Unavailable `too_many_attempts`."""
        minute = int(monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._counted.clear()
        self._counted[address] += 1
        if self._counted[address] > PER_MINUTE:
            raise Unavailable(
                "too_many_attempts", "Too many looks from this address.", "Wait a minute."
            )


def create_handlers(gate: Gate, follow: Follow, writing: Writing) -> list[BaseRouteHandler]:
    """Make a link, follow it."""
    commits, vault, clock = writing
    looks = Looks()

    @post(
        "/api/tickets/{ticket_id:str}/link",
        status_code=200,
        tags=["tickets"],
        operation_class=described(
            LinkBody, {"version": 3, "send": True}, LinkMade,
            {"ticket": "260114-000123", "version": 4, "sent": True, "path": "/t/VGhpcyBp"},
        ),
    )  # fmt: skip
    async def link(request: Request[Any, Any, Any], ticket_id: str) -> LinkMade:
        """Make the link by which the resident follows this ticket; the one before ends."""
        principal = await gate.person(request, *DESK)
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, LinkBody)
        token = vault.link_token(principal.company, ticket_id, key)
        path = f"/t/{token}"
        to = await follow.contact(principal.company, ticket_id) if body.send else None
        url = f"{request.url.scheme}://{request.url.netloc}{path}"
        text = LETTER.format(url=url)
        letter = {"text": text, "phone": to.phone, "name": to.name} if to else None
        use_case = LinkTicket(
            ticket=TicketId(ticket_id),
            command=Link(version=body.version, digest=digest_of(token), by=principal.actor),
            to=to.pseudonym if to else None,
            letter=letter,
        )
        answer = await commits.submit(
            principal, f"POST /api/tickets/{ticket_id}/link", key, body_hash(raw), use_case
        )
        stored = msgspec.json.decode(answer.body)
        return LinkMade(
            ticket=stored["ticket"], version=stored["version"], sent=stored["sent"], path=path
        )

    @get("/api/t/{token:str}", tags=["tickets"])
    async def look(request: Request[Any, Any, Any], token: str) -> Response[FollowView]:
        """A ticket by its link: the step reached, the crew's distance, the window of arrival."""
        looks.count(request.client.host if request.client else "")
        view = await follow.look(token, clock.now())
        if view is None:
            raise NotFound(
                "no_such_link",
                "This link leads nowhere: it has ended, or was typed wrongly.",
                "Call the service line of your heating company.",
            )
        return Response(view, headers={"Cache-Control": "no-store"})

    return [link, look]
