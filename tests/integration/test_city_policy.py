"""Which rules hold for a company: chosen by a command, overridden by files of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from path_heating import a_photo, apply, household, local, report, visited
from path_house import ROOT, Caller, House, NewHouse, eventually, now_s

from server.adapters.policies import LOOK_AGAIN_S

SHIPPED = ROOT / "server" / "policies"


@pytest.fixture(scope="module")
def city(new_house: NewHouse) -> Iterator[House]:
    with new_house() as house:
        house.set_clock(local(2026, 10, 10))
        a_photo(house)
        yield house
        shutil.rmtree(house.data / "policies" / "warm", ignore_errors=True)


def command(house: House, *words: str) -> tuple[int, dict[str, Any]]:
    """(exit code, last JSON line) of `heatops company policy`."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "company", "policy", *words, "--json"],
        cwd=ROOT, env=house._env(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    lines = (done.stdout or done.stderr).strip().splitlines()
    return done.returncode, json.loads(lines[-1])


def in_force(house: House) -> Any:
    return house.person.get("/api/policy")


def own_file(house: House) -> Path:
    file: Path = house.data / "policies" / "warm" / "2026-2027.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def test_a_company_takes_its_citys_policy(city: House) -> None:
    late = apply(city.source, household(city))
    assert (late["state"], late["because"]) == ("refused", ["deadline"])
    code, told = command(city, "--company", "warm")
    assert (code, told["policy"]) == (0, "default")
    assert {"default", "harbin"} <= set(told["known"])
    code, told = command(city, "--company", "warm", "--set", "harbin")
    assert (code, told["policy"]) == (0, "harbin")
    eventually(lambda: in_force(city)["origin"] == "harbin/default.toml", "the policy is changed")
    made = apply(city.source, household(city))
    assert (made["state"], made["policy"]) == ("approved", in_force(city)["version"])
    assert made["policy"].startswith("harbin/2026-2027@")


def test_a_policy_that_nobody_has_is_refused(city: House) -> None:
    code, told = command(city, "--company", "warm", "--set", "atlantis")
    assert (code, told["error"]["code"]) == (1, "no_such_policy")
    code, told = command(city, "--company", "nowhere")
    assert (code, told["error"]["code"]) == (1, "no_such_company")


def test_a_file_of_its_own_comes_first_and_a_broken_one_changes_nothing(city: House) -> None:
    text = (SHIPPED / "harbin" / "default.toml").read_text("utf-8")
    own_file(city).write_text(
        text.replace('deadline = "10-31"', 'deadline = "2026-10-05"'), "utf-8"
    )
    own = eventually(
        lambda: (p := in_force(city))["origin"] == "own/2026-2027.toml" and p, "the file is read"
    )
    assert own["suspension"]["deadline"] == "2026-10-05"
    refused = apply(city.source, household(city))
    assert (refused["because"], refused["policy"]) == (["deadline"], own["version"])

    own_file(city).write_text("city = 'half a", "utf-8")
    looked = now_s()
    while now_s() - looked < LOOK_AGAIN_S + 2:  # it was read again meanwhile
        assert in_force(city)["suspension"]["deadline"] == "2026-10-05"
        time.sleep(0.2)
    own_file(city).unlink()
    eventually(lambda: in_force(city)["origin"] == "harbin/default.toml", "the product's again")


def test_one_companys_broken_file_stops_nothing_of_the_others(new_house: NewHouse) -> None:
    with new_house() as house:
        broken = house.data / "policies" / "ill" / "default.toml"
        broken.parent.mkdir(parents=True)
        broken.write_text("city = 'half a", "utf-8")
        try:
            ill, _ = house.open_company("ill")
            house.company, token = house.open_company("well")
            well = Caller(house.url, token)
            house.sql(
                "INSERT INTO message (company_id, channel, target, kind, about, body, state,"
                " next_at, written_at) VALUES ($1, 'department', 'finance', 'valve_set',"
                " 'heating:x', 'x', 'delivered', now(), now())",
                ill,
            )
            house.set_clock(local(2026, 8, 15))
            a_photo(house)
            eventually(lambda: well.get("/api/contradictions")["scan"], "its night is looked at")
            made = apply(well, household(house))
            report(well, visited(well, made), "closed", made)
            eventually(
                lambda: [m["state"] for m in well.get("/api/messages")["items"]] == ["sent"] * 2,
                "its departments are told",
            )
        finally:
            shutil.rmtree(broken.parent)
