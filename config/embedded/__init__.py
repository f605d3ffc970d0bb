"""The embedded PostgreSQL and Valkey, for when DATABASE_URL and REDIS_URL name no servers.

Both run as children of the process that starts them, listen on unix sockets in a folder that only
their user can enter, open no TCP port, and end with that process however it ends. Their data stays
in the data folder, so the next start continues where the last one stopped.
"""

import atexit
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.errors import (
    EngineDidNotStart,
    EnginesBusy,
    EnginesNotForProduction,
    UnsafeSocketFolder,
)
from config.embedded.places import START_SECONDS, Engines, Places, celery_url
from config.embedded.postgres import (
    postgres_answers,
    prepare_application_database,
    prepare_cluster,
    start_postgres,
)
from config.embedded.programs import EngineProgramsMissing, EngineUser, engine_user
from config.embedded.state import forget_state, is_alive, read_state, take_lock, write_state
from config.embedded.valkey import start_valkey, valkey_answers, wait_for_valkey
from config.processes import Child, stop as stop_process

__all__ = [
    "EngineDidNotStart",
    "EngineProgramsMissing",
    "Engines",
    "EnginesBusy",
    "EnginesNotForProduction",
    "UnsafeSocketFolder",
    "addresses",
    "celery_url",
    "default_data_dir",
    "ensure",
    "export_urls",
    "running",
    "start",
    "stop",
]


@dataclass
class _Owned:
    """The engines this process owns: the lock is held as long as the descriptor stays open."""

    data_dir: Path
    owner_pid: int
    lock_fd: int
    sockets: Path | None = None
    children: dict[str, Child] = field(default_factory=dict)

    def adopt(self, engine: str) -> Callable[[Child], None]:
        """Return the function that takes over the engine's process and says so to others."""

        def take_over(process: Child) -> None:
            self.children[engine] = process
            self.write_state()

        return take_over

    def write_state(self, *, ready: bool = False) -> None:
        write_state(self.data_dir, [child.pid for child in self.children.values()], ready=ready)


_owned: dict[Path, _Owned] = {}


def default_data_dir() -> Path:
    """Return STOCKCAST_DATA_DIR, or `.stockcast` beside manage.py."""
    configured = os.environ.get("STOCKCAST_DATA_DIR")
    return Path(configured) if configured else Path(__file__).resolve().parents[2] / ".stockcast"


def addresses(data_dir: Path) -> Engines:
    """Return where the engines of this data folder listen once they are started."""
    return Places(data_dir.resolve()).engines()


def start(data_dir: Path, *, durable: bool = True) -> Engines:
    """Start both engines as children of this process and return how to reach them.

    Prepares an empty data folder, reuses a filled one. `durable=False` trades crash safety for
    speed and is for tests. Raises EnginesBusy, EngineDidNotStart, UnsafeSocketFolder,
    EngineProgramsMissing, NotTheMainThread.
    """
    paths = Places(data_dir.resolve())
    if _owns(paths.data_dir):
        return paths.engines()
    paths.data_dir.mkdir(parents=True, exist_ok=True)
    owned = _Owned(paths.data_dir, os.getpid(), take_lock(paths.data_dir))
    _owned[paths.data_dir] = owned
    try:
        _wait_for_predecessors(paths)
        user = engine_user()
        _prepare_socket_folder(paths.sockets, user)
        owned.sockets = paths.sockets
        owned.adopt("Valkey")(start_valkey(paths, durable=durable))
        prepare_cluster(paths, user, durable=durable)
        start_postgres(paths, user, owned.adopt("PostgreSQL"), durable=durable)
        prepare_application_database(paths)
        wait_for_valkey(paths, owned.children["Valkey"])
        owned.write_state(ready=True)
    except BaseException:
        stop(paths.data_dir)
        raise
    return paths.engines()


def running(data_dir: Path) -> Engines | None:
    """Return the engines of this data folder if they run, under whichever process."""
    paths = Places(data_dir.resolve())
    state = read_state(paths.data_dir)
    if state is None or not state.ready or not all(map(is_alive, state.processes)):
        return None
    if not (postgres_answers(paths) and valkey_answers(paths)):
        return None
    return paths.engines()


def ensure(data_dir: Path) -> Engines:
    """Return the running engines, or start them for the lifetime of this process.

    When another process is just starting them, waits for it. Raises what `start` raises.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        found = running(data_dir)
        if found is not None:
            return found
        try:
            return start(data_dir)
        except EnginesBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def export_urls() -> None:
    """Put the addresses of the embedded engines into the environment where it names no servers.

    DATABASE_URL and REDIS_URL that are already set stay as they are; with both set nothing is
    started. Raises EnginesNotForProduction, and what `start` raises.
    """
    wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not wanted:
        return
    if os.environ.get("STOCKCAST_ENV") == "production":
        raise EnginesNotForProduction(wanted)
    engines = ensure(default_data_dir())
    if "DATABASE_URL" in wanted:
        os.environ["DATABASE_URL"] = engines.database_url
        os.environ["DATABASE_OWNER_URL"] = engines.database_owner_url
    if "REDIS_URL" in wanted:
        os.environ["REDIS_URL"] = engines.redis_url


def stop(data_dir: Path) -> None:
    """Stop the engines of this data folder if this process owns them."""
    data_dir = data_dir.resolve()
    if not _owns(data_dir):
        return
    owned = _owned.pop(data_dir)
    if "PostgreSQL" in owned.children:
        # "fast": sessions are cut off, everything is written; then the same without writing
        stop_process(owned.children["PostgreSQL"], (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
    if "Valkey" in owned.children:
        stop_process(owned.children["Valkey"], (signal.SIGTERM, 10.0))
    forget_state(data_dir)
    if owned.sockets is not None:
        shutil.rmtree(owned.sockets, ignore_errors=True)
    os.close(owned.lock_fd)


@atexit.register
def _stop_all() -> None:
    for data_dir in list(_owned):
        stop(data_dir)


def _owns(data_dir: Path) -> bool:
    # a forked child inherits the table, not the engines
    return data_dir in _owned and _owned[data_dir].owner_pid == os.getpid()


def _prepare_socket_folder(folder: Path, user: EngineUser) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, user.user_id, user.group_id)
    found = folder.lstat()
    is_private = found.st_mode == (0o040700)
    if found.st_uid != user.user_id or not is_private:
        raise UnsafeSocketFolder(folder)


def _wait_for_predecessors(paths: Places) -> None:
    """Let the engines of a killed owner finish: a dying one removes its successor's socket."""
    state = read_state(paths.data_dir)
    deadline = time.monotonic() + START_SECONDS
    while state is not None and any(map(is_alive, state.processes)):
        if time.monotonic() > deadline:
            raise EnginesBusy(paths.data_dir)
        time.sleep(0.02)
