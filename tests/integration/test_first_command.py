"""A command may be the first thing that ever runs on a data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_tickets_are_imported_before_the_first_up() -> None:
    with tempfile.TemporaryDirectory(prefix="heatops-first-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root the engines' account passes through
        rows = folder / "rows.csv"
        rows.write_text("kind,lon,lat,datum\nleak,126.6,45.7,wgs84\n", "utf-8")
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")}
        done = subprocess.run(
            [sys.executable, "-m", "server", "import", "tickets", str(rows), "--company", "first",
             "--new-company", "First", "--json"],
            cwd=ROOT, env={**env, "HEATOPS_DATA": str(folder / "data")}, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 1
