"""The engines as they are really started, stopped, killed and refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from server.engines import EngineInfo, Engines, open_engines, running
from server.engines.locate import find_postgres
from server.engines.places import LONGEST_SOCKET_FOLDER
from server.settings import Settings, UserError
from tests.conftest import FORGETFUL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that the engines' account can reach, also when the tests run as root."""
    folder = Path("/tmp") / f"heatops-engines-{os.getpid()}-{time.monotonic_ns() % 10**6}"
    folder.mkdir(mode=0o711)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


def opened(data: Path, **options: object) -> Engines:
    return open_engines(Settings(data=data), postgres_conf=FORGETFUL, **options)  # type: ignore[arg-type]


def ask(url: str, query: str) -> object:
    async def go() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(go())


def gone(pid: int | None) -> bool:
    """Ended; in a container whose first process reaps nobody, orphans stay behind as zombies."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: object, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_open_gives_both_engines_and_close_takes_them_away(data: Path) -> None:
    with opened(data) as engines:
        pids = (engines.postgres.pid, engines.valkey.pid)
        assert (engines.postgres.name, engines.postgres.origin) == ("PostgreSQL", "wheel")
        assert engines.valkey.origin == "wheel"
        assert ask(engines.database_url, "SELECT current_database()") == "heatops"
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()
        state = running(data)
        assert state is not None
        assert state["database_url"] == engines.database_url
    assert all(gone(pid) for pid in pids)
    assert running(data) is None


def test_folders_are_private_and_sockets_the_only_way_in(data: Path) -> None:
    with opened(data) as engines:
        for folder in ("pg" + str(engines.postgres.version).split(".")[0], "keys", "run"):
            assert stat.S_IMODE((data / folder).stat().st_mode) == 0o700
        assert (data / "keys").stat().st_uid == os.geteuid()
        assert ask(engines.database_url, "SHOW listen_addresses") == ""
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.config_get("port") == {"port": "0"}


def test_chinese_addresses_resemble_each_other(data: Path) -> None:
    with opened(data) as engines:
        ask(engines.database_url, "CREATE EXTENSION pg_trgm")
        likeness = ask(
            engines.database_url, "SELECT similarity('道里区经纬街12号', '道里经纬街12号')"
        )
    assert isinstance(likeness, float)
    assert likeness > 0.3


def test_commits_are_durable_unless_a_test_says_otherwise(data: Path) -> None:
    with open_engines(Settings(data=data)) as engines:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert ask(engines.database_url, f"SHOW {name}") == "on"


def test_data_is_there_at_the_second_start(data: Path) -> None:
    with opened(data) as engines:
        ask(engines.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
    with opened(data) as engines:
        assert ask(engines.database_url, "SELECT n FROM kept") == 7


@pytest.mark.parametrize("which", ["postgres", "valkey"])
def test_a_killed_engine_is_restarted(data: Path, which: str) -> None:
    with opened(data) as engines:
        assert engines.restart_dead() == []
        info: EngineInfo = getattr(engines, which)
        os.kill(info.pid or -1, signal.SIGKILL)
        wait_for(lambda: getattr(engines, which).pid is None)
        assert engines.restart_dead() == [info.name]
        assert getattr(engines, which).pid not in {None, info.pid}
        assert ask(engines.database_url, "SELECT 1") == 1


OWNER = """
import sys, time
from pathlib import Path
from server.engines import open_engines
from server.settings import Settings
engines = open_engines(Settings(data=Path(sys.argv[1])))
print(engines.postgres.pid, engines.valkey.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has the watchdog, tested below")
def test_engines_end_with_an_owner_that_is_killed_and_start_again(data: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, data], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        owner.kill()
    with opened(data) as engines:  # at once, while the orphans may still be ending
        assert ask(engines.database_url, "SELECT 1") == 1
        wait_for(lambda: all(gone(pid) for pid in pids))


def test_a_pid_file_that_names_a_stranger_does_not_hinder_the_start(data: Path) -> None:
    with opened(data) as engines:
        major = str(engines.postgres.version).split(".")[0]
    pid_file = data / f"pg{major}" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data}\n0\n5432\n\n\n  1 1\nready   \n")
    with opened(data) as engines:
        assert ask(engines.database_url, "SELECT 1") == 1


def test_the_watchdog_signals_an_orphan() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import subprocess, signal, time\n"
                "from server.engines.children import watch\n"
                "child = subprocess.Popen(['sleep', '600'])\n"
                "watch(child.pid, signal.SIGTERM)\n"
                "print(child.pid, flush=True)\n"
                "time.sleep(600)\n"
            ),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    wait_for(lambda: gone(child))


def test_the_data_has_one_owner_who_may_share(data: Path) -> None:
    with opened(data) as engines:
        with pytest.raises(UserError) as refused:
            opened(data)
        assert refused.value.code == "data_in_use"
        with opened(data, share=True) as guest:
            assert guest.database_url == engines.database_url
            assert guest.postgres.pid == engines.postgres.pid
        assert ask(engines.database_url, "SELECT 1") == 1  # the guest stopped nothing


def test_given_urls_start_nothing(data: Path) -> None:
    settings = Settings(data=data, database_url="postgresql://x/y", redis_url="redis://z")
    with open_engines(settings) as engines:
        assert engines.postgres == EngineInfo("PostgreSQL", None, "url", None)
        assert (engines.database_url, engines.redis_url) == ("postgresql://x/y", "redis://z")
        assert not list(data.glob("pg*"))


def test_data_of_another_version_is_refused_and_left_alone(data: Path) -> None:
    (data / "pg13").mkdir(parents=True)
    (data / "pg13" / "PG_VERSION").write_text("13\n")
    with pytest.raises(UserError) as refused:
        opened(data)
    assert refused.value.code == "engine_version"
    assert "PostgreSQL 13" in refused.value.message
    assert "HEATOPS_DATA" in refused.value.what_to_do
    assert (data / "pg13" / "PG_VERSION").read_text() == "13\n"


def test_a_half_made_cluster_is_made_anew(data: Path) -> None:
    major = find_postgres().major
    draft = data / f"pg{major}.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("half")
    with opened(data) as engines:
        assert ask(engines.database_url, "SELECT 1") == 1
    assert not draft.exists()


def test_a_long_and_strange_path_works(data: Path) -> None:
    deep = data / ("供热 数据?&%20" + "x" * 60) / ("y" * LONGEST_SOCKET_FOLDER)
    with opened(deep) as engines:
        assert ask(engines.database_url, "SELECT 1") == 1
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()


def test_a_strange_short_path_works(data: Path) -> None:
    with opened(data / "供热 ?&#%20+") as engines:
        assert ask(engines.database_url, "SELECT 1") == 1
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()


if os.geteuid() == 0:  # only root hands the engines to another account

    def test_a_folder_the_account_cannot_reach_is_said(data: Path) -> None:
        data.parent.chmod(0o700)
        with pytest.raises(UserError) as refused:
            opened(data)
        assert refused.value.code == "data_unreachable"
        assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700

else:  # root may write everywhere

    def test_a_folder_that_cannot_be_written_is_said(data: Path) -> None:
        data.parent.chmod(0o500)
        with pytest.raises(UserError) as refused:
            opened(data)
        assert refused.value.code == "data_unwritable"


def test_a_file_in_place_of_the_folder_is_said(data: Path) -> None:
    data.write_text("")
    with pytest.raises(UserError) as refused:
        opened(data)
    assert refused.value.code == "data_unwritable"


@pytest.mark.skipif(
    not shutil.which("redis-server") or not Path("/usr/lib/postgresql").is_dir(),
    reason="this machine has no PostgreSQL or Redis of its own",
)
def test_the_machines_own_engines_serve_too(data: Path) -> None:
    with opened(data, origins=("PATH",)) as engines:
        assert {engines.postgres.origin, engines.valkey.origin} == {"PATH"}
        ask(engines.database_url, "CREATE EXTENSION pg_trgm")
        likeness = ask(engines.database_url, "SELECT similarity('道里区经纬街', '道里经纬街')")
        assert isinstance(likeness, float)
        assert likeness > 0.3
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()


def test_no_engine_anywhere_is_said(data: Path) -> None:
    with pytest.raises(UserError) as refused:
        opened(data, origins=())
    assert refused.value.code in {"no_postgres", "no_valkey"}
    assert running(data) is None  # the lock is free again


def test_sockets_of_a_killed_engine_are_no_hindrance(data: Path) -> None:
    with opened(data):
        pass
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(data / "run" / "valkey.sock"))
    with opened(data) as engines, redis.Redis.from_url(engines.redis_url) as client:
        assert client.ping()
