"""The supervisor behind `make demo`: what it restarts, how it stops, what it leaves behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from config.supervisor import Service, StepFailed, run_to_the_end, stop_together
from tests.faults.processes import family, is_alive, wait_until_gone

ROOT = Path(__file__).resolve().parents[2]

SUPERVISOR = """
import sys
from pathlib import Path
from config.supervisor import *
folder = Path(sys.argv[1])
sleeper = [sys.executable, "-c", "import subprocess; subprocess.run(['/bin/sleep', '120'])"]
services = [Service(name, sleeper, folder / f"{name}.log") for name in ("first", "second")]
try:
    with stop_signals_raise():
        for service in services:
            service.start()
        print(*(service.process.pid for service in services), flush=True)
        watch(services, lambda text: print(text, flush=True))
except StopRequested:
    stop_together(services)
    print("stopped", flush=True)
"""


def start_supervisor(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    return process, [int(word) for word in process.stdout.readline().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_every_service(tmp_path: Path, number: signal.Signals) -> None:
    supervisor, services = start_supervisor(tmp_path)

    supervisor.send_signal(number)
    output, _ = supervisor.communicate(timeout=20)

    assert output.endswith("stopped\n")
    assert supervisor.returncode == 0
    assert wait_until_gone(services, 1) == []


def test_kill_9_of_the_supervisor_ends_every_service(tmp_path: Path) -> None:
    supervisor, services = start_supervisor(tmp_path)

    supervisor.kill()
    supervisor.communicate()

    assert wait_until_gone(services, 5) == []


def test_ctrl_c_in_the_terminal_reaches_the_supervisor_not_the_services(tmp_path: Path) -> None:
    """Services lead their own sessions, so the terminal's signal cannot end them out of order."""
    supervisor, services = start_supervisor(tmp_path)

    sessions = {os.getsid(pid) for pid in services}

    assert os.getsid(supervisor.pid) not in sessions
    supervisor.terminate()
    supervisor.communicate(timeout=20)


def test_a_service_that_ends_is_started_again_and_one_that_keeps_ending_is_an_error(
    tmp_path: Path,
) -> None:
    supervisor, services = start_supervisor(tmp_path)
    assert supervisor.stdout is not None

    os.kill(services[0], signal.SIGKILL)

    assert supervisor.stdout.readline().startswith("first ended by itself and is started again")
    assert is_alive(services[1])
    supervisor.terminate()
    supervisor.communicate(timeout=20)

    falls = SUPERVISOR.replace("subprocess.run(['/bin/sleep', '120'])", "print('no room')")
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(falls), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "keeps ending" in ended.stderr
    assert "no room" in ended.stderr


def test_a_service_that_ignores_its_signals_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    service = Service(
        "deaf",
        [sys.executable, "-c", deaf],
        tmp_path / "log",
        stop_steps=((signal.SIGTERM, 0.2),),
    )
    service.start()
    assert service.process is not None
    process = service.process
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)

    stop_together([service])

    assert process.returncode == -signal.SIGKILL


def test_a_step_that_fails_says_which_command_and_how() -> None:
    with pytest.raises(StepFailed, match="exit code 3"):
        run_to_the_end([sys.executable, "-c", "raise SystemExit(3)"])


def demo(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    clean.pop("DATABASE_OWNER_URL", None)
    clean |= {"STOCKCAST_DATA_DIR": str(folder), "STOCKCAST_ENV": "demo"}
    return subprocess.Popen(
        [sys.executable, "-m", "config.demo", *arguments],
        env=clean | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_demo_refuses_production_settings(tmp_path: Path) -> None:
    refused = demo(tmp_path, STOCKCAST_ENV="production")

    output, _ = refused.communicate(timeout=30)

    assert refused.returncode == 1
    assert "known passwords" in output
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        refused = demo(tmp_path, "--port", str(port))
        output, _ = refused.communicate(timeout=30)

    assert refused.returncode == 1
    assert f"port {port}" in output
    assert f"PORT={port + 1} make demo" in output
    assert list(tmp_path.iterdir()) == []


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"{words!r} never came:\n{seen}")


@pytest.mark.slow
def test_the_demo_serves_then_leaves_nothing_after_kill_9_and_after_ctrl_c(tmp_path: Path) -> None:
    import urllib.request

    port = free_port()
    first = demo(tmp_path, "--empty", "--port", str(port))
    read_until(first, "Ctrl-C stops everything")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez") as answer:
        assert answer.status == 200
    everyone = family([first.pid])
    # two engines, two workers, beat, the web master and its processes
    assert len(everyone) > 12

    first.kill()
    first.communicate()
    assert wait_until_gone(everyone, 20) == []

    second = demo(tmp_path, "--empty", "--port", str(port))
    read_until(second, "Ctrl-C stops everything")
    everyone = family([second.pid])
    second.send_signal(signal.SIGINT)
    output, _ = second.communicate(timeout=40)
    assert second.returncode == 0, output
    assert "Everything is stopped" in output
    assert wait_until_gone(everyone, 0.5) == []
