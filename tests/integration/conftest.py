"""Houses for the tests of the path and the API:
one for all that disturb nobody, one of their own for the others."""

from __future__ import annotations

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
    """Opens a house of the test's own: `with new_house(cores=2, webs=1) as house`."""

    def make(**options: int) -> AbstractContextManager[House]:
        folder: Path = tmp_path_factory.mktemp("house")
        return opened_house(
            engines.database_url, migrated_template, engines.data, folder, **options
        )

    return make


@pytest.fixture(scope="session")
def house(new_house: NewHouse) -> Iterator[House]:
    """One web and one core for every test that neither moves the clock nor stops anything."""
    with new_house() as opened:
        yield opened


@pytest.fixture(scope="module")
def own_house(new_house: NewHouse) -> Iterator[House]:
    """One web and one core for the tests of one module, which may move the clock."""
    with new_house() as opened:
        yield opened
