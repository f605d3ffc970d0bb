"""One shared byte that tells the children of a worker that it was asked to stop.

Celery tells only the parent process. The byte lies in anonymous memory mapped before the fork, so
the parent's write is seen by every child.
"""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def note_worker_stopping(*, stopping: bool = True) -> None:
    """Tell this process and its forked children that the worker is being stopped."""
    _flag[0] = int(stopping)


def is_worker_stopping() -> bool:
    """Tell whether the worker was asked to stop."""
    return bool(_flag[0])
