"""`heatops account`: people let in by command, with the roles that the API then keeps to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from path_house import ROOT, Caller, House

SECRET = "eine lange Losung"


def heatops(house: House, *args: str, typed: str = "") -> Any:
    env = {k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")}
    env |= {"HEATOPS_DATABASE_URL": house.database_url, "HEATOPS_DATA": str(house.data),
            "HEATOPS_REDIS_URL": house.valkey.url}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "server", "account", *args],
        cwd=ROOT, env=env, input=typed, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_seat_is_let_in_and_later_made_a_manager(house: House) -> None:
    house.sign_in()
    added = heatops(
        house, "add", "座席一", "--role", "seat", "--company", "warm", "--password-stdin", "--json",
        typed=f"{SECRET}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout) == {
        "company": "warm", "name": "座席一", "role": "seat", "new": True,
    }  # fmt: skip
    assert SECRET not in added.stdout + added.stderr
    desk = Caller(house.url)
    signed = desk.http.post("/api/sign-in", json={"user": "座席一", "password": SECRET})
    assert signed.status_code == 200, signed.text
    assert desk.get("/api/session")["role"] == "seat"
    raised = heatops(
        house, "add", "座席一", "--role", "manager", "--company", "warm", "--password-stdin"
    )
    assert raised.returncode == 0, raised.stderr
    again = Caller(house.url)
    signed = again.http.post("/api/sign-in", json={"user": "座席一", "password": SECRET})
    assert signed.status_code == 200, "an empty line keeps the password"
    assert again.get("/api/session")["role"] == "manager"
    listed = [json.loads(line) for line in heatops(house, "list", "--json").stdout.splitlines()]
    assert {"name": "座席一", "company": "warm", "role": "manager"} in listed


def test_what_makes_no_account_is_said(house: House) -> None:
    for typed, code in (("short\n", "password_length"), ("\n", "password_needed")):
        refused = heatops(
            house, "add", "new", "--role", "seat", "--company", "warm", "--password-stdin",
            "--json", typed=typed,
        )  # fmt: skip
        assert refused.returncode != 0
        assert json.loads(refused.stderr.splitlines()[-1])["error"]["code"] == code
    unknown = heatops(house, "add", "new", "--role", "king", "--password-stdin")
    assert unknown.returncode == 2
