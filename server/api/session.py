"""Signing in and out, what a screen needs to begin, and passes for the websocket."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body

from dispatch_core.errors import Forbidden, NotFound
from realtime.messages import BusinessTime
from server import __version__
from server.adapters.accounts import SESSION_DAYS, Accounts
from server.adapters.cities import Cities
from server.adapters.clock import BusinessClock
from server.api.gate import Gate, Unauthenticated, check_origin, cookie_name, session_secret
from server.api.live import Connections


class LinkSignIn(msgspec.Struct, kw_only=True):
    """The token of a one-time URL; the first one also chooses user and password."""

    token: str
    user: str | None = None
    password: str | None = None


class PasswordSignIn(msgspec.Struct, kw_only=True):
    """User and password."""

    user: str
    password: str


class SignedIn(msgspec.Struct, kw_only=True):
    """The session is in the cookie."""

    signed_in: bool = True


class CompanyChoice(msgspec.Struct, kw_only=True):
    """A company's code."""

    code: str


class CompanyView(msgspec.Struct, kw_only=True):
    """The session's company."""

    code: str
    name: str
    timezone: str
    demo: bool


class CompanyLine(msgspec.Struct, kw_only=True):
    """A company the account may see."""

    code: str
    name: str


class CityView(msgspec.Struct, kw_only=True):
    """The basemap and where it lies, WGS-84 degrees."""

    name: str
    tiles: str
    attribution: str
    west: float
    south: float
    east: float
    north: float
    center_lon: float
    center_lat: float


class SessionView(msgspec.Struct, kw_only=True):
    """Everything a screen needs to begin."""

    user: str
    role: str | None
    """administrator, manager, seat, wall or crew; null for a source."""
    crew: str | None
    """The crew whose phone this is, and which of its phones; null for a person or a source."""
    device: str | None
    version: str
    company: CompanyView
    companies: list[CompanyLine]
    city: CityView | None
    business: BusinessTime


class PassView(msgspec.Struct, kw_only=True):
    """Opens one websocket within 30 s."""

    pass_: str = msgspec.field(name="pass")


def session_cookie(request: Request[Any, Any, Any], secret: str) -> Cookie:
    """The cookie that carries a session on the way on which the request came."""
    return Cookie(
        key=cookie_name(request),
        value=secret,
        max_age=SESSION_DAYS * 86400,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def _signed_in(request: Request[Any, Any, Any], secret: str) -> Response[SignedIn]:
    return Response(SignedIn(), status_code=200, cookies=[session_cookie(request, secret)])


def create_handlers(
    accounts: Accounts, gate: Gate, cities: Cities, clock: BusinessClock, connections: Connections
) -> list[BaseRouteHandler]:
    """Sign-in, session and passes."""

    @post("/api/sign-in/link", status_code=200, tags=["session"])
    async def sign_in_link(
        request: Request[Any, Any, Any],
        data: Annotated[
            LinkSignIn,
            Body(
                examples=[
                    Example(
                        value={"token": "…", "user": "admin", "password": "correct horse battery"}
                    )
                ]
            ),
        ],
    ) -> Response[SignedIn]:
        """Sign in by the one-time URL that heatops printed; the first makes the administrator."""
        check_origin(request)
        return _signed_in(request, await accounts.spend_link(data.token, data.user, data.password))

    @post("/api/sign-in", status_code=200, tags=["session"])
    async def sign_in(
        request: Request[Any, Any, Any],
        data: Annotated[
            PasswordSignIn,
            Body(examples=[Example(value={"user": "admin", "password": "correct horse battery"})]),
        ],
    ) -> Response[SignedIn]:
        """Sign in by user and password."""
        check_origin(request)
        return _signed_in(request, await accounts.sign_in(data.user, data.password))

    @post("/api/sign-out", status_code=200, tags=["session"])
    async def sign_out(request: Request[Any, Any, Any]) -> Response[SignedIn]:
        """End the session; its screens are closed at once."""
        principal = await gate.principal(request)
        await accounts.sign_out(session_secret(request))
        gate.forget(principal.secret_hash)
        await connections.session_ended(principal.secret_hash)
        over = session_cookie(request, "")
        over.max_age = 0
        return Response(SignedIn(signed_in=False), cookies=[over])

    @get("/api/session", tags=["session"])
    async def session(request: Request[Any, Any, Any]) -> SessionView:
        """Who is signed in, the company, its city, and business time."""
        principal = await gate.principal(request)
        known = (
            await accounts.by_session(principal.secret_hash) if principal.kind == "person" else None
        )
        company = await cities.company(principal.company)
        if company is None:
            raise NotFound("no_company", "The company is gone.", "Sign in again.")
        city = await cities.city(principal.company)
        account = known[1] if known else None
        others = await accounts.companies(account) if account is not None else []
        return SessionView(
            user=principal.name,
            role=principal.role,
            crew=principal.crew,
            device=principal.device,
            version=__version__,
            company=CompanyView(
                code=company.code, name=company.name, timezone=company.timezone, demo=company.demo
            ),
            companies=[CompanyLine(code=c.code, name=c.name) for c in others],
            city=CityView(
                name=city.name,
                tiles=f"/tiles/{company.code}/{city.tiles}.pmtiles",
                attribution=city.attribution,
                west=city.bounds.west,
                south=city.bounds.south,
                east=city.bounds.east,
                north=city.bounds.north,
                center_lon=city.center[0],
                center_lat=city.center[1],
            )
            if city
            else None,
            business=clock.wire(),
        )

    @post("/api/session/company", status_code=200, tags=["session"])
    async def change_company(
        request: Request[Any, Any, Any],
        data: Annotated[CompanyChoice, Body(examples=[Example(value={"code": "demo"})])],
    ) -> SignedIn:
        """Look at another company the account belongs to."""
        principal = await gate.principal(request)
        if not await accounts.move(principal.secret_hash, data.code):
            raise Forbidden(
                "not_a_member",
                "This account does not belong to that company.",
                "Choose one of yours.",
            )
        gate.forget(principal.secret_hash)
        await connections.session_ended(principal.secret_hash)
        return SignedIn()

    @post("/api/live-passes", status_code=201, tags=["live"])
    async def live_pass(request: Request[Any, Any, Any]) -> PassView:
        """A single-use pass for `/live`, valid for 30 s."""
        principal = await gate.principal(request)
        made = await accounts.make_pass(principal.secret_hash)
        if made is None:
            raise Unauthenticated("not_signed_in", "Passes are for sessions.", "Sign in first.")
        return PassView(pass_=made)

    return [sign_in_link, sign_in, sign_out, session, change_company, live_pass]
