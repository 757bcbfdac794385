"""What a seat sees while the phone rings: the caller, the household, its history."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Invalid
from server.adapters.accounts import Accounts, Role
from server.adapters.calls import Asked, CallAnswer, Calls
from server.adapters.clock import BusinessClock
from server.adapters.policies import Policies
from server.adapters.vault import normal_phone
from server.api.documents import decode_body, described
from server.api.gate import Gate
from server.api.wishes import checked

SEATS: tuple[Role, ...] = ("administrator", "manager", "seat")
"""Who may see residents' data."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class LookUp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One of the four."""

    phone: Text | None = None
    name: Text | None = None
    household: Text | None = None
    building: Text | None = None


class PersonView(msgspec.Struct, kw_only=True):
    """Somebody who works here."""

    name: str
    role: Role


class People(msgspec.Struct, kw_only=True):
    """Everybody of the company, by name."""

    items: list[PersonView]


EXAMPLE = {"phone": "100-0000-0000"}
ANSWER_EXAMPLE = {
    "caller": {"pseudonym": "p-1f3a9c2e", "name": "王先生", "phone": "100-0000-0000"},
    "households": [],
    "more_households": False,
    "tickets": [],
    "outages": [],
    "applications": [],
    "cases": [],
}


def asked_of(body: bytes) -> Asked:
    """What is looked up.

    Raises:
        Invalid: `bad_body`, `one_question` unless exactly one is given, `bad_phone`,
            `control_characters`.
    """
    wish = decode_body(body, LookUp)
    given = {n: v.strip() for n in wish.__struct_fields__ if (v := getattr(wish, n)) is not None}
    if len(given) != 1 or not all(given.values()):
        raise Invalid(
            "one_question",
            f"The look-up names {len(given)} things.",
            "Give exactly one: phone, name, household or building.",
        )
    for what, value in given.items():
        checked(value, what)
    if "phone" in given and len(normal_phone(given["phone"])) < 5:
        raise Invalid("bad_phone", "This is no phone number.", "Give its digits, at least 5.")
    return Asked(**given)


def create_handlers(
    gate: Gate, calls: Calls, accounts: Accounts, policies: Policies, clock: BusinessClock
) -> list[BaseRouteHandler]:
    """`POST /api/calls/look-up` and `GET /api/people`."""

    @post(
        "/api/calls/look-up",
        status_code=200,
        tags=["calls"],
        operation_class=described(LookUp, EXAMPLE, CallAnswer, ANSWER_EXAMPLE, keyed=False),
    )
    async def look_up(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Who calls and what is going on there; for seats, managers and administrators, and
        written down each time."""
        principal = await gate.person(request, *SEATS)
        asked = asked_of(await request.body())
        now = clock.now()
        city = await policies.at(principal.company, now)
        answer = await calls.look_up(principal.company, principal.actor, asked, city, now)
        return Response(
            msgspec.json.encode(answer),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @get("/api/people", tags=["session"])
    async def people(request: Request[Any, Any, Any]) -> People:
        """Who works here and may own a ticket."""
        principal = await gate.principal(request)
        found = await accounts.people(principal.company)
        return People(items=[PersonView(name=p.name, role=p.role) for p in found])

    return [look_up, people]
