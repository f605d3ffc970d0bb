"""The state file and the lock of a data folder: who owns its engines, and whether they live."""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import EnginesBusy

_STATE_FILE = "engines.json"
_LOCK_FILE = "engines.lock"


@dataclass(frozen=True)
class State:
    """What the state file tells other processes and the next owner."""

    owner_pid: int
    processes: Sequence[Sequence[Any]]
    """Pairs of process id and the kernel's time of its start."""
    ready: bool


def take_lock(data_dir: Path) -> int:
    """Lock the data folder until the file is closed or this process ends, however it ends."""
    lock_fd = os.open(data_dir / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock_fd)
        raise EnginesBusy(data_dir) from None
    return lock_fd


def read_state(data_dir: Path) -> State | None:
    """Return what the owner wrote, or None when nobody did or it is unreadable."""
    try:
        return State(**json.loads((data_dir / _STATE_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_state(data_dir: Path, children: Sequence[int], *, ready: bool = False) -> None:
    """Write, atomically, that this process owns these engine processes."""
    state = State(os.getpid(), [(pid, _started_at(pid)) for pid in children], ready)
    draft = data_dir / f"{_STATE_FILE}.draft"
    draft.write_text(json.dumps(asdict(state)))
    draft.rename(data_dir / _STATE_FILE)


def forget_state(data_dir: Path) -> None:
    """Remove the state file: the engines are stopped."""
    (data_dir / _STATE_FILE).unlink(missing_ok=True)


def is_alive(process: Sequence[Any]) -> bool:
    """Tell whether a process of the state file still runs (and is not another with its id)."""
    pid, started_at = process
    return started_at is not None and _started_at(pid) == started_at


def _started_at(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks, so that a reused id is not mistaken.

    None for a process that is gone, or dead and only waiting for its parent to notice.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
