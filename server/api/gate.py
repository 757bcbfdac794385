"""Who may come in: the session cookie of a person or a crew's phone, or a source's token,
looked up once and remembered for seconds."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from dispatch_core.errors import Forbidden, Invalid
from dispatch_core.ids import CrewId
from server.adapters.accounts import Accounts, Principal, Role, hash_secret
from server.adapters.clock import monotonic

COOKIE = "heatops_session"
SECURE_COOKIE = "__Host-heatops_session"
"""Over TLS: browsers keep cookies by host and not by port, and this one apart from that of plain
HTTP, so that a phone's session and a desk's on the same host do not end one another."""
REMEMBER_S = 10.0
MOST = 10_000


WALL_READS = (
    "/api/session", "/api/layers", "/api/tickets", "/api/outages", "/api/crews", "/api/points",
    "/api/nodes", "/api/communities", "/api/cells", "/tiles/",
)  # fmt: skip
WALL_WRITES = frozenset({"/api/sign-out", "/api/session/company", "/api/live-passes"})
"""All that a wall's session reaches: what stands on a wall, and the records behind its marks."""
CREW_REACHES = frozenset({"/api/session", "/api/sign-out", "/api/live-passes"})
"""All that a crew's phone reaches, beside /api/crew/."""


class Unauthenticated(Forbidden):
    """No session and no token, or one that has ended: HTTP 401."""


class CrewPrincipal(NamedTuple):
    """A crew's phone."""

    who: Principal
    crew: CrewId
    device: str


class Gate:
    """Finds the principal of a connection.
    A revoked session is noticed within REMEMBER_S seconds, at once in this process."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
        """The principal of a request.

        Raises:
            Unauthenticated: `not_signed_in`, `device_revoked`. Forbidden: `cross_site`, a
                page of another site sent it.
        """
        header = connection.headers.get("authorization", "")
        if header.startswith("Bearer "):
            secret, cookie = header[7:].strip(), False
        else:
            secret, cookie = session_secret(connection), True
        if cookie and secret and connection.scope.get("method") not in {"GET", "HEAD", "OPTIONS"}:
            check_origin(connection)
        hashed = hash_secret(secret)
        known = self._known.get(hashed)
        now = monotonic()
        # A person's POST asks again: the session may have moved to another company elsewhere.
        writes = cookie and connection.scope.get("method") == "POST"
        if known is not None and now - known[0] < REMEMBER_S and not writes:
            return _let_in(connection, known[1])
        found = await self._look_up(secret, hashed, cookie=cookie) if secret else None
        if found is None:
            self._known.pop(hashed, None)
            if cookie and secret and await self._accounts.revoked(hashed):
                raise Unauthenticated(
                    "device_revoked",
                    "The desk has revoked this phone.",
                    "Ask the desk for a new code and sign in again.",
                )
            raise Unauthenticated(
                "not_signed_in",
                "This request carries no session and no token that is still valid.",
                "Sign in again, or send Authorization: Bearer with the source's token.",
            )
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[hashed] = (now, found)
        return _let_in(connection, found)

    async def person(
        self, connection: ASGIConnection[Any, Any, Any, Any], *roles: Role
    ) -> Principal:
        """The principal of a request that only people with one of these roles may make.

        Raises:
            Unauthenticated: `not_signed_in`. Forbidden: `cross_site`, `role_needed`.
        """
        principal = await self.principal(connection)
        if principal.role not in roles:
            raise _role_needed(principal, roles)
        return principal

    async def crew(self, connection: ASGIConnection[Any, Any, Any, Any]) -> CrewPrincipal:
        """The principal of a request that only a crew's phone may make.

        Raises:
            Unauthenticated: `not_signed_in`. Forbidden: `cross_site`, `crew_needed`.
        """
        principal = await self.principal(connection)
        if principal.crew is None or principal.device is None:
            raise Forbidden(
                "crew_needed",
                "This is for the phone of a crew.",
                "Sign in on the crew's phone with a code from the desk.",
            )
        return CrewPrincipal(principal, principal.crew, principal.device)

    async def _look_up(self, secret: str, hashed: bytes, *, cookie: bool) -> Principal | None:
        if not cookie:
            return await self._accounts.by_token(secret)
        session = await self._accounts.by_session(hashed)
        return session[0] if session else None

    def forget(self, secret_hash: bytes) -> None:
        """The session has ended or moved."""
        self._known.pop(secret_hash, None)


def _let_in(connection: ASGIConnection[Any, Any, Any, Any], principal: Principal) -> Principal:
    """The principal, unless a wall asks for more than stands on it, or a crew's phone for more than
    its day."""
    path = connection.scope["path"]
    if principal.role == "wall":
        reads = connection.scope.get("method") in {"GET", "HEAD"} and path.startswith(WALL_READS)
        if not reads and path not in WALL_WRITES:
            raise _role_needed(principal, ("administrator", "manager", "seat"))
    crew_reaches = path.startswith("/api/crew/") or path in CREW_REACHES
    if principal.role == "crew" and not crew_reaches:
        raise _role_needed(principal, ("administrator", "manager", "seat"))
    return principal


def cookie_name(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The name of the session's cookie on this way in."""
    return SECURE_COOKIE if connection.url.scheme == "https" else COOKIE


def session_secret(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The session's secret that a browser sends; empty if it sends none."""
    return connection.cookies.get(cookie_name(connection), "")


def _role_needed(principal: Principal, roles: tuple[Role, ...]) -> Forbidden:
    return Forbidden(
        "role_needed",
        f"This is for people with the role {', '.join(roles)};"
        f" this {principal.kind} is {principal.role or 'a source'}.",
        "Sign in as somebody who has the role, or ask an administrator for it:"
        " heatops account add NAME --role ROLE.",
    )


def check_origin(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Raises Forbidden `cross_site` if a browser says that another site's page sent this."""
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise Forbidden(
            "cross_site",
            "This request comes from a page of another site.",
            "Use heatops's own pages.",
        )


def idempotency_key(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The Idempotency-Key of a POST.

    Raises:
        Invalid: `key_missing`, `key_malformed`.
    """
    key = connection.headers.get("idempotency-key")
    if key is None:
        raise Invalid(
            "key_missing",
            "This POST needs the header Idempotency-Key.",
            "Send a new random key with each new request, and the same key when you repeat it.",
        )
    if not 8 <= len(key) <= 128 or not key.isascii() or not key.isprintable():
        raise Invalid(
            "key_malformed",
            "The Idempotency-Key is not 8 to 128 printable ASCII characters.",
            "A UUID serves well.",
        )
    return key
