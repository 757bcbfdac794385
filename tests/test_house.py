"""The house rules that ruff, mypy and import-linter cannot see."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("ext", "geo", "dispatch_core", "realtime", "server")
WRITTEN = {".py", ".pyi", ".pyx", ".pxd"}
SCREENS = {".ts", ".svelte"}
MOST_LINES = 400
COMPILED_MAY_IMPORT = {"libc", "cpython", "cython", "numpy", "ext"}


def _files(folder: str, endings: set[str]) -> list[Path]:
    found = (ROOT / folder).rglob("*")
    return sorted(p.relative_to(ROOT) for p in found if p.suffix in endings and p.is_file())


SOURCES = [p for room in ROOMS for p in _files(room, WRITTEN)]
COMPILED = [p for p in SOURCES if p.suffix in {".pyx", ".pxd"}]


def test_the_rooms_are_where_they_are_looked_for() -> None:
    assert {p.parts[0] for p in SOURCES} == set(ROOMS)
    assert COMPILED


@pytest.mark.parametrize("path", [*SOURCES, *_files("web/src", SCREENS)], ids=str)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len((ROOT / path).read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".py"], ids=str)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8")))


@pytest.mark.parametrize("path", COMPILED, ids=str)
def test_a_compiled_module_imports_nothing_of_ours_but_ext(path: Path) -> None:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    imported = {
        match[1]
        for line in lines
        if (match := re.match(r"\s*(?:from|import|cimport)\s+([A-Za-z_]\w*|\.)", line))
    }
    assert imported <= COMPILED_MAY_IMPORT


@pytest.mark.parametrize("path", [p for p in COMPILED if p.suffix == ".pyx"], ids=str)
def test_a_compiled_module_has_its_stub_beside_it(path: Path) -> None:
    assert (ROOT / path).with_suffix(".pyi").is_file()
