"""Every test of the fan-out runs on uvloop, which the product uses, and on asyncio."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from fanout_house import Run, Test


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def runner(test: Test) -> None:
        with asyncio.Runner(loop_factory=factory) as it:
            it.run(asyncio.wait_for(test(), 60))

    return runner
