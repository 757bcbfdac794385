"""Crews' phones: a code from the desk, signing in with it, the phones of a crew, revoking one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.ids import CrewId
from server.adapters.accounts import Role
from server.adapters.crew_devices import CrewDevice, CrewDevices, NewCode
from server.adapters.device_keys import Jwk, device_key
from server.adapters.records import Records
from server.api.documents import decode_body, described, found
from server.api.gate import Gate, check_origin
from server.api.live import Connections
from server.api.session import session_cookie

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")


class CrewSignIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The code from the desk, the phone's public key, and what people call the phone."""

    code: Annotated[str, msgspec.Meta(max_length=20)]
    device_key: Jwk
    device_name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class CrewSignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The session is in the cookie."""

    crew: CrewId
    device: str


class DeviceList(msgspec.Struct, frozen=True, kw_only=True):
    """A crew's phones, the latest first."""

    items: list[CrewDevice]


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """The phone's session has ended."""

    device: str
    revoked: bool = True


EXAMPLE = {
    "code": "40718265",
    "device_key": {
        "kty": "EC", "crv": "P-256", "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
        "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    },
    "device_name": "班长的手机",
}  # fmt: skip


def create_handlers(
    gate: Gate, devices: CrewDevices, records: Records, connections: Connections
) -> list[BaseRouteHandler]:
    """The desk's side and the phone's."""

    @post("/api/crews/{crew_id:str}/code", status_code=201, tags=["crews"])
    async def code(request: Request[Any, Any, Any], crew_id: str) -> Response[NewCode]:
        """A one-time code for a phone of the crew, good for ten minutes; one made before ends."""
        principal = await gate.person(request, *DESK)
        found(await records.crew(principal.company, crew_id), "crew", crew_id)
        made = await devices.make_code(principal.company, CrewId(crew_id), principal.actor)
        return Response(made, status_code=201, headers={"Cache-Control": "no-store"})

    @post(
        "/api/crew/sign-in",
        status_code=200,
        tags=["crew"],
        operation_class=described(
            CrewSignIn, EXAMPLE, CrewSignedIn,
            {"crew": "C07", "device": "Zm9yZXZlcmFuZGFkYXkxMg"}, keyed=False,
        ),
    )  # fmt: skip
    async def sign_in(request: Request[Any, Any, Any]) -> Response[CrewSignedIn]:
        """Sign a crew's phone in with a code from the desk."""
        check_origin(request)
        body = decode_body(await request.body(), CrewSignIn)
        key = device_key(body.device_key)
        address = request.client.host if request.client else ""
        entered = await devices.sign_in(body.code, key, body.device_name, address)
        return Response(
            CrewSignedIn(crew=entered.crew, device=entered.device),
            status_code=200,
            cookies=[session_cookie(request, entered.secret)],
        )

    @get("/api/crews/{crew_id:str}/devices", tags=["crews"])
    async def listed(request: Request[Any, Any, Any], crew_id: str) -> DeviceList:
        """The phones that are or were the crew's."""
        principal = await gate.person(request, *DESK)
        found(await records.crew(principal.company, crew_id), "crew", crew_id)
        return DeviceList(items=await devices.devices(principal.company, CrewId(crew_id)))

    @post("/api/crews/{crew_id:str}/devices/{device:str}/revoke", status_code=200, tags=["crews"])
    async def revoke(request: Request[Any, Any, Any], crew_id: str, device: str) -> Revoked:
        """End a phone's session, e.g. of one that was lost; it comes back with a new code only."""
        principal = await gate.person(request, *DESK)
        session = await devices.revoke(principal.company, CrewId(crew_id), device, principal.actor)
        gate.forget(session)
        await connections.session_ended(session)
        return Revoked(device=device)

    return [code, sign_in, listed, revoke]
