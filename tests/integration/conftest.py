"""Houses for the tests of the path and the API:
one for all that disturb nobody, one of their own for the others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from path_house import House, NewHouse, opened_house


@pytest.fixture(scope="session")
def new_house(
    engines: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> NewHouse:
    """Opens a house of the test's own: `with new_house(cores=2, webs=1) as house`. All share a
    data folder, and tickets of the same day have the same numbers in all of them: for what a test
    reads from files, `apart=True` gives the house a folder of its own."""

    def make(*, apart: bool = False, **options: int) -> AbstractContextManager[House]:
        folder: Path = tmp_path_factory.mktemp("house")
        data: Path = engines.data
        if apart:
            data = folder / "data"
            shutil.copytree(engines.data / "keys", data / "keys")
        return opened_house(engines.database_url, migrated_template, data, folder, **options)

    return make


@pytest.fixture(scope="session")
def house(new_house: NewHouse) -> Iterator[House]:
    """One web and one core for every test that neither moves the clock nor stops anything."""
    with new_house() as opened:
        yield opened


@pytest.fixture(scope="module")
def own_house(new_house: NewHouse) -> Iterator[House]:
    """One web and one core for the tests of one module, which may move the clock
    and read what the house writes to files."""
    with new_house(apart=True) as opened:
        yield opened
