"""The few lines between a supervisor and a program it owns; run as a script, never imported.

    python -I -S owned_child.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT ...]

Becomes the given user, asks the kernel for SIGNAL when the parent dies, then becomes PROGRAM. The
order matters: changing user forgets the request, and a parent that died before the request was
made would never be noticed, hence the last look at its process id.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Drop rights, tie this process to its parent, run the program."""
    parent_pid, signal_number, user_id, group_id = (int(word) for word in sys.argv[1:5])
    program = sys.argv[5:]
    if user_id != os.geteuid():
        os.setgroups([])
        os.setgid(group_id)
        os.setuid(user_id)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent_pid:
            raise SystemExit("the process that asked for this one is gone")
    os.execv(program[0], program)  # noqa: S606 - the point of this script


if __name__ == "__main__":
    main()
