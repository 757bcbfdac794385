"""The generated files are what the catalogue says now."""

from __future__ import annotations

import re
from pathlib import Path

from realtime import contract
from server import __version__

ROOT = Path(__file__).resolve().parents[3]


def test_the_typescript_types_have_not_drifted() -> None:
    library = ROOT / "web/src/lib"
    for name, now in (("wire", contract.typescript()), ("rows", contract.typescript_rows())):
        assert (library / f"{name}.ts").read_text("utf-8") == now, "run `make types`"


def test_the_asyncapi_document_has_not_drifted() -> None:
    kept = (ROOT / "docs/asyncapi.json").read_text("utf-8")
    assert kept == contract.asyncapi_text(__version__), "run `make types`"


def test_nothing_on_the_wire_becomes_never_in_typescript() -> None:
    whole = contract.typescript_rows() + contract.typescript()
    types = re.sub(r"/\*\*.*?\*/", "", whole).partition("export const")[0]
    assert "[" not in types.replace("[]", "")
    assert "never" not in types


def test_no_row_has_a_field_for_a_resident() -> None:
    words = (
        "resident",
        "phone",
        "caller",
        "household_id",
        "flat",
        "pseudonym",
        "words",
        "note",
        "owner",
    )
    document = contract.asyncapi(__version__)
    for refs in document["x-topics"].values():
        for ref in refs:
            fields = document["components"]["schemas"][ref["$ref"].rpartition("/")[2]]["properties"]
            assert not [f for f in fields if any(w in f for w in words)]
