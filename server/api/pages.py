"""The built screens: pages by name, hashed assets for ever."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect

from dispatch_core.errors import NotFound, Unavailable
from server.settings import CHECKOUT

DIST = CHECKOUT / "web" / "dist"
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/manifest+json", ".webmanifest")

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; worker-src 'self' blob:;"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self';"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


_PRIVATE = frozenset({"application/json", "application/problem+json"})


async def secure(response: Any) -> Any:  # noqa: ANN401 - an answer, or an ASGI app that answers
    """Every page of ours loads only what is ours, and no cache keeps what names a resident, unless
    the answer says so itself; tiles answer by an application of their own."""
    if isinstance(response, Response) and str(response.media_type or "") in _PRIVATE:
        response.headers.setdefault("Cache-Control", "no-store")
    if isinstance(response, Response) and str(response.media_type or "").startswith("text/html"):
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
    return response


def _page(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    path = DIST / f"{name}.html"
    if not path.is_file():
        raise Unavailable(
            "no_screens",
            "The screens have not been built.",
            "Run ./run once, or `npm run build` in web/.",
        )
    body = path.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {**SECURITY, "ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=MediaType.HTML, headers=headers)


def create_handlers() -> list[BaseRouteHandler]:
    """Pages and assets."""

    @get("/", include_in_schema=False)
    async def home() -> Redirect:
        return Redirect("/wall")

    @get("/wall", include_in_schema=False)
    async def wall(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _page(request, "wall")

    @get("/intake", include_in_schema=False)
    async def intake(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _page(request, "intake")

    @get("/desk", include_in_schema=False)
    async def desk(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _page(request, "desk")

    @get("/crew", include_in_schema=False)
    async def crew(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _page(request, "crew")

    @get("/crew-sw.js", include_in_schema=False)
    async def crew_worker() -> Response[bytes]:
        return _file(DIST, "crew-sw.js", "no-cache")  # at the root: its scope is the page's

    @get("/crew-app/{path:path}", include_in_schema=False)
    async def crew_part(path: str) -> Response[bytes]:
        return _file(DIST / "crew-app", path, "public, max-age=86400")

    @get("/t/{token:str}", include_in_schema=False)
    async def followed(request: Request[Any, Any, Any], token: str) -> Response[bytes]:
        del token  # a secret of the page's own: it asks by itself
        return _page(request, "follow")

    @get("/sign-in", include_in_schema=False)
    async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _page(request, "sign-in")

    @get("/assets/{path:path}", include_in_schema=False)
    async def asset(path: str) -> Response[bytes]:
        return _file(DIST / "assets", path, "public, max-age=31536000, immutable")

    return [
        home, wall, intake, desk, crew, crew_worker, crew_part, followed, sign_in, asset,
    ]  # fmt: skip


def _file(folder: Path, path: str, keep: str) -> Response[bytes]:
    """A built file as it is; `keep`: what a cache may do with it. Raises NotFound."""
    root = folder.resolve()
    file = (root / path.lstrip("/")).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise NotFound("no_such_asset", "There is no such file.", "Load the page again.")
    media = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": keep, "X-Content-Type-Options": "nosniff"}
    return Response(file.read_bytes(), media_type=media, headers=headers)
