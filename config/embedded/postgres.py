"""The embedded PostgreSQL: its cluster, its server process, its roles and database."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg

from config.database_roles import OWNER, prepare_database, prepare_roles
from config.embedded.errors import EngineDidNotStart
from config.embedded.places import DATABASE_NAME, START_SECONDS, SUPERUSER, Places
from config.embedded.programs import EngineUser, postgres_bin
from config.processes import Child, Program, keep_log_small, spawn, stop as stop_process


def prepare_cluster(paths: Places, user: EngineUser, *, durable: bool) -> None:
    """Create the database cluster; a half-made one is never left under the real name."""
    if (paths.postgres_data / "PG_VERSION").exists():
        return
    for cut_off in paths.data_dir.glob("postgres-draft-*"):
        shutil.rmtree(cut_off)
    draft = Path(tempfile.mkdtemp(prefix="postgres-draft-", dir=paths.data_dir))
    os.chown(draft, user.user_id, user.group_id)
    try:
        for locale in ("C.UTF-8", "C"):
            if _initdb(draft, paths, user, locale, durable=durable):
                break
        else:
            raise EngineDidNotStart("initdb", paths.postgres_log)
        draft.rename(paths.postgres_data)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _initdb(draft: Path, paths: Places, user: EngineUser, locale: str, *, durable: bool) -> bool:
    with _open_folder(draft) as (folder, fds):
        arguments = ["-D", folder, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        arguments += [f"--locale={locale}", *([] if durable else ["--no-sync"])]
        process = spawn(_as_user(user, "initdb", arguments, paths.postgres_log, fds))
        return process.wait() == 0


def start_postgres(
    paths: Places, user: EngineUser, on_spawn: Callable[[Child], None], *, durable: bool
) -> None:
    """Start the server, reporting its process; wait until it accepts connections.

    Right after a kill the last traces of its predecessor may refuse it for a while: it is started
    again, for at most START_SECONDS. Raises EngineDidNotStart.
    """
    keep_log_small(paths.postgres_log)
    deadline = time.monotonic() + START_SECONDS
    while True:
        _forget_stale_pid(paths.postgres_data / "postmaster.pid")
        with _open_folder(paths.postgres_data) as (folder, fds):
            arguments = ["-D", folder, "-h", "", "-k", str(paths.sockets)]
            arguments += _settings(durable=durable)
            process = spawn(_as_user(user, "postgres", arguments, paths.postgres_log, fds))
        on_spawn(process)
        while process.poll() is None and time.monotonic() < deadline:
            if postgres_answers(paths):
                return
            time.sleep(0.02)
        stop_process(process, (signal.SIGINT, 5.0))
        if time.monotonic() > deadline:
            raise EngineDidNotStart("PostgreSQL", paths.postgres_log)
        time.sleep(0.25)


def _forget_stale_pid(pid_file: Path) -> None:
    """Remove a killed server's pid file once its number belongs to nobody or to a stranger.

    PostgreSQL itself refuses to start while any process of its user has that number. We hold the
    folder's lock, so the only server that may still be there is a dying one.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return
    if name != "postgres":
        pid_file.unlink(missing_ok=True)


def _settings(*, durable: bool) -> list[str]:
    settings = {
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "120",
        "shared_buffers": "128MB",
        # /dev/shm is tiny in many containers; parallel queries would fail there
        "dynamic_shared_memory_type": "mmap",
        "jit": "off",
        "log_line_prefix": "%m [%p] %u@%d ",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _as_user(
    user: EngineUser, program: str, arguments: Sequence[str], log: Path, fds: tuple[int, ...]
) -> Program:
    return Program(
        argv=[str(postgres_bin() / program), *arguments],
        log_path=log,
        signal_when_owner_dies=signal.SIGINT,  # fast shutdown: all is written, nobody waited for
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        user_id=user.user_id,
        group_id=user.group_id,
        inherited_fds=fds,
    )


@contextlib.contextmanager
def _open_folder(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield a name for the folder that the engine's user can follow, and what it must inherit.

    As root the engine runs as `nobody`, who may not walk the path to a checkout under a private
    home; the open descriptor leads there without the walk.
    """
    if os.geteuid() != 0:
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def prepare_application_database(paths: Places) -> None:
    """Create the roles and the application's database where they are missing."""
    with psycopg.connect(paths.database_url(SUPERUSER, "postgres"), autocommit=True) as connection:
        prepare_roles(connection)
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
        ).fetchone()
        if found is None:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER {OWNER}")
    with psycopg.connect(paths.database_url(SUPERUSER), autocommit=True) as connection:
        prepare_database(connection)


def postgres_answers(paths: Places) -> bool:
    """Tell whether the server accepts connections."""
    try:
        psycopg.connect(paths.database_url(SUPERUSER, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
