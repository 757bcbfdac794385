"""The API's pages: our own screen over the OpenAPI document, with nothing loaded from elsewhere."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from typing_extensions import override

from server.api.pages import DIST


class DocsPage(OpenAPIRenderPlugin):
    """`/docs`: the built page, which reads `/docs/openapi.json`."""

    def __init__(self) -> None:
        super().__init__(path="/")

    @override
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as built; until then a plain link to the document."""
        page = DIST / "docs.html"
        if page.is_file():
            return page.read_bytes()
        return (
            b"<!doctype html><title>heatops API</title>"
            b'<a href="/docs/openapi.json">openapi.json</a>'
        )


def plugins() -> list[OpenAPIRenderPlugin]:
    """The page and the document."""
    return [DocsPage(), JsonRenderPlugin(path="/openapi.json")]
