"""Files into the register and out of it over HTTP, and the record of every import."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, get_args

import msgspec
from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter
from litestar.response import File, Stream

from dispatch_core.errors import Invalid, NotFound
from server.adapters.clock import system_now
from server.adapters.exports import Exports
from server.adapters.idempotency import Key, earlier, keep
from server.adapters.imports.rows import Imported, ImportKind, Wish
from server.adapters.imports.runs import Runs, RunShown, SavedMapping
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, raw_body
from server.api.gate import Gate, idempotency_key
from server.settings import UserError

MAX_FILE = 64 << 20
KINDS: tuple[ImportKind, ...] = get_args(ImportKind)
MOST_RUNS = 200
LEFT_BEHIND_S = 6 * 3600
"""No file is read or fetched for so long."""
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TABLES = ("text/csv", "application/gzip", MEDIA["xlsx"])


class RunList(msgspec.Struct, kw_only=True):
    """Imports, newest first."""

    items: list[RunShown]
    next: str | None
    total: int


Column = Annotated[str, msgspec.Meta(max_length=300)]


class MappingBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which column of a file holds which field; `=value` instead of a column stands in every
    row."""

    kind: ImportKind
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    mapping: Annotated[dict[str, Column], msgspec.Meta(min_length=1, max_length=60)]


class MappingList(msgspec.Struct, kw_only=True):
    """Saved mappings by kind and name; `fields`: what a mapping of the kind asked for may name."""

    items: list[SavedMapping]
    fields: list[str] = []


class Files(Protocol):
    """Reads and writes the files themselves; given by the composition root."""

    runs: Runs
    exports: Exports

    async def take(self, wish: Wish) -> Imported:
        """Import a file. Raises UserError and Refused by the file's own code."""

    async def workbook(self, company: int, kind: ImportKind, path: Path) -> int:
        """Write a kind to a workbook; its rows. Raises UserError."""

    def pieces(self, company: int, kind: ImportKind) -> AsyncIterator[bytes]:
        """A kind as CSV, piece by piece."""

    async def fields(self, company: int, kind: ImportKind) -> list[str]:
        """The fields that a mapping of this kind may name."""


class ImportDoor(NamedTuple):
    """What the handlers need."""

    gate: Gate
    files: Files
    pool: Pool
    vault: Vault
    folder: Path

    async def received(self, request: Request[Any, Any, Any]) -> tuple[Path, bytes]:
        """The body in a file of its own, and its digest. The caller deletes it."""
        path = await asyncio.to_thread(self.draft, ".upload-")
        digest = hashlib.blake2b(digest_size=16)
        try:
            with path.open("wb") as file:
                async for chunk in request.stream():
                    digest.update(chunk)
                    file.write(chunk)
        except BaseException:
            remove(path)
            raise
        return path, digest.digest()

    def draft(self, prefix: str, suffix: str = "") -> Path:
        """A new file, 0600; those that a killed process left behind go."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.folder.glob(".*-*"):
            if system_now().timestamp() - left.stat().st_mtime > LEFT_BEHIND_S:
                remove(left)
        descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=self.folder)
        os.close(descriptor)
        return Path(name)

    async def take(self, asked: Key, hashed: bytes, wish: Wish) -> bytes:
        """Import a file; the answer to the same request sent before.

        Raises:
            Refused: `key_reused`, `import_running`, by the file's own code.
        """
        company, keyed = wish.principal.company, self.vault.keyed(hashed)
        async with self.pool.company(company) as c:
            stored = await earlier(c, company, asked, keyed)
        if stored is not None:
            return stored.body
        try:
            done = await self.files.take(wish)
        except UserError as error:
            told = error.message.replace(wish.path.name, wish.file_name)
            raise Invalid(error.code, told, error.what_to_do) from None
        # the answer is kept under its key, and what is kept names no resident
        shown = [reject.unquoted() for reject in done.rejects]
        done = msgspec.structs.replace(done, rejects_file=None, rejects=shown)
        async with self.pool.company(company) as c:
            again = await earlier(c, company, asked, keyed)
            return (again or await keep(c, company, asked, keyed, done)).body


def remove(path: Path) -> None:
    """A file that served its turn."""
    path.unlink(missing_ok=True)


def kind_named(name: str) -> ImportKind:
    """Raises NotFound `no_such_kind`."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise NotFound(
        "no_such_kind", f"{name[:40]!r} is no kind of file.", f"Take one of {', '.join(KINDS)}."
    )


def create_handlers(door: ImportDoor) -> list[BaseRouteHandler]:
    """Imports, mappings and exports."""
    gate, runs = door.gate, door.files.runs

    @post(
        "/api/imports/{kind:str}",
        status_code=200,
        tags=["imports"],
        request_max_body_size=MAX_FILE,
        operation_class=raw_body(
            TABLES, "The file as it is: CSV (gzipped too) or a workbook", keyed=True
        ),
    )
    async def take_file(
        request: Request[Any, Any, Any],
        kind: str,
        file_name: Annotated[str, Parameter(max_length=200)] = "",
        mapping: Annotated[str | None, Parameter(max_length=60)] = None,
        save_mapping: Annotated[str | None, Parameter(max_length=60)] = None,
        sheet: Annotated[str | None, Parameter(max_length=60)] = None,
        *,
        dry: bool = False,
    ) -> Response[bytes]:
        """Import a .csv, .csv.gz or .xlsx file, its bytes as the body, up to 64 MB. `dry`: count
        only. What is missing from the file stays as it is; refused rows are in `rejects_url`."""
        principal = await gate.person(request, "administrator", "manager")
        of, key = kind_named(kind), idempotency_key(request)
        path, digest = await door.received(request)
        try:
            asked = Key(principal.actor, f"POST /api/imports/{of}?dry={dry}", key)
            wish = Wish(
                principal=principal, kind=of, path=path, file_name=file_name or of, dry=dry,
                mapping=mapping or None, save_mapping=save_mapping or None, sheet=sheet or None,
            )  # fmt: skip
            told = "\0".join((file_name, mapping or "", save_mapping or "", sheet or ""))
            hashed = body_hash(digest + told.encode())
            answer = await door.take(asked, hashed, wish)
        finally:
            remove(path)
        return Response(answer, media_type="application/json")

    @get("/api/imports", tags=["imports"])
    async def imports(
        request: Request[Any, Any, Any],
        limit: Annotated[int, Parameter(ge=1, le=MOST_RUNS)] = 50,
        after: str | None = None,
    ) -> RunList:
        """Every run, newest first."""
        principal = await gate.person(request, "administrator", "manager")
        found = await runs.latest(principal.company, limit + 1, after)
        more = len(found) > limit
        return RunList(
            items=found[:limit],
            next=found[limit - 1].run if more else None,
            total=await runs.count(principal.company),
        )

    @get("/api/imports/{run:str}/rejects.csv", tags=["imports"])
    async def rejects(request: Request[Any, Any, Any], run: str) -> File:
        """A run's refused rows, why, what to do, and their cells; taking it is written down."""
        principal = await gate.person(request, "administrator", "manager")
        named = await runs.rejects(principal.company, run)
        if named is None or not await asyncio.to_thread(Path(named).is_file):
            raise NotFound(
                "no_such_rejects", "This run has no file of refused rows.", "Look at /api/imports."
            )
        await door.files.exports.record(
            principal.company, principal.actor, f"refused rows of {run}"
        )
        return File(
            path=Path(named), filename=f"{run}.rejects.csv", media_type=MEDIA["csv"],
            headers=_UNSTORED,
        )  # fmt: skip

    @get("/api/import-mappings", tags=["imports"])
    async def mappings(request: Request[Any, Any, Any], kind: str | None = None) -> MappingList:
        """Saved mappings."""
        principal = await gate.person(request, "administrator", "manager")
        fields = await door.files.fields(principal.company, kind_named(kind)) if kind else []
        return MappingList(items=await runs.mappings(principal.company, kind), fields=fields)

    @post(
        "/api/import-mappings",
        status_code=200,
        tags=["imports"],
        operation_class=described(MappingBody, EXAMPLE, MappingBody, EXAMPLE),
    )
    async def save_mapping(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Save a mapping under its name; one of the same name is replaced."""
        principal = await gate.person(request, "administrator", "manager")
        idempotency_key(request)
        body = decode_body(await request.body(), MappingBody)
        fields = await door.files.fields(principal.company, body.kind)
        unknown = sorted(set(body.mapping) - set(fields))
        if unknown:
            raise Invalid(
                "mapping_unknown_field", f"The mapping names {', '.join(unknown)[:200]}.",
                f"Fields are {', '.join(fields)}.",
            )  # fmt: skip
        await runs.save_mapping(
            principal.company, body.kind, body.name, body.mapping, principal.actor
        )
        return Response(msgspec.json.encode(body), media_type="application/json")

    return [take_file, imports, rejects, mappings, save_mapping, _exports(door)]


def _exports(door: ImportDoor) -> BaseRouteHandler:
    @get("/api/exports/{name:str}", tags=["imports"])
    async def export(request: Request[Any, Any, Any], name: str) -> Stream | File:
        """All records of a kind as KIND.csv or KIND.xlsx, in the columns that an import takes,
        owners' names and phones included; taking it is written down."""
        principal = await door.gate.person(request, "administrator")
        stem, _, form = name.rpartition(".")
        kind, company = kind_named(stem or name), principal.company
        if form not in MEDIA:
            raise NotFound("no_such_form", f"{name[:40]!r} is no file.", "Take .csv or .xlsx.")
        await door.files.exports.record(company, principal.actor, f"export of {kind}")
        if form == "csv":
            headers = {**_UNSTORED, "Content-Disposition": f'attachment; filename="{kind}.csv"'}
            return Stream(door.files.pieces(company, kind), media_type=MEDIA[form], headers=headers)
        path = await asyncio.to_thread(door.draft, ".export-", ".xlsx")
        try:
            await door.files.workbook(company, kind, path)
        except UserError as error:
            remove(path)
            raise Invalid(error.code, error.message, error.what_to_do) from None
        except BaseException:
            remove(path)
            raise
        return File(
            path=path, filename=f"{kind}.xlsx", media_type=MEDIA[form], headers=_UNSTORED,
            background=BackgroundTask(remove, path),
        )  # fmt: skip

    return export


_UNSTORED = {"Cache-Control": "no-store"}
EXAMPLE = {
    "kind": "households", "name": "billing",
    "mapping": {"household": "户号", "building": "楼栋编号", "datum": "=wgs84"},
}  # fmt: skip
