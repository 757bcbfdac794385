"""Real engines for every test that asks: one pair per session, one database per test."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from server.engines import open_engines
from server.settings import Settings

# A cluster that lives as long as the session may forget everything when the machine loses power.
FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
}
TEMPLATE = "template_migrated"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_numbers = itertools.count(1)
# How long an example takes to make says how busy the machine is, and nothing of the house.
settings.register_profile("house", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def find_chromium() -> str | None:
    """HEATOPS_CHROMIUM, or the machine's own."""
    named = os.environ.get("HEATOPS_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without Chromium the browser tests are skipped aloud; where CI=true they fail."""
    if item.get_closest_marker("browser") is None or find_chromium():
        return
    reason = "no Chromium: apt-get install chromium, or name it in HEATOPS_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path, for tests marked `browser`."""
    found = find_chromium()
    assert found is not None
    return found


@dataclass(frozen=True)
class TestEngines:
    """The session's engines: `database_url` is the owner's DSN, `data` holds the keys folder."""

    __test__ = False
    database_url: str
    redis_url: str
    data: Path

    @property
    def keys(self) -> Path:
        """The keys that migrated test databases use."""
        return self.data / "keys"


@pytest.fixture(scope="session")
def engines() -> Iterator[TestEngines]:
    """PostgreSQL and Valkey in a folder of their own, gone with the session. Redis is shared: use
    your own company."""
    with tempfile.TemporaryDirectory(prefix="heatops-test-") as folder:
        data = Path(folder) / "data"
        Path(folder).chmod(0o711)  # as root the engines' account passes through
        settings = Settings(data=data)
        with open_engines(settings, postgres_conf=FORGETFUL) as opened:
            yield TestEngines(opened.database_url, opened.redis_url, data)


@pytest.fixture(scope="session")
def migrated_template(engines: TestEngines) -> str:
    """The name of a database that is migrated once and copied for each test."""
    from server.adapters.migrate import migrate

    asyncio.run(_execute(engines.database_url, f"CREATE DATABASE {TEMPLATE}"))
    asyncio.run(migrate(database_of(engines.database_url, TEMPLATE), engines.keys))
    return TEMPLATE


@pytest.fixture
def fresh_database(engines: TestEngines, migrated_template: str) -> Iterator[str]:
    """The owner's DSN of a newly migrated database that this test has to itself."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    asyncio.run(
        _execute(engines.database_url, f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    )
    yield database_of(engines.database_url, name)
    asyncio.run(_execute(engines.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


def database_of(dsn: str, name: str) -> str:
    """The same server as `dsn`, another database."""
    head, _, query = dsn.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


async def _execute(dsn: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
