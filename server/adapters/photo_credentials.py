"""Content credentials (C2PA) of a photo, from its own bytes: no address in them is followed."""

from __future__ import annotations

import io
from functools import cache

from c2pa import C2paError, Context, Reader, Settings

from dispatch_core.evidence.checks import Credentials

OFFLINE = {
    "verify": {
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
        "verify_after_reading": True,
        "verify_trust": True,
    }
}
"""The reader's own default follows addresses that stand in the upload."""


@cache
def _offline() -> Context:
    return Context(settings=Settings.from_dict(OFFLINE))


def credentials_of(jpeg: bytes) -> Credentials:
    """What a JPEG's credentials come to; call it only where there are some. `valid`: by a signer
    that is trusted here, `unknown_signer`: by anybody, `invalid`: they do not fit the picture."""
    try:
        with Reader("image/jpeg", io.BytesIO(jpeg), context=_offline()) as reader:
            state = reader.get_validation_state()
    except C2paError.ManifestNotFound:
        return "none"
    except C2paError:
        return "invalid"
    found: dict[str | None, Credentials] = {"Trusted": "valid", "Valid": "unknown_signer"}
    return found.get(state, "invalid")
