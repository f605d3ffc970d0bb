"""Which processes there are, for tests that end some of them."""

import time
from pathlib import Path


def family(pids: list[int]) -> list[int]:
    """Return the processes and all their children."""
    everyone = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        everyone[int(stat.parent.name)] = int(fields[1])
    found = set(pids)
    while more := {pid for pid, parent in everyone.items() if parent in found} - found:
        found |= more
    return sorted(found)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pids: list[int], patience_seconds: float = 20) -> list[int]:
    """Return the processes still alive after the wait; empty is good."""
    deadline = time.monotonic() + patience_seconds
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
