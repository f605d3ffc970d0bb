"""Programs this process owns: started here, stopped here, and never left behind.

Every child is tied to this process by the kernel (`PR_SET_PDEATHSIG`), so that even `kill -9` of
the owner ends its children. Each child leads a session of its own: Ctrl-C in the terminal reaches
only the owner, which then stops its children in the order it wants.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Child = subprocess.Popen[bytes]

_LAUNCHER = Path(__file__).with_name("owned_child.py")
_PR_SET_PDEATHSIG = 1
_LOG_LIMIT_BYTES = 20_000_000


class NotTheMainThread(RuntimeError):
    """Raised when a child would be tied to a thread instead of to the process."""

    def __init__(self, program: str) -> None:
        self.program = program
        super().__init__(
            f"{program} must be started from the main thread: the kernel ends it with the thread "
            "that started it"
        )


@dataclass(frozen=True)
class Program:
    """What to run, as whom, and how it likes to be told that its owner died."""

    argv: Sequence[str]
    log_path: Path | None
    """None writes to this process's own output."""
    signal_when_owner_dies: signal.Signals = signal.SIGKILL
    environment: Mapping[str, str] | None = None
    user_id: int | None = None
    group_id: int | None = None
    inherited_fds: tuple[int, ...] = ()


def spawn(program: Program) -> Child:
    """Start the program as a child that cannot outlive this process.

    Raises NotTheMainThread: the kernel's tie is to the starting *thread*.
    """
    if threading.current_thread() is not threading.main_thread():
        raise NotTheMainThread(program.argv[0])
    user_id = os.geteuid() if program.user_id is None else program.user_id
    group_id = os.getegid() if program.group_id is None else program.group_id
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())]
    launcher += [str(int(program.signal_when_owner_dies)), str(user_id), str(group_id)]
    with _output(program.log_path) as log:
        return subprocess.Popen(  # noqa: S603 - argv is ours, no shell
            [*launcher, *program.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if log is None else subprocess.STDOUT,
            env=None if program.environment is None else dict(program.environment),
            pass_fds=program.inherited_fds,
            start_new_session=True,
        )


def _output(log_path: Path | None) -> AbstractContextManager[BinaryIO | None]:
    if log_path is None:
        return nullcontext()
    log_path.parent.mkdir(parents=True, exist_ok=True)
    return log_path.open("ab")


def stop(process: Child, *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn, waiting its seconds, until the process is gone; then SIGKILL."""
    for signal_number, patience_seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(timeout=patience_seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    if process.poll() is None:
        process.kill()
        process.wait()


def die_with_parent(signal_number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when its parent dies; for forked pool children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def log_tail(path: Path, line_count: int = 15) -> str:
    """Return the last lines of a log file, or a word that there are none."""
    if not path.exists():
        return "(no log)"
    lines = path.read_text(errors="replace").splitlines()
    return "\n".join(lines[-line_count:]) or "(empty log)"


def keep_log_small(path: Path) -> None:
    """Set a log aside once it is larger than 20 MB; one older one is kept."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
