"""How a process computes: one torch thread, and memory that is kept instead of given back."""

import ctypes
import sys
from functools import cache

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 1 << 30


@cache
def use_one_core() -> None:
    """Compute with one thread, and keep freed memory for the next step.

    Two threads in each of two processes were measured to be slower than one. Every step needs the
    same few arrays of some megabytes; glibc gives those back to the system and takes them anew,
    which costs a quarter of a training step in page faults.
    """
    torch.set_num_threads(1)
    if sys.platform.startswith("linux"):
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        except (OSError, AttributeError):
            return  # another C library: only slower
