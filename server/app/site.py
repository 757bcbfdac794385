"""The doors of the work on site: what a crew's phone says, and what the desk decides about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from litestar.handlers import BaseRouteHandler

from geo.datums import Datums
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.crew_day_reads import CrewDayReads
from server.adapters.crew_devices import CrewDevices
from server.adapters.evidence_queue import EvidenceQueue
from server.adapters.evidence_reads import EvidenceReads
from server.adapters.fix_checks import FixChecks
from server.adapters.numbers import Numbers
from server.adapters.photo_nonces import Nonces
from server.adapters.photo_views import PhotoViews
from server.adapters.photos import Photos
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.sham_reads import ShamReads
from server.adapters.upload_parts import UploadParts
from server.adapters.uploads import Uploads
from server.adapters.vault import Vault
from server.api import (
    crew_app,
    crew_today,
    evidence,
    evidence_photos,
    sham,
    upload_end,
    uploads,
)
from server.api.gate import Gate
from server.jobs.drawing import drawn_by
from server.jobs.worker import Worker


class Parts(NamedTuple):
    """What these doors are made of."""

    gate: Gate
    pool: Pool
    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock
    numbers: Numbers
    datums: Datums
    photos: Photos
    folder: Path
    """Where photos lie while they are on their way."""


def create_handlers(parts: Parts) -> list[BaseRouteHandler]:
    """All of them."""
    gate, pool, commits, vault, policies, clock, numbers, datums, photos, folder = parts
    fixes, nonces = FixChecks(pool), Nonces(vault)
    phone = crew_app.Parts(commits, vault, policies, clock, numbers, fixes, datums)
    ends = upload_end.Parts(
        pool, commits, policies, clock, fixes, datums, photos,
        Uploads(pool, UploadParts(folder, vault)), CrewDevices(pool, vault), nonces,
    )  # fmt: skip
    viewer = Worker("photo viewer", part="photo-viewer")
    return [
        *crew_app.create_handlers(gate, phone),
        *crew_today.create_handlers(
            gate, crew_today.Parts(CrewDayReads(pool, vault, nonces), policies, clock)
        ),
        *uploads.create_handlers(gate, ends),
        *evidence.create_handlers(
            gate,
            evidence.Reading(EvidenceQueue(pool, policies), EvidenceReads(pool, policies)),
            evidence.Writing(commits, vault, policies, clock),
        ),
        *evidence_photos.create_handlers(gate, PhotoViews(pool, photos, vault, drawn_by(viewer))),
        *sham.create_handlers(gate, ShamReads(pool), policies, clock),
    ]
