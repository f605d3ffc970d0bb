"""The embedded PostgreSQL and Valkey, for when DATABASE_URL and REDIS_URL name no servers.

Both run as children of the process that starts them, listen on unix sockets in a folder that only
their user can enter, open no TCP port, and end with that process however it ends. Their data stays
in the data folder, so the next start continues where the last one stopped.
"""

import atexit
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from config.database_roles import APP, OWNER, prepare_database, prepare_roles
from config.engine_binaries import EngineUser, engine_user, postgres_bin, valkey_server
from config.processes import Program, log_tail, spawn, stop as stop_process

DATABASE_NAME = "stockcast"
SUPERUSER = "postgres"

_START_SECONDS = 30.0
_STATE_FILE = "engines.json"
_LOCK_FILE = "engines.lock"
_LOG_LIMIT_BYTES = 20_000_000


class EngineDidNotStart(RuntimeError):
    """Raised when an engine ends or stays silent instead of accepting connections."""

    def __init__(self, engine: str, log_path: Path) -> None:
        self.engine = engine
        self.log_path = log_path
        super().__init__(
            f"{engine} did not start. The last lines of {log_path}:\n{log_tail(log_path)}"
        )


class EnginesBusy(RuntimeError):
    """Raised when another process holds the engines of this data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        super().__init__(
            f"another process is starting, running or stopping the engines of {data_dir}: "
            "stop it, or choose another folder with STOCKCAST_DATA_DIR"
        )


class EnginesNotForProduction(RuntimeError):
    """Raised when production settings name no servers."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"STOCKCAST_ENV=production needs {' and '.join(missing)}: the embedded engines are for "
            "trying Stockcast out"
        )


class UnsafeSocketFolder(RuntimeError):
    """Raised when the folder for the sockets belongs to somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder} exists and is not a private folder of the engines' user: remove it"
        )


@dataclass(frozen=True)
class Engines:
    """How to reach the running engines."""

    database_url: str
    """As `wms_app`: what the application runs as."""
    database_owner_url: str
    """As `wms_owner`: what migrates."""
    database_superuser_url: str
    """As the superuser: only embedded servers hand this out."""
    redis_url: str
    """For redis-py; `celery_url` turns it into Celery's spelling."""


@dataclass(frozen=True)
class _Paths:
    """Every place one data folder uses."""

    data_dir: Path

    @property
    def postgres_data(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.data_dir / "valkey"

    @property
    def postgres_log(self) -> Path:
        return self.data_dir / "log" / "postgres.log"

    @property
    def valkey_log(self) -> Path:
        return self.data_dir / "log" / "valkey.log"

    @property
    def sockets(self) -> Path:
        """A short folder: a unix socket's path has room for 107 bytes."""
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        # root's runtime folder is closed to the user PostgreSQL runs as
        usable = runtime and os.geteuid() != 0 and len(runtime) < 60 and Path(runtime).is_dir()
        base = Path(runtime) if usable else Path("/tmp")  # noqa: S108 - checked before use
        return base / f"stockcast-{os.geteuid()}-{digest}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def engines(self) -> Engines:
        return Engines(
            database_url=self.database_url(APP),
            database_owner_url=self.database_url(OWNER),
            database_superuser_url=self.database_url(SUPERUSER),
            redis_url=f"unix://{self.valkey_socket}?db=0",
        )

    def database_url(self, role: str, database: str = DATABASE_NAME) -> str:
        return f"postgres://{role}@/{database}?host={quote(str(self.sockets), safe='/')}"


@dataclass
class _Owned:
    """The engines this process owns: the lock is held as long as the file stays open."""

    owner_pid: int
    lock_fd: int
    postgres: subprocess.Popen[bytes] | None = None
    valkey: subprocess.Popen[bytes] | None = None


_owned: dict[Path, _Owned] = {}


def default_data_dir() -> Path:
    """Return STOCKCAST_DATA_DIR, or `.stockcast` beside manage.py."""
    configured = os.environ.get("STOCKCAST_DATA_DIR")
    return Path(configured) if configured else Path(__file__).resolve().parent.parent / ".stockcast"


def celery_url(redis_url: str) -> str:
    """Spell a redis-py address the way Celery's broker wants it."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    number = query.removeprefix("db=") if query.startswith("db=") else "0"
    return f"redis+socket://{path}?virtual_host={number}"


def addresses(data_dir: Path) -> Engines:
    """Return where the engines of this data folder listen once they are started."""
    return _Paths(data_dir.resolve()).engines()


def start(data_dir: Path, *, durable: bool = True) -> Engines:
    """Start both engines as children of this process and return how to reach them.

    Prepares an empty data folder, reuses a filled one. `durable=False` trades crash safety for
    speed and is for tests. Raises EnginesBusy, EngineDidNotStart, UnsafeSocketFolder,
    EngineProgramsMissing, NotTheMainThread.
    """
    paths = _Paths(data_dir.resolve())
    if _owns(paths.data_dir):
        return paths.engines()
    paths.data_dir.mkdir(parents=True, exist_ok=True)
    owned = _Owned(os.getpid(), _take_lock(paths.data_dir))
    _owned[paths.data_dir] = owned
    try:
        user = engine_user()
        _prepare_socket_folder(paths.sockets, user)
        owned.valkey = _start_valkey(paths, durable=durable)
        _prepare_cluster(paths, user, durable=durable)
        owned.postgres = _start_postgres(paths, user, durable=durable)
        _prepare_database(paths)
        _wait_for_valkey(paths, owned.valkey)
        _write_state(paths, owned)
    except BaseException:
        stop(paths.data_dir)
        raise
    return paths.engines()


def running(data_dir: Path) -> Engines | None:
    """Return the engines of this data folder if they run, under whichever process."""
    paths = _Paths(data_dir.resolve())
    try:
        state = json.loads((paths.data_dir / _STATE_FILE).read_text())
        processes = state["processes"]
    except (OSError, ValueError, KeyError):
        return None
    alive = all(_started_at(pid) == started for pid, started in processes)
    if not (alive and _postgres_answers(paths) and _valkey_answers(paths)):
        return None
    return paths.engines()


def ensure(data_dir: Path) -> Engines:
    """Return the running engines, or start them for the lifetime of this process.

    When another process is just starting them, waits for it. Raises what `start` raises.
    """
    deadline = time.monotonic() + _START_SECONDS
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
    if owned.postgres is not None:
        # "fast": sessions are cut off, everything is written; then the same without writing
        stop_process(owned.postgres, (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
    if owned.valkey is not None:
        stop_process(owned.valkey, (signal.SIGTERM, 10.0))
    (data_dir / _STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(_Paths(data_dir).sockets, ignore_errors=True)
    os.close(owned.lock_fd)


@atexit.register
def _stop_all() -> None:
    for data_dir in list(_owned):
        stop(data_dir)


def _owns(data_dir: Path) -> bool:
    # a forked child inherits the table, not the engines
    return data_dir in _owned and _owned[data_dir].owner_pid == os.getpid()


def _take_lock(data_dir: Path) -> int:
    """Lock the data folder until the file is closed or this process ends, however it ends."""
    lock_fd = os.open(data_dir / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock_fd)
        raise EnginesBusy(data_dir) from None
    return lock_fd


def _prepare_socket_folder(folder: Path, user: EngineUser) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, user.user_id, user.group_id)
    found = folder.lstat()
    is_private = found.st_mode == (0o040700)
    if found.st_uid != user.user_id or not is_private:
        raise UnsafeSocketFolder(folder)


def _prepare_cluster(paths: _Paths, user: EngineUser, *, durable: bool) -> None:
    """Create the database cluster; a half-made one is never left under the real name."""
    if (paths.postgres_data / "PG_VERSION").exists():
        return
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


def _initdb(draft: Path, paths: _Paths, user: EngineUser, locale: str, *, durable: bool) -> bool:
    with _open_folder(draft) as (folder, fds):
        arguments = ["-D", folder, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        arguments += [f"--locale={locale}", *([] if durable else ["--no-sync"])]
        process = spawn(_as_user(user, "initdb", arguments, paths.postgres_log, fds))
        return process.wait() == 0


def _start_postgres(paths: _Paths, user: EngineUser, *, durable: bool) -> subprocess.Popen[bytes]:
    """Start the server; right after a kill its predecessor's last traces may refuse it a while."""
    _keep_log_small(paths.postgres_log)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with _open_folder(paths.postgres_data) as (folder, fds):
            arguments = ["-D", folder, "-h", "", "-k", str(paths.sockets)]
            arguments += _postgres_settings(durable=durable)
            process = spawn(_as_user(user, "postgres", arguments, paths.postgres_log, fds))
        while process.poll() is None and time.monotonic() < deadline:
            if _postgres_answers(paths):
                return process
            time.sleep(0.02)
        stop_process(process, (signal.SIGINT, 5.0))
        if time.monotonic() > deadline:
            raise EngineDidNotStart("PostgreSQL", paths.postgres_log)
        time.sleep(0.25)


def _postgres_settings(*, durable: bool) -> list[str]:
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


def _start_valkey(paths: _Paths, *, durable: bool) -> subprocess.Popen[bytes]:
    _keep_log_small(paths.valkey_log)
    paths.valkey_data.mkdir(exist_ok=True)
    arguments = ["--port", "0", "--unixsocket", str(paths.valkey_socket)]
    arguments += ["--unixsocketperm", "700", "--dir", str(paths.valkey_data)]
    arguments += ["--save", "", "--appendonly", "yes" if durable else "no"]
    arguments += ["--maxmemory-policy", "noeviction"]
    return spawn(
        Program(
            argv=[str(valkey_server()), *arguments],
            log_path=paths.valkey_log,
            signal_when_owner_dies=signal.SIGTERM,
        )
    )


def _wait_for_valkey(paths: _Paths, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _valkey_answers(paths):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineDidNotStart("Valkey", paths.valkey_log)
        time.sleep(0.02)


def _prepare_database(paths: _Paths) -> None:
    with psycopg.connect(paths.database_url(SUPERUSER, "postgres"), autocommit=True) as connection:
        prepare_roles(connection)
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
        ).fetchone()
        if found is None:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER {OWNER}")
    with psycopg.connect(paths.database_url(SUPERUSER), autocommit=True) as connection:
        prepare_database(connection)


def _postgres_answers(paths: _Paths) -> bool:
    try:
        psycopg.connect(paths.database_url(SUPERUSER, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _valkey_answers(paths: _Paths) -> bool:
    client = redis.Redis(unix_socket_path=str(paths.valkey_socket), socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False
    finally:
        client.close()


def _write_state(paths: _Paths, owned: _Owned) -> None:
    children = [child.pid for child in (owned.postgres, owned.valkey) if child is not None]
    state = {
        "owner": owned.owner_pid,
        "processes": [(pid, _started_at(pid)) for pid in children],
        "engines": asdict(paths.engines()),
    }
    draft = paths.data_dir / f"{_STATE_FILE}.draft"
    draft.write_text(json.dumps(state, indent=1))
    draft.chmod(0o600)
    draft.rename(paths.data_dir / _STATE_FILE)


def _started_at(pid: int) -> str | None:
    """Return when this process started, in the kernel's ticks, so a reused id is not mistaken."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def _keep_log_small(path: Path) -> None:
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
