"""What a crew's phone says from the site; the server decides on the ticket as it is now, since a
phone may send what it kept while it had no signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from dispatch_core.events import SiteFix
from dispatch_core.ids import (
    DeclineReason,
    Hazard,
    OutageId,
    Support,
    TicketId,
    ValveId,
    ValveTurn,
)
from geo.datums import Datums
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.fix_checks import FixChecks, Pressed
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.spots import Name, Spot, to_wgs84
from server.api.ticket_commands import Text
from server.ports import UseCase
from server.usecases.on_site import Presence, SiteAnswer, check_in_of
from server.usecases.site import (
    ArriveOnSite,
    BuildIn,
    CallForHelp,
    FinishOnSite,
    GiveBack,
    LeaveSite,
    MeetHazard,
    NobodyOpened,
    TakeOn,
)
from server.usecases.valves import TurnSiteValve

Millis = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, up to the year 9999."""


class Fix(Spot, kw_only=True, forbid_unknown_fields=True):
    """Where the phone says that it is; the datum is wgs84 where it comes from the browser."""

    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
    at_ms: Millis
    battery_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    mock: bool = False


class Button(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When the button was pressed, by the phone's clock."""

    at_device_ms: Millis
    sent_at_ms: Millis | None = None
    """The same clock as this was sent: tells how wrong it is, however long it waited."""
    fix: Fix | None = None


class DoneBody(Button, kw_only=True, forbid_unknown_fields=True):
    """The work is done; `second_person` confirms it where no resident is."""

    second_person: Text | None = None


class NobodyBody(Button, kw_only=True, forbid_unknown_fields=True):
    """When the resident was called, whether a notice was left, and what was agreed instead."""

    called_at: Annotated[list[Time], msgspec.Meta(max_length=20)]
    notice_left: bool
    rebooked_from: Time | None = None
    rebooked_until: Time | None = None
    night_agreed: bool = False


class RefuseBody(Button, kw_only=True, forbid_unknown_fields=True):
    """Why the crew gives it back; from the site only once the place is safe."""

    reason_code: DeclineReason
    words: Text | None = None
    made_safe: bool = False


class SupportBody(Button, kw_only=True, forbid_unknown_fields=True):
    """What help."""

    what: Support
    words: Text | None = None


class HazardBody(Button, kw_only=True, forbid_unknown_fields=True):
    """What danger."""

    hazard: Hazard
    words: Text | None = None


class ValveBody(Button, kw_only=True, forbid_unknown_fields=True):
    """The node of the heat tree behind the valve, or a valve that only the crew knows, by name."""

    valve: Name
    to: ValveTurn
    name: Name | None = None
    vented: bool | None = None
    expected_end_at: Time | None = None


class PartsBody(Button, kw_only=True, forbid_unknown_fields=True):
    """What was built in, part -> pieces."""

    parts: Annotated[
        dict[Name, Annotated[int, msgspec.Meta(le=1_000_000)]],
        msgspec.Meta(max_length=100),
    ]


class Parts(NamedTuple):
    """What a phone's word needs."""

    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock
    numbers: Numbers
    fixes: FixChecks
    datums: Datums


class Context(NamedTuple):
    """Who says it of which ticket, and from where; `outage`: the number of one that a valve may
    open."""

    of: dict[str, Any]
    presence: Presence
    outage: OutageId | None


class Door(NamedTuple):
    """A word from the site: its body, what it makes of it, an example, a line for the
    documentation, and where its words are."""

    body: type[Button]
    make: Callable[[Any, Context], UseCase]
    example: dict[str, Any]
    summary: str
    words: str = "words"


def _there(
    step: type[ArriveOnSite] | type[LeaveSite] | type[FinishOnSite],
) -> Callable[[Button, Context], UseCase]:
    return lambda _, x: step(**x.of, presence=x.presence)


def _nobody(b: NobodyBody, x: Context) -> UseCase:
    return NobodyOpened(
        **x.of, presence=x.presence, called_at=list(b.called_at), notice_left=b.notice_left,
        rebooked_from=b.rebooked_from, rebooked_until=b.rebooked_until,
        night_agreed=b.night_agreed,
    )  # fmt: skip


def _refuse(b: RefuseBody, x: Context) -> UseCase:
    return GiveBack(
        **x.of, presence=x.presence, reason_code=b.reason_code, made_safe=b.made_safe
    )  # fmt: skip


def _valve(b: ValveBody, x: Context) -> UseCase:
    if x.outage is None:
        raise ValueError("a valve needs the number of the outage that it may open")
    return TurnSiteValve(
        **x.of, valve=ValveId(b.valve), to=b.to, outage=x.outage, name=b.name, vented=b.vented,
        expected_end_at=b.expected_end_at, said_at=x.presence.at_device_ms // 1000,
        fix=x.presence.fix,
    )  # fmt: skip


_AT: dict[str, Any] = {
    "at_device_ms": 1768356000000,
    "fix": {"lon": 126.63, "lat": 45.75, "datum": "wgs84", "accuracy_m": 8.0,
            "at_ms": 1768355999000, "battery_pct": 64},
}  # fmt: skip
DOORS: dict[str, Door] = {
    "accept": Door(Button, lambda _, x: TakeOn(**x.of), _AT, "The crew takes the ticket"),
    "en-route": Door(Button, lambda _, x: TakeOn(**x.of), _AT, "The crew is on its way"),
    "check-in": Door(Button, _there(ArriveOnSite), _AT, "The crew is there"),
    "check-out": Door(Button, _there(LeaveSite), _AT, "The crew leaves, to come back"),
    "done": Door(
        DoneBody, _there(FinishOnSite), _AT, "The work is done, and the crew leaves",
        "second_person",
    ),
    "no-answer": Door(
        NobodyBody, _nobody, _AT | {"called_at": [1768355700], "notice_left": True},
        "Nobody opened; the third time the desk takes over",
    ),
    "refuse": Door(RefuseBody, _refuse, _AT | {"reason_code": "no_parts"}, "Give the ticket back"),
    "support": Door(
        SupportBody, lambda b, x: CallForHelp(**x.of, what=b.what), _AT | {"what": "second_crew"},
        "Ask for help",
    ),
    "hazard": Door(
        HazardBody, lambda b, x: MeetHazard(**x.of, hazard=b.hazard, fix=x.presence.fix),
        _AT | {"hazard": "gas"}, "There is danger here",
    ),
    "valve": Door(
        ValveBody, _valve, _AT | {"valve": "S07", "to": "closed"},
        "A valve was closed or opened; closing opens an outage over what hangs behind it",
    ),
    "parts-used": Door(
        PartsBody, lambda b, x: BuildIn(**x.of, parts=dict(b.parts)),
        _AT | {"parts": {"闸阀 DN80": 1}}, "Parts were built in",
    ),
}  # fmt: skip
ANSWER = {"version": 3, "verdict": "missing", "missing": ["fault_point"]}


def create_handlers(gate: Gate, parts: Parts) -> list[BaseRouteHandler]:
    """`POST /api/crew/tickets/{ticket}/...`."""

    def handler(name: str, of: Door) -> HTTPRouteHandler:
        @post(
            f"/api/crew/tickets/{{ticket_id:str}}/{name}",
            status_code=200,
            tags=["crew"],
            summary=of.summary,
            name=f"crew-says-{name}",
            operation_class=described(of.body, of.example, SiteAnswer, ANSWER),
        )
        async def say(request: Request[Any, Any, Any], ticket_id: str) -> Response[bytes]:
            """409 with the present state where it does not fit the ticket as it is."""
            await gate.principal(request)
            key = idempotency_key(request)
            phone = await gate.crew(request)
            body = await request.body()
            asked: Any = decode_body(body, of.body)
            company, now = phone.who.company, parts.clock.now()
            city = await parts.policies.at(company, now)
            fix = _fix(asked.fix, parts.datums)
            heard_ms = round(now.timestamp() * 1000)
            there = (
                Pressed(phone.crew, fix, asked.at_device_ms, heard_ms, asked.sent_at_ms,
                        asked.fix.mock)
                if fix is not None
                else None
            )  # fmt: skip
            found = await parts.fixes.found(company, ticket_id, city.evidence.fence, there)
            written: str | None = getattr(asked, of.words, None)
            text = parts.vault.words(company, written) if written else None
            outage = None
            if of.body is ValveBody:
                outage = OutageId(await parts.numbers.next(company, now))
            context = Context(
                {"ticket": TicketId(ticket_id), "city": city, "crew": phone.crew,
                 "by": phone.who.actor, "text": text},
                Presence(device=phone.device, at_device_ms=asked.at_device_ms, fix=fix,
                         found=found, key=check_in_of(key)),
                outage,
            )  # fmt: skip
            route = f"POST /api/crew/tickets/{ticket_id}/{name}"
            use_case = of.make(asked, context)
            answer = await parts.commits.submit(phone.who, route, key, body_hash(body), use_case)
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return say

    return [handler(name, of) for name, of in DOORS.items()]


def _fix(told: Fix | None, datums: Datums) -> SiteFix | None:
    if told is None:
        return None
    lon, lat = to_wgs84(told, datums)
    return SiteFix(
        lon=lon, lat=lat, accuracy_m=told.accuracy_m, at_ms=told.at_ms,
        battery_pct=told.battery_pct,
    )  # fmt: skip
