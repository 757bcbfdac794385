"""A crew's phone as it is: signed in with a code, with a key of its own, sending photos in
chunks."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import httpx
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from path_house import LAT, LON, Caller, House
from PIL import Image
from test_crew_phones import jwk, new_code, sign_in


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def picture(seed: int, side: int = 320, quality: int = 90) -> bytes:
    """A JPEG that no other seed gives."""
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 256, (9, 12, 3), np.uint8))
    out = BytesIO()
    coarse.resize((side, side * 3 // 4), Image.Resampling.BICUBIC).save(
        out, "JPEG", quality=quality
    )
    return out.getvalue()


def key(prefix: str = "up") -> str:
    return f"{prefix}-{uuid.uuid4()}"


@dataclass
class Phone:
    """Signed in; `at` speaks to another web process with the same session."""

    house: House
    crew: str
    caller: Caller
    key: ec.EllipticCurvePrivateKey
    device: str
    check_in_key: str = field(default_factory=lambda: key("in"))

    def at(self, url: str) -> Phone:
        other = Caller(url)
        other.http.cookies.update(self.caller.http.cookies)
        return Phone(self.house, self.crew, other, self.key, self.device, self.check_in_key)

    def now_ms(self) -> int:
        return int(self.house.business_now().timestamp() * 1000)

    def fix(self, **more: Any) -> dict[str, Any]:
        at_ms = self.now_ms() - 1000
        here = {"lon": LON, "lat": LAT, "datum": "wgs84", "accuracy_m": 8.0, "at_ms": at_ms}
        return here | more

    def say(
        self, ticket: str, what: str, *, once: str | None = None, **more: Any
    ) -> httpx.Response:
        body = {"at_device_ms": self.now_ms(), "fix": self.fix()} | more
        if what == "check-in":
            self.check_in_key = once = once or key("in")
        return self.caller.post(f"/api/crew/tickets/{ticket}/{what}", body, key=once)

    def ok(self, ticket: str, what: str, **more: Any) -> Any:
        answer = self.say(ticket, what, **more)
        assert answer.status_code == 200, (what, answer.text)
        return answer.json()

    def today(self) -> Any:
        return self.caller.get("/api/crew/today")

    # ------------------------------------------------------------ photos
    def announce(self, ticket: str, slot: str, photo: bytes, **more: Any) -> dict[str, Any]:
        """The body that begins an upload; signed where it names a one-time word."""
        body: dict[str, Any] = {
            "ticket": ticket, "slot": slot, "sha256": hashlib.sha256(photo).hexdigest(),
            "bytes": len(photo), "media_type": "image/jpeg", "source": "camera",
            "captured_at_ms": self.now_ms(), "visit": self.check_in_key, "fix": self.fix(),
        } | more  # fmt: skip
        if body.get("nonce") and "signature" not in body:
            body["signature"] = self.sign(body)
        return body

    def sign(self, body: dict[str, Any]) -> str:
        """As the page signs it: numbers as JavaScript writes them."""
        fix = body.get("fix")
        place = ",,"
        if fix:
            numbers = (fix["lon"], fix["lat"], fix["accuracy_m"])
            place = ",".join(f"{n:g}" if n == int(n) else repr(n) for n in numbers)
        lines = (
            "heatops-photo-1", body["nonce"], body["sha256"], body["captured_at_ms"],
            body["ticket"], body["slot"], body["visit"], place,
        )  # fmt: skip
        signed = self.key.sign("\n".join(map(str, lines)).encode(), ec.ECDSA(SHA256()))
        r, s = decode_dss_signature(signed)
        return b64(r.to_bytes(32) + s.to_bytes(32))

    def begin(self, body: dict[str, Any], once: str | None = None) -> Any:
        answer = self.caller.post("/api/crew/uploads", body, key=once or key())
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def put(self, upload: str, at: int, chunk: bytes) -> httpx.Response:
        return self.caller.http.put(
            f"/api/crew/uploads/{upload}", params={"at": at}, content=chunk,
            headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip

    def how_far(self, upload: str) -> Any:
        return self.caller.get(f"/api/crew/uploads/{upload}")

    def send(self, ticket: str, slot: str, photo: bytes, **more: Any) -> Any:
        """A photo sent whole, in a few chunks; what it ended as."""
        upload = self.begin(self.announce(ticket, slot, photo, **more))["upload"]
        step = max(1, len(photo) // random.Random(len(photo)).randint(1, 4))
        answer: Any = None
        for at in range(0, len(photo), step):
            sent = self.put(upload, at, photo[at : at + step])
            assert sent.status_code == 200, sent.text
            answer = sent.json()
        assert answer["done"], answer
        return answer["done"]


def signed_in(house: House, crew: str) -> Phone:
    """A new phone of the crew."""
    own = ec.generate_private_key(ec.SECP256R1())
    caller = Caller(house.url)
    answer = sign_in(caller, new_code(house, crew), device_key=jwk(own))
    assert answer.status_code == 200, answer.text
    return Phone(house, crew, caller, own, answer.json()["device"])
