"""The set-up's decisions: what is due, what stays, and what it says when something is missing."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/bootstrap.py, its stamps in a folder of the test's."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STAMPS", tmp_path / "stamps")
    return module


def test_a_step_is_due_until_finished_with_these_inputs(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_text("one")

    def step() -> object:
        return bootstrap.Step("s", [source, "3.11"], [], tmp_path / "stamps")

    assert not step().done()
    step().finish()
    assert step().done()
    source.write_text("two")
    assert not step().done()
    source.write_text("one")
    assert step().done()


def test_a_step_that_began_and_did_not_finish_is_due(bootstrap: ModuleType, tmp_path: Path) -> None:
    step = bootstrap.Step("s", ["x"], [], tmp_path / "stamps")
    step.finish()
    step.begin()
    assert not step.done()


def test_a_step_whose_output_was_removed_is_due(bootstrap: ModuleType, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("")
    step = bootstrap.Step("s", ["x"], [output], tmp_path / "stamps")
    step.finish()
    assert step.done()
    output.unlink()
    assert not step.done()


def test_inputs_do_not_run_into_each_other(bootstrap: ModuleType, tmp_path: Path) -> None:
    bootstrap.Step("s", ["ab", "c"], [], tmp_path / "stamps").finish()
    assert not bootstrap.Step("s", ["a", "bc"], [], tmp_path / "stamps").done()


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("no version", False),
    ],
)
def test_only_a_node_that_builds_the_pages_fits(
    bootstrap: ModuleType, tmp_path: Path, version: str, *, fits: bool
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    assert bootstrap.fits(str(node)) is fits
    assert not bootstrap.fits(None)


def test_without_a_compiler_it_says_what_to_install(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(bootstrap.SetupError, match=r"no C compiler(.|\n)*apt-get install gcc"):
        bootstrap.check_compiler()


def test_a_compiler_without_headers_is_said_in_its_words(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "gcc"
    compiler.write_text("#!/bin/sh\necho 'fatal error: stdio.h: No such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(bootstrap.SetupError, match=r"stdio\.h: No such file"):
        bootstrap.check_compiler()


def test_without_pythons_headers_it_says_what_to_install(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.sysconfig, "get_path", lambda *_: str(tmp_path))
    with pytest.raises(bootstrap.SetupError, match=r"Python\.h(.|\n)*apt-get install python3"):
        bootstrap.check_compiler()


def test_run_without_a_fitting_python_is_one_sentence(tmp_path: Path) -> None:
    for name in ("sh", "dirname"):
        tool = next(
            Path(folder, name) for folder in ("/bin", "/usr/bin") if Path(folder, name).exists()
        )
        (tmp_path / name).symlink_to(tool)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [ROOT / "run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("heatops: no Python 3.11 or newer was found.\n")
    assert "apt-get install python3" in done.stderr


def test_an_unknown_failure_of_a_tool_ends_in_words(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.SetupError, match=r"^It did not build\."):
        bootstrap.run([sys.executable, "-c", "raise SystemExit(3)"], "It did not build")


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_locks_pin_hash_and_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*--(?!hash=sha256:)", text)  # no option of any kind but hashes
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^#.*\n?", "", text).strip())
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_every_direct_requirement_is_locked() -> None:
    for kind in ("", "-build", "-dev", "-bench", "-node", "-model"):
        name = f"requirements{kind}"
        lock = ROOT / f"{'requirements' if name.endswith('build') else name}.lock"
        locked = set(re.findall(r"(?m)^([a-z0-9._-]+)==", lock.read_text("utf-8")))
        wanted = re.findall(r"(?m)^([A-Za-z0-9._-]+)", (ROOT / f"{name}.in").read_text("utf-8"))
        missing = {word.lower() for word in wanted} - locked - {"-c"}
        assert not missing
