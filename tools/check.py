"""Every check of the house, then the tests: what ./test and `make` run inside .venv.

`check.py` runs all; `check.py --only lint types web` some; anything else goes to pytest alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bootstrap

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WATCHED = (
    "tests/e2e",
    "tests/fault",
    "tests/integration/dispatch",
    "tests/integration/test_demo_lives.py",
)
"""Tests that have engines, browsers or a core of their own: about half of all the time."""
CLOSING = re.compile(r" in [0-9.]+s\b.*=+\S*$")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 when all of it passed."""
    os.chdir(ROOT)
    # the tests start hundreds of processes: each would compile the whole house for itself
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if arguments[:1] == ["--only"]:
        passed = [CHECKS[name]() for name in arguments[1:]]
        return int(not all(passed))
    if arguments:
        return pytest(arguments)
    failed = [] if lint() else ["lint"]
    with ThreadPoolExecutor() as beside:
        slow = {name: beside.submit(aside, name) for name in CHECKS if name != "lint"}
        code, closing = both_halves()
    failed += [name for name, passed in slow.items() if not passed.result()]
    if failed:
        say(f"FAILED besides the tests: {', '.join(failed)}")
    print(closing, flush=True)  # the end of the output
    return code or int(bool(failed))


def lint() -> bool:
    """Ruff, its format, and the import contracts."""
    commands = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports"]]
    return run_all(commands)


def types() -> bool:
    """mypy over the house, and the stubs of ext against the built modules."""
    stubs = [
        f"ext.{path.stem}"
        for path in sorted((ROOT / "ext").glob("*.pyi"))
        if path.stem != "__init__"
    ]
    commands = [["python", "-m", "mypy"]]
    if stubs:
        commands.append(["python", "-m", "mypy.stubtest", *stubs])
    return run_all(commands)


def web() -> bool:
    """The type check of the web pages."""
    package = ROOT / "web" / "package.json"
    text = package.read_text("utf-8") if package.exists() else "{}"
    if "check" not in json.loads(text).get("scripts", {}):
        return True
    npm, env = bootstrap.node()
    say("npm run check")
    return (
        subprocess.run(
            [*npm, "run", "--silent", "check"], cwd=ROOT / "web", env=env, check=False
        ).returncode
        == 0
    )


CHECKS: dict[str, Callable[[], bool]] = {"lint": lint, "types": types, "web": web}


def aside(name: str) -> bool:
    """A check in the time that the tests leave over; its words are printed once it is done."""
    done = ran(["nice", sys.executable, __file__, "--only", name])
    print(done.stdout, end="", flush=True)
    return done.returncode == 0


def ran(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command that has run, and all it said."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def both_halves() -> tuple[int, str]:
    """All tests in two runs beside each other, since most of both is waiting for engines and
    browsers. The code, and the closing line that counts both."""
    began = time.monotonic()
    tell_of_browsers()
    python, color = str(BIN / "python"), "yes" if sys.stdout.isatty() else "no"
    command = [python, "-m", "pytest", f"--color={color}"]
    others = [*command, "tests", *(f"--ignore={path}" for path in WATCHED)]
    with ThreadPoolExecutor(1) as beside:
        watching = beside.submit(ran, [*command, *WATCHED])
        with subprocess.Popen(others, stdout=subprocess.PIPE, text=True) as running:
            last = ""
            for line in running.stdout or ():
                print(line, end="", flush=True)
                last = line if CLOSING.search(line) else last
    code, text = watching.result().returncode or running.returncode, watching.result().stdout
    say(f"{', '.join(WATCHED)}, run meanwhile:")
    print(text, flush=True)
    watched = next((line for line in reversed(text.splitlines()) if CLOSING.search(line)), "")
    return code, closing_line([last, watched], time.monotonic() - began)


def closing_line(lines: list[str], took_s: float) -> str:
    """The closing lines of several runs of pytest as one."""
    counts: Counter[str] = Counter()
    for line in lines:
        for number, what in re.findall(r"([0-9]+) ([a-z]+)", line.partition(" in ")[0]):
            counts[what] += int(number)
    told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "no tests ran"
    return f" {told} in {took_s:.2f}s ".center(80, "=")


def pytest(arguments: list[str]) -> int:
    """pytest; says aloud when the browser tests will be skipped."""
    tell_of_browsers()
    return subprocess.run([BIN / "python", "-m", "pytest", *arguments], check=False).returncode


def tell_of_browsers() -> None:
    """Say aloud when the browser tests will be skipped."""
    if not os.environ.get("HEATOPS_CHROMIUM") and not any(shutil.which(name) for name in CHROMIUM):
        say(
            "NO CHROMIUM: the browser tests are skipped (with CI=true they fail)."
            " Install it: apt-get install chromium, or name it in HEATOPS_CHROMIUM."
        )


def run_all(commands: list[list[str]]) -> bool:
    """Run .venv's tools also after a failure; True when none found anything."""
    codes = []
    for name, *arguments in commands:
        say(" ".join((name, *arguments)))
        codes.append(subprocess.run([BIN / name, *arguments], check=False).returncode)
    return not any(codes)


def say(text: str) -> None:
    """A line above the tool's own."""
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except bootstrap.SetupError as error:
        sys.exit(f"heatops: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
