"""`make demo`: the whole of Stockcast on one machine, in one process tree that ends with it.

Starts the embedded engines (unless DATABASE_URL and REDIS_URL name servers), brings the database
up to date, prepares the two demo tenants with a trained network, forecasts and suggestions, and
serves the site. Started again, it continues with the same data.
"""

import argparse
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config import embedded
from config.processes import die_with_parent
from config.supervisor import (
    Service,
    ServiceKeepsFalling,
    StepFailed,
    StopRequested,
    ignore_stop_signals,
    run_to_the_end,
    stop_signals_raise,
    stop_together,
    watch,
)

BASE_DIR = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
_QUEUES = (("default", 2), ("training", 1))
_WEB_START_SECONDS = 60.0


class DemoRefused(RuntimeError):
    """Raised before anything is started, with what to change."""


_EXPECTED = (
    DemoRefused,
    StepFailed,
    ServiceKeepsFalling,
    embedded.EngineDidNotStart,
    embedded.EngineProgramsMissing,
    embedded.EnginesBusy,
    embedded.UnsafeSocketFolder,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C; return the exit code."""
    options = _parse(arguments)
    if options.stop_with_parent:
        die_with_parent(signal.SIGTERM)
    os.chdir(BASE_DIR)
    # commands that start helpers of their own pass it on, so these cannot outlive us either
    os.environ["STOCKCAST_STOP_WITH_PARENT"] = "1"
    services: list[Service] = []
    exit_code = 0
    with stop_signals_raise():
        try:
            _run(options, services)
        except StopRequested:
            _say("\nStopping ...")
        except _EXPECTED as error:
            _say(f"\nStockcast could not go on: {error}")
            exit_code = 1
        finally:
            ignore_stop_signals()
            stop_together([service for service in services if service.name == "web"])
            stop_together(services)
            embedded.stop(embedded.default_data_dir())
    if services:
        _say("Everything is stopped. `make demo` continues with the same data.")
    return exit_code


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Run Stockcast with demo data.")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PORT", "8000")),
        help="port of the site on this machine (environment: PORT)",
    )
    parser.add_argument(
        "--empty", action="store_true", help="serve without loading the demo tenants"
    )
    parser.add_argument(
        "--stop-with-parent",
        action="store_true",
        help="stop when the process that started this one ends",
    )
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, services: list[Service]) -> None:
    began = time.monotonic()
    _refuse_production()
    _refuse_taken_port(options.port)
    _start_engines()
    with _step("Bringing the database to the newest schema"):
        run_to_the_end([*_manage("migrate"), "--verbosity", "0"])
    with _step("Starting the workers for jobs and training"):
        for service in _workers():
            services.append(service)
            service.start()
    if not options.empty:
        with _step("Preparing the demo tenants: data, network, forecasts, suggestions"):
            # its progress is for people; what jobs log goes to the workers' files
            run_to_the_end(_manage("prepare_demo"), {"LOG_LEVEL": "30"})
    with _step("Starting the web server"):
        web = _web(options.port)
        services.append(web)
        web.start()
        _wait_until_served(web, options.port)
    _say(f"\nStockcast is ready after {time.monotonic() - began:.0f} seconds.")
    _say(f"\n    http://{HOST}:{options.port}/\n")
    if not options.empty:
        run_to_the_end([*_manage("demo_sign_ins"), "--skip-checks"])
    _say(f"\nCtrl-C stops everything; the data stays in {embedded.default_data_dir()}")
    watch(services, _say)


def _refuse_production() -> None:
    if os.environ.get("STOCKCAST_ENV", "demo") == "production":
        raise DemoRefused(
            "STOCKCAST_ENV is production, and the demo creates members with known passwords. "
            "Run it without production settings, or serve production as docs/operations.md says."
        )
    os.environ["STOCKCAST_ENV"] = "demo"


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DemoRefused(
                f"port {port} of {HOST} cannot be used ({error.strerror}). Stop what uses it, or "
                f"choose another port: PORT={port + 1} make demo"
            ) from error


def _start_engines() -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        _say("Using the servers of DATABASE_URL and REDIS_URL.")
        return
    data_dir = embedded.default_data_dir()
    if embedded.running(data_dir) is not None:
        raise DemoRefused(
            f"another process already runs the engines of {data_dir}; stop it first, or choose "
            "another folder: STOCKCAST_DATA_DIR=/some/folder make demo"
        )
    with _step("Starting PostgreSQL and Valkey"):
        embedded.start(data_dir)
        embedded.export_urls()


def _workers() -> list[Service]:
    services = [_celery(f"worker-{queue}", _worker_words(queue, n)) for queue, n in _QUEUES]
    # keeps nothing of its own: what is due is a row, and inserting a row twice is refused
    scheduler = "celery.beat:Scheduler"
    return [*services, _celery("beat", ["beat", "--pidfile", "", "--scheduler", scheduler])]


def _worker_words(queue: str, children: int) -> list[str]:
    words = ["worker", "--queues", queue, "--concurrency", str(children)]
    return [*words, "--hostname", f"{queue}@%h", "--without-gossip", "--without-mingle"]


def _celery(name: str, words: Sequence[str]) -> Service:
    return Service(
        name,
        [sys.executable, "-m", "celery", "-A", "config", *words, "--loglevel", "INFO"],
        _log(name),
        # first: finish what is nearly done; then: put it back
        stop_steps=((signal.SIGTERM, 6.0), (signal.SIGQUIT, 3.0)),
    )


def _web(port: int) -> Service:
    (embedded.default_data_dir() / "static").mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn"]
    argv += ["--workers", "2", "--bind", f"{HOST}:{port}"]
    return Service("web", argv, _log("web"), stop_steps=((signal.SIGTERM, 8.0),))


def _wait_until_served(web: Service, port: int) -> None:
    deadline = time.monotonic() + _WEB_START_SECONDS
    while not _answers(f"http://{HOST}:{port}/livez"):
        ended = web.process is None or web.process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise ServiceKeepsFalling(web.name, web.log_path)
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _manage(command: str) -> list[str]:
    return [sys.executable, "manage.py", command]


def _log(name: str) -> Path:
    return embedded.default_data_dir() / "log" / f"{name}.log"


@contextmanager
def _step(what: str) -> Iterator[None]:
    _say(f"==> {what} ...")
    began = time.monotonic()
    yield
    _say(f"    done in {time.monotonic() - began:.1f} s")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
