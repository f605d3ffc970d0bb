"""The embedded engines: start, stop, die with their owner, and come back with the same data."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded
from config.processes import NotTheMainThread, Program, spawn
from tests.faults.processes import family, wait_until_gone

OWNER_PROCESS = """
import sys, time
from pathlib import Path
from config import embedded
embedded.start(Path(sys.argv[1]))
print("started", flush=True)
time.sleep(120)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    embedded.stop(folder)


def engine_pids(data_dir: Path) -> list[int]:
    state = json.loads((data_dir / "engines.json").read_text())
    return [pid for pid, _ in state["processes"]]


def start_owner(data_dir: Path) -> subprocess.Popen[str]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_PROCESS, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(embedded.__file__).parents[2],
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "started\n"
    return owner


def end(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()
    assert owner.stdout is not None
    owner.stdout.close()


def query(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_application_connects_as_wms_app_and_the_migrator_as_wms_owner(data_dir: Path) -> None:
    engines = embedded.start(data_dir, durable=False)

    assert query(engines.database_url, "SELECT current_user, session_user") == [("wms_app",) * 2]
    assert query(engines.database_owner_url, "SELECT current_user") == [("wms_owner",)]
    with redis.Redis.from_url(engines.redis_url) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_only_the_backup_role_sees_past_row_level_security_and_nobody_is_superuser(
    data_dir: Path,
) -> None:
    engines = embedded.start(data_dir, durable=False)

    flags = query(
        engines.database_superuser_url,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
        " WHERE rolname LIKE 'wms_%' ORDER BY rolname",
    )

    assert flags == [
        ("wms_app", False, False, False, False),
        ("wms_backup", False, True, False, False),
        ("wms_owner", False, False, False, False),
    ]


def test_roles_that_were_widened_by_hand_are_narrowed_at_the_next_start(data_dir: Path) -> None:
    engines = embedded.start(data_dir, durable=False)
    query(engines.database_superuser_url, "ALTER ROLE wms_app BYPASSRLS")
    embedded.stop(data_dir)

    engines = embedded.start(data_dir, durable=False)

    found = query(engines.database_url, "SELECT rolbypassrls FROM pg_roles WHERE rolname='wms_app'")
    assert found == [(False,)]


def test_the_application_writes_rows_but_cannot_truncate_create_or_own(data_dir: Path) -> None:
    engines = embedded.start(data_dir, durable=False)
    query(engines.database_owner_url, "CREATE TABLE stock (id bigserial, quantity int)")

    query(engines.database_url, "INSERT INTO stock (quantity) VALUES (7)")
    query(engines.database_url, "UPDATE stock SET quantity = 8")
    assert query(engines.database_url, "SELECT quantity FROM stock") == [(8,)]
    for refused in (
        "TRUNCATE stock",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE stock OWNER TO wms_app",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(engines.database_url, refused)


def test_the_backup_role_reads_and_cannot_write(data_dir: Path) -> None:
    engines = embedded.start(data_dir, durable=False)
    query(engines.database_owner_url, "CREATE TABLE stock (quantity int)")
    backup_url = engines.database_url.replace("wms_app", "wms_backup")

    assert query(backup_url, "SELECT count(*) FROM stock") == [(0,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(backup_url, "INSERT INTO stock VALUES (1)")


def test_no_tcp_port_is_opened_and_the_sockets_are_private(data_dir: Path) -> None:
    engines = embedded.start(data_dir, durable=False)

    assert query(engines.database_superuser_url, "SHOW listen_addresses") == [("",)]
    with redis.Redis.from_url(engines.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
        folder = Path(client.config_get("unixsocket")["unixsocket"]).parent
    assert folder.stat().st_mode & 0o777 == 0o700


def test_stop_leaves_no_process_no_socket_and_no_state(data_dir: Path) -> None:
    embedded.start(data_dir, durable=False)
    everyone = family(engine_pids(data_dir))
    assert len(everyone) > 2

    embedded.stop(data_dir)

    assert wait_until_gone(everyone, 0.5) == []
    assert embedded.running(data_dir) is None
    assert not (data_dir / "engines.json").exists()


def test_a_second_start_keeps_the_data_of_the_first(data_dir: Path) -> None:
    engines = embedded.start(data_dir)
    query(engines.database_owner_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(engines.redis_url) as client:
        client.set("kept", "yes")
    embedded.stop(data_dir)

    engines = embedded.start(data_dir)

    assert query(engines.database_url, "SELECT answer FROM kept") == [(42,)]
    with redis.Redis.from_url(engines.redis_url) as client:
        assert client.get("kept") == b"yes"


def test_kill_9_of_the_owner_leaves_no_process_and_the_data_survives(data_dir: Path) -> None:
    owner = start_owner(data_dir)
    everyone = family(engine_pids(data_dir))
    engines = embedded.running(data_dir)
    assert engines is not None
    session = psycopg.connect(engines.database_owner_url, autocommit=True)
    session.execute("CREATE TABLE kept AS SELECT 1 AS answer")

    end(owner)

    assert wait_until_gone(everyone) == []
    session.close()
    assert embedded.running(data_dir) is None
    engines = embedded.start(data_dir, durable=False)
    assert query(engines.database_url, "SELECT answer FROM kept") == [(1,)]


def test_without_the_kernels_tie_a_child_outlives_its_owner(tmp_path: Path) -> None:
    """The control: the same kill, the same wait, a child that was started without the tie."""
    untied = "import subprocess, sys; child = subprocess.Popen(['sleep', '60'], "
    untied += "stdout=subprocess.DEVNULL); print(child.pid, flush=True)"
    owner = subprocess.Popen(
        [sys.executable, "-c", f"{untied}; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    child = int(owner.stdout.readline())
    try:
        owner.kill()
        owner.communicate()
        assert wait_until_gone([child], 1.0) == [child]
    finally:
        os.kill(child, signal.SIGKILL)


def test_kill_9_of_the_postmaster_leaves_no_backend_and_the_next_start_recovers(
    data_dir: Path,
) -> None:
    owner = start_owner(data_dir)
    try:
        engines = embedded.running(data_dir)
        assert engines is not None
        query(engines.database_owner_url, "CREATE TABLE kept AS SELECT 1 AS answer")
        postmaster = engine_pids(data_dir)[1]
        everyone = family([postmaster])

        os.kill(postmaster, signal.SIGKILL)

        assert embedded.running(data_dir) is None
    finally:
        end(owner)
    # at once, while the last backends may still hold the shared memory and the pid file is stale
    engines = embedded.start(data_dir, durable=False)
    assert query(engines.database_url, "SELECT answer FROM kept") == [(1,)]
    assert wait_until_gone(everyone, 5) == []


def test_a_stale_pid_file_with_the_id_of_a_living_stranger_does_not_block_the_start(
    data_dir: Path,
) -> None:
    embedded.start(data_dir, durable=False)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    content = pid_file.read_text().splitlines()
    embedded.stop(data_dir)
    user = (data_dir / "postgres").stat()
    stranger = spawn(
        Program(
            argv=["/bin/sleep", "60"],
            log_path=data_dir / "stranger.log",
            user_id=user.st_uid,
            group_id=user.st_gid,
        )
    )
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *content[1:]]) + "\n")
        os.chown(pid_file, user.st_uid, user.st_gid)
        pid_file.chmod(0o600)

        assert embedded.start(data_dir, durable=False)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_preparation_that_was_cut_off_is_done_again(data_dir: Path) -> None:
    data_dir.mkdir()
    half_made = data_dir / "postgres-draft-killed"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("16\n")

    assert embedded.start(data_dir, durable=False)

    assert not half_made.exists()


def test_a_second_process_finds_the_engines_and_does_not_end_them(data_dir: Path) -> None:
    owner = start_owner(data_dir)
    try:
        assert embedded.ensure(data_dir) == embedded.addresses(data_dir)
        with pytest.raises(embedded.EnginesBusy, match="STOCKCAST_DATA_DIR"):
            embedded.start(data_dir)
        embedded.stop(data_dir)
        assert embedded.running(data_dir) is not None
    finally:
        end(owner)


def test_a_socket_folder_of_somebody_else_is_refused(data_dir: Path) -> None:
    engines = embedded.addresses(data_dir)
    folder = Path(engines.redis_url.removeprefix("unix://").partition("?")[0]).parent
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    try:
        with pytest.raises(embedded.UnsafeSocketFolder, match=str(folder)):
            embedded.start(data_dir, durable=False)
    finally:
        folder.rmdir()


def test_a_child_tied_to_a_thread_is_refused(tmp_path: Path) -> None:
    import threading

    raised: list[BaseException] = []

    def in_a_thread() -> None:
        try:
            spawn(Program(argv=["/bin/true"], log_path=tmp_path / "log"))
        except NotTheMainThread as error:
            raised.append(error)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()

    assert "main thread" in str(raised[0])


def test_production_without_servers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_ENV", "production")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")

    with pytest.raises(embedded.EnginesNotForProduction, match="DATABASE_URL and REDIS_URL"):
        embedded.export_urls()


def test_configured_servers_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://wms_app@db.example/stockcast")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    monkeypatch.setattr(embedded, "ensure", lambda folder: pytest.fail("engines were started"))

    embedded.export_urls()

    assert os.environ["DATABASE_URL"] == "postgres://wms_app@db.example/stockcast"


def test_celery_spells_a_socket_address_its_own_way() -> None:
    assert embedded.celery_url("unix:///tmp/s/valkey.sock?db=3") == (
        "redis+socket:///tmp/s/valkey.sock?virtual_host=3"
    )
    assert embedded.celery_url("redis://cache.example:6379/0") == "redis://cache.example:6379/0"
