"""The crews' phones: taking on, checking in, photos under one-time words that the phone signs,
done; and the few that do it wrongly."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.fleet import At
from server.demo.jobs import Job
from server.demo.pictures import again, picture

REUSED, FAR, GALLERY, POOR = 0.02, 0.015, 0.03, 0.12
"""Shares of visits: last one's photos once more, checked in from elsewhere, photos from the gallery
without their headers, a poor fix that is honest all the same."""
KEPT = 40
"""Photos that cheats have at hand."""
STEPS = frozenset({"today", "upload", "chunk"})


@dataclass(slots=True)
class _Work:
    """What is left to do on one site, as the phone knows it."""

    missing: list[str]
    words: dict[str, list[str]] | None = None
    """One-time words by slot; None: the day was not asked for yet."""
    check_in: str = ""
    upload: str | None = None
    photo: bytes = b""
    tries: int = 0
    second_person: bool = False


@dataclass(slots=True)
class Phones:
    """Phones that are signed in, by crew, and their work in hand."""

    seed: int
    keys: Mapping[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    _work: dict[str, _Work] = field(default_factory=dict)
    _seen: list[bytes] = field(default_factory=list)

    def has(self, job: Job) -> bool:
        """Whether the crew that leads has a phone."""
        return job.crew in self.keys

    def take_on(self, job: Job, at: float) -> Call:
        """The crew takes the ticket."""
        return self._say(job, "accept", at, {}, step="confirm")

    def arrive(self, job: Job, here: At, at: float) -> Call:
        """The crew is there, or says so."""
        name = (self.seed, job.id, job.version)
        poor = chance.unit(*name, "poor") < POOR
        if self._cheats(job, "far", FAR):
            here = (here[0] + 0.02, here[1] + 0.012)
        body = {"fix": self._fix(job, here, at, 90.0 if poor else 12.0)}
        call = self._say(job, "check-in", at, body, step="arrive")
        self._work[job.id] = _Work([], check_in=call.key)
        return call

    def next(self, job: Job, at: float, *, over: bool) -> Call | None:
        """The next photo; once there is none left and the work is over, that it is done."""
        work = self._work.get(job.id)
        if work is None or (work.missing and work.words is None):
            return self._today(job, at)
        if work.missing:
            return self._photo(job, work, at)
        if not over:
            return None
        more = {"second_person": "同班组人员"} if work.second_person else {}
        body = {"fix": self._fix(job, job.at, at, 12.0), **more}
        return self._say(job, "done", at, body, step="verify")

    def answer(self, job: Job, call: Call, status: int, body: Body) -> bool:
        """What came back to a phone; True: the ticket need not be read again."""
        work = self._work.setdefault(job.id, _Work([]))
        if call.step == "today":
            self._day(job, work, body)
        elif call.step == "upload":
            work.upload = body.get("upload") if status in {200, 201} else None
            work.tries += 1
            if body.get("code") == "photo_held":
                work.missing = work.missing[1:]
        elif call.step == "chunk" or body.get("missing") is not None:
            self._progress(job, work, call, status, body)
        if call.step == "verify" and status == 409:
            self._work.pop(job.id, None)
        return status in {200, 201}

    def owes(self, job: Job) -> bool:
        """Whether the desk wants a photo again."""
        work = self._work.get(job.id)
        return self.has(job) and work is not None and bool(work.missing)

    def again(self, job: Job, slot: str) -> None:
        """The desk wants another photo of a slot: an honest one this time."""
        self._work[job.id] = _Work([slot], tries=9)

    def forget(self, ticket: str) -> None:
        """It is over."""
        self._work.pop(ticket, None)

    def cheated(self, job: Job) -> bool:
        """Whether the crew's photos were another visit's."""
        return self._cheats(job, "reused", REUSED)

    # ---------------------------------------------------------------- photos
    def _day(self, job: Job, work: _Work, body: Body) -> None:
        mine = next((v for v in body.get("visits", ()) if v["ticket"] == job.id), None)
        work.words = dict(mine["nonces"]) if mine else {}
        if mine is not None:
            work.second_person = bool(mine["unnamed"])
            work.missing = list(mine["missing"])

    def _progress(self, job: Job, work: _Work, call: Call, status: int, body: Body) -> None:
        if call.step != "chunk":
            work.missing = list(body["missing"])
            return
        work.upload = None
        held = body.get("code") == "photo_held"
        if (status == 200 and body.get("done")) or held:
            work.missing = work.missing[1:]
            self._seen = [*self._seen[-KEPT:], work.photo]

    def _photo(self, job: Job, work: _Work, at: float) -> Call:
        slot = work.missing[0]
        if work.upload is not None:
            path = f"/api/crew/uploads/{work.upload}?at=0"
            job.waiting = True
            return Call("PUT", path, None, "", at, job.id, "chunk", photo=work.photo,
                        by=phone_of(job.crew))  # fmt: skip
        honest = work.tries >= 9
        name = (self.seed, job.id, job.version, slot, work.tries)
        if not honest and self.cheated(job) and self._seen:
            work.photo = again(chance.pick(self._seen, *name), *name)
        else:
            work.photo = picture(*name)
        gallery = not honest and self._cheats(job, "gallery", GALLERY)
        words = (work.words or {}).get(slot) or []
        body: Body = {
            "ticket": job.id, "slot": slot, "bytes": len(work.photo),
            "sha256": hashlib.sha256(work.photo).hexdigest(), "media_type": "image/jpeg",
            "source": "gallery" if gallery else "camera", "captured_at_ms": int(at * 1000),
            "visit": work.check_in, "fix": self._fix(job, job.at, at, 10.0),
        }  # fmt: skip
        if words and not gallery:
            body["nonce"] = words.pop(0)
            body["signature"] = self._sign(job, body)
        job.waiting = True
        key = f"demo-{'-'.join(map(str, name))}"
        return Call("POST", "/api/crew/uploads", body, key, at, job.id, "upload",
                    by=phone_of(job.crew))  # fmt: skip

    def _sign(self, job: Job, body: Body) -> str:
        """As the page does it: numbers as JavaScript writes them."""
        fix = body["fix"]
        numbers = (f"{fix[n]:.6f}" for n in ("lon", "lat", "accuracy_m"))
        place = ",".join(n.rstrip("0").rstrip(".") for n in numbers)
        told = (
            "heatops-photo-1", body["nonce"], body["sha256"], body["captured_at_ms"],
            body["ticket"], body["slot"], body["visit"], place,
        )  # fmt: skip
        text = "\n".join(map(str, told)).encode()
        r, s = decode_dss_signature(self.keys[job.crew or ""].sign(text, ec.ECDSA(SHA256())))
        return base64.urlsafe_b64encode(r.to_bytes(32) + s.to_bytes(32)).decode().rstrip("=")

    # ---------------------------------------------------------------- what a phone says
    def _today(self, job: Job, at: float) -> Call:
        job.waiting = True
        return Call("GET", "/api/crew/today", None, "", at, job.id, "today", by=phone_of(job.crew))

    def _say(self, job: Job, what: str, at: float, body: Body, *, step: str) -> Call:
        job.waiting = True
        key = f"demo-{self.seed}-{job.id}-{what}-{job.version}-{int(job.not_before)}"
        path = f"/api/crew/tickets/{job.id}/{what}"
        told: Body = {"at_device_ms": int(at * 1000), **body}
        return Call("POST", path, told, key, at, job.id, step, by=phone_of(job.crew))

    def _fix(self, job: Job, here: At, at: float, accuracy: float) -> Body:
        name = (self.seed, job.crew, at)
        lon, lat = (c + chance.between(-1, 1, *name, k) * 5e-5 for k, c in enumerate(here))
        return {
            "lon": round(lon, 6), "lat": round(lat, 6), "datum": "wgs84",
            "accuracy_m": round(accuracy * chance.between(0.6, 1.4, *name, "accuracy"), 1),
            "at_ms": int(at * 1000) - 2000,
        }  # fmt: skip

    def _cheats(self, job: Job, how: str, share: float) -> bool:
        """Whether this visit is one of the few; after a reopening people look at it closely."""
        return chance.unit(self.seed, job.id, job.crew, how) < share and not job.reopened


def phone_of(crew: str | None) -> str:
    """The name of a crew's session among the client's."""
    return f"crew:{crew}"
