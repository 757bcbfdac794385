"""Every door of the web application, as the application itself lists them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import NamedTuple

from litestar.routes import HTTPRoute
from path_house import House

from server.app.web import create_app
from server.settings import Settings

OPEN = {
    "/", "/health", "/wall", "/intake", "/desk", "/t/{token}", "/sign-in", "/assets/{path}",
    "/crew", "/crew-sw.js", "/crew-app/{path}",
    "/api/sign-in", "/api/sign-in/link", "/api/sign-out", "/api/t/{token}", "/docs",
    "/docs/openapi.json", "/docs/{path}", "/ca", "/ca/heatops-ca.crt", "/api/crew/sign-in",
}  # fmt: skip
"""Nobody needs to be signed in: pages without data, the ways in and out, and a resident's link."""


OF_CREWS = "/api/crew/"
"""What begins like this is for the phones of crews, and for nobody else."""


class Door(NamedTuple):
    """One method of one path; the path's parameters stand as {name}."""

    method: str
    path: str

    def at(self, names: Mapping[str, str]) -> str:
        """The path of a record: its parameters by name."""
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], self.path)


def doors(house: House) -> list[Door]:
    """GET, POST, PUT and DELETE of every route, also of those that no document mentions."""
    settings = Settings(
        data=house.data, database_url=house.database_url, redis_url=house.valkey.url
    )
    with warnings.catch_warnings():  # of the web process, where they stop nobody
        warnings.simplefilter("ignore", DeprecationWarning)
        app = create_app(settings)
    found = [
        Door(method, re.sub(r":\w+\}", "}", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods - {"HEAD", "OPTIONS"})
    ]
    assert {door.method for door in found} == {"GET", "POST", "PUT", "DELETE"}
    return found


def guarded(house: House) -> list[Door]:
    """Doors at which somebody must be signed in."""
    found = doors(house)
    assert {door.path for door in found} >= OPEN
    return [door for door in found if door.path not in OPEN]
