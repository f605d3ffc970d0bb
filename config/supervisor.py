"""Runs services in the foreground: starts them, restarts what falls, stops them in order."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config.processes import Child, Program, keep_log_small, log_tail, spawn, stop

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_FALLS = 3
_FALLS_WITHIN_SECONDS = 60.0


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM: not an error, so no handler of errors may swallow it."""


class ServiceKeepsFalling(RuntimeError):
    """Raised when a service ends again right after each restart."""

    def __init__(self, name: str, log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        super().__init__(
            f"{name} keeps ending. The last lines of {log_path}:\n{log_tail(log_path)}"
        )


class StepFailed(RuntimeError):
    """Raised when a command that must succeed did not."""

    def __init__(self, argv: Sequence[str], exit_code: int) -> None:
        self.argv = tuple(argv)
        self.exit_code = exit_code
        super().__init__(f"`{' '.join(argv)}` ended with exit code {exit_code}")


@dataclass
class Service:
    """A program that runs until it is stopped, and how it likes to be stopped."""

    name: str
    argv: Sequence[str]
    log_path: Path
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 5.0),)
    process: Child | None = field(default=None, repr=False)
    fell_at: list[float] = field(default_factory=list, repr=False)

    def start(self) -> None:
        """Start the program, tied to this process."""
        keep_log_small(self.log_path)
        self.process = spawn(Program(argv=self.argv, log_path=self.log_path))


def stop_together(services: Sequence[Service]) -> None:
    """Stop these services at the same time, each in the steps it likes."""
    running = [(service, service.process) for service in services if service.process is not None]
    for number in range(max((len(service.stop_steps) for service, _ in running), default=0)):
        deadline = time.monotonic()
        for service, process in running:
            if number < len(service.stop_steps) and process.poll() is None:
                signal_number, patience_seconds = service.stop_steps[number]
                process.send_signal(signal_number)
                deadline = max(deadline, time.monotonic() + patience_seconds)
        while any(process.poll() is None for _, process in running) and time.monotonic() < deadline:
            time.sleep(0.02)
    for service, process in running:
        process.kill()
        process.wait()
        service.process = None


def ignore_stop_signals() -> None:
    """Let nothing cut a stop short once it has begun."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stop_signals_raise() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into one StopRequested."""

    def request_stop(number: int, frame: FrameType | None) -> None:
        ignore_stop_signals()
        raise StopRequested

    before = {number: signal.signal(number, request_stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_to_the_end(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command with its output on ours; raise StepFailed unless it succeeds.

    `environment` is added to ours. When this process is told to stop meanwhile, so is the command.
    """
    process = spawn(
        Program(argv=argv, log_path=None, environment={**os.environ, **(environment or {})})
    )
    try:
        exit_code = process.wait()
    except BaseException:
        stop(process, (signal.SIGINT, 5.0), (signal.SIGTERM, 2.0))
        raise
    if exit_code != 0:
        raise StepFailed(argv, exit_code)


def watch(services: Sequence[Service], say: Callable[[str], None]) -> None:
    """Restart services that end, until StopRequested.

    Raises ServiceKeepsFalling when a restart is no use.
    """
    while True:
        for service in services:
            if service.process is not None and service.process.poll() is not None:
                _restart(service, say)
        time.sleep(0.5)


def _restart(service: Service, say: Callable[[str], None]) -> None:
    now = time.monotonic()
    service.fell_at = [at for at in service.fell_at if now - at < _FALLS_WITHIN_SECONDS] + [now]
    if len(service.fell_at) > _MOST_FALLS:
        raise ServiceKeepsFalling(service.name, service.log_path)
    say(f"{service.name} ended by itself and is started again (log: {service.log_path})")
    service.start()
