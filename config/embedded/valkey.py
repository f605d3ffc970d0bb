"""The embedded Valkey: its server process."""

import signal
import time

import redis

from config.embedded.errors import EngineDidNotStart
from config.embedded.places import START_SECONDS, Places
from config.embedded.programs import valkey_server
from config.processes import Child, Program, keep_log_small, spawn


def start_valkey(paths: Places, *, durable: bool) -> Child:
    """Start the server; `wait_for_valkey` waits for it."""
    keep_log_small(paths.valkey_log)
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


def wait_for_valkey(paths: Places, process: Child) -> None:
    """Wait until the server answers; raise EngineDidNotStart when it ends or stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while not valkey_answers(paths):
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineDidNotStart("Valkey", paths.valkey_log)
        time.sleep(0.02)


def valkey_answers(paths: Places) -> bool:
    """Tell whether the server answers."""
    client = redis.Redis(unix_socket_path=str(paths.valkey_socket), socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False
    finally:
        client.close()
