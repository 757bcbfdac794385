"""One small and one whole demo, made once."""

import pytest

from server.demo.city import make_city
from server.demo.records import Options
from server.demo.register import fill_city


@pytest.fixture(scope="session")
def city():
    return make_city(7)


@pytest.fixture(scope="session")
def register(city):
    return fill_city(city, 7)


@pytest.fixture(scope="session")
def small():
    """A register of the same kind for tests that play hours of it."""
    options = Options(
        communities=6, buildings=90, households=6000, points=240, crews=20, substations=5
    )
    return fill_city(make_city(7, options), 7, options)
