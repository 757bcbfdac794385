"""CPU of one photo's checks: a 12-megapixel JPEG beside the plain way, and the part that the web's
request does while the phone waits."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pdqhash
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from benchmarks._figure import figure
from benchmarks._photo_changes import jpeg, scene
from dispatch_core.evidence import POLICY, Likeness, PhotoFacts, SiteWindow, judge
from ext.exposure import exposure
from ext.fence import signed_distance_m
from ext.hamming import HashIndex
from ext.pdq import pdq_dihedral
from server.adapters import device_signatures
from server.adapters.image_reader import grey_of
from server.adapters.keys import Keys
from server.adapters.photo_exif import exif_of
from server.adapters.photo_features import mirrored, points_of
from server.adapters.photo_nonces import Bound, Nonces
from server.adapters.upload_parts import UploadParts
from server.adapters.vault import Vault
from server.api.upload_end import look
from server.jobs.photo_worker import PIXELS_MOST

WIDTH, HEIGHT = 4000, 3000
ROUNDS = 9
SEEN = 100_000
RING = np.array(
    [[126.63, 45.75], [126.6302, 45.75], [126.6302, 45.7502], [126.63, 45.7502], [126.63, 45.75]]
)


UPLOAD = "A" * 22
BOUND = Bound(1, "260114-000123", "fault_point", "C07", "phone-1")
NOW = datetime(2026, 1, 14, 9, 30, tzinfo=UTC)


def text_of(word: str, digest: str) -> bytes:
    """What the phone signs."""
    at_ms = round(NOW.timestamp() * 1000)
    return device_signatures.signed_text(
        word, digest, at_ms, BOUND.ticket, BOUND.slot, "in-1", spot=(126.63, 45.75, 8.0)
    )


def phone(vault: Vault, digest: str) -> tuple[str, str, bytes]:
    """A one-time word, the signature made with it, and the key's public point."""
    word = Nonces(vault).words(BOUND, 0, NOW)[0]
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(text_of(word, digest), ec.ECDSA(SHA256())))
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return word, base64.urlsafe_b64encode(r.to_bytes(32) + s.to_bytes(32)).decode(), point


def milliseconds(work: Callable[[], object]) -> float:
    """CPU of one call, the median of several."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append((time.process_time() - start) * 1e3)
    return median(found)


def main() -> None:
    """Print every figure."""
    data = jpeg(scene(5, WIDTH, HEIGHT), 93)
    random = np.random.default_rng(2)
    index = HashIndex()
    index.add(random.integers(0, 256, (SEEN, 32), np.uint8))
    index.rebuild()
    with TemporaryDirectory() as folder:
        keys = Keys(Path(folder))
        keys.ensure()
        vault = Vault(keys)
    parts = UploadParts(Path(folder), vault)
    sealed = parts.opened(1, UPLOAD, data)  # the same way in and out

    def checks() -> None:
        """All but what compares points."""
        grey, facts = grey_of(data, PIXELS_MOST)
        assert facts is not None
        hashes, quality = pdq_dihedral(grey)
        for one in dict.fromkeys(hashes):
            index.search(one, POLICY.photos.eye_bits)
        sharpness, mean, _, _ = exposure(grey)
        seen = PhotoFacts(
            quality=quality, sharpness=sharpness, mean=mean, nonce_holds=True,
            signature_holds=True, exif="none" if exif_of(facts) == "none" else "intact",
        )  # fmt: skip
        judge(seen, SiteWindow(in_at_ms=0), Likeness(), POLICY)

    def plainly() -> None:
        """Opened whole and hashed by the package; one view, nothing else."""
        with Image.open(io.BytesIO(data)) as opened:
            pdqhash.compute(np.asarray(opened.convert("RGB")))

    word, signed, point = phone(vault, hashlib.sha256(data).hexdigest())

    def request() -> None:
        """While the phone waits for the answer to its last byte; the transfer is not counted."""
        whole = parts.opened(1, UPLOAD, sealed)
        seen = look(whole)
        assert seen.picture is not None
        assert Nonces(vault).holds(word, BOUND, NOW, POLICY.photos.nonce_valid_s)
        assert device_signatures.holds(point, signed, text_of(word, seen.digest))
        signed_distance_m([RING], 126.6301, 45.7503)
        vault.seal_photo(1, seen.digest, whole)

    def points() -> None:
        grey, _ = grey_of(data, PIXELS_MOST)
        points_of(grey)
        points_of(mirrored(grey))

    megabytes = len(data) / 1e6
    ours, theirs = milliseconds(checks), milliseconds(plainly)
    figure(
        "photo_verdict.checks", ours, "ms", target="<= 80 ms", ok=ours <= 80,
        note=f"CPU; {WIDTH} x {HEIGHT}, {megabytes:.1f} MB, eight views among {SEEN:,} photos",
    )  # fmt: skip
    figure(
        "photo_verdict.plain", ours, "ms", baseline=theirs, ratio=theirs / ours, target=">= 7 x",
        ok=theirs / ours >= 7, note="beside a full decode and pdqhash of one view",
    )  # fmt: skip
    asked = milliseconds(request)
    figure(
        "photo_verdict.request", asked, "ms", target="<= 5 ms", ok=asked <= 5,
        note="CPU: part opened, digest, magic, EXIF, one-time word, signature, fence, sealed",
    )  # fmt: skip
    figure("photo_verdict.points", milliseconds(points), "ms", note="decode and points, both ways")


if __name__ == "__main__":
    main()
