"""Photos that phones began to send and nobody went on with, and those that no ticket took in: swept
away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from server.adapters import photo_orphans, uploads
from server.adapters.engine_store import EngineTransaction
from server.adapters.photo_blobs import Blobs
from server.adapters.upload_parts import UploadParts

log = logging.getLogger(__name__)


def sweep_of(parts: UploadParts, blobs: Blobs) -> Callable[[EngineTransaction], Awaitable[int]]:
    """The job over the files of these parts and the pictures of this store."""

    async def sweep(tx: EngineTransaction) -> int:
        await uploads.sweep(tx.connection, tx.company, parts)
        try:
            await photo_orphans.sweep(tx.connection, tx.company, blobs)
        except OSError as error:
            log.warning("the store of photos does not let go of unused ones: %s", error)
        return 0

    return sweep
