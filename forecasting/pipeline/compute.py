"""How a process computes: on which device, with one torch thread, and with memory that is kept."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 1 << 30
AUTO, CPU, CUDA = "auto", "cpu", "cuda"
DEVICES = (AUTO, CPU, CUDA)

_wanted: ContextVar[str] = ContextVar("wanted", default=AUTO)


class DeviceMissing(RuntimeError):
    """A GPU was asked for, and torch finds none."""

    def __init__(self) -> None:
        super().__init__(
            "The device cuda was asked for, but torch finds no CUDA device. Install a driver and a "
            "torch built for it, or choose auto or cpu."
        )


@contextmanager
def computing_on(name: str) -> Iterator[None]:
    """Compute on `cpu`, on `cuda`, or `auto`: on a GPU where there is one, within the block.

    Raises DeviceMissing, ValueError for another name.
    """
    if name not in DEVICES:
        raise ValueError(f"There is no device {name!r}; choose from {', '.join(DEVICES)}.")
    token = _wanted.set(name)
    try:
        device()
        yield
    finally:
        _wanted.reset(token)


def device() -> torch.device:
    """Return where networks are trained and run; everything else is numpy on the CPU.

    Never part of an artefact or a checkpoint: what was trained on one device serves on any.
    Raises DeviceMissing.
    """
    wanted = _wanted.get()
    if wanted != CPU and _has_cuda():
        return torch.device(CUDA)
    if wanted == CUDA:
        raise DeviceMissing
    return torch.device(CPU)


def device_name() -> str:
    """Return the device in use in words, a GPU by its model."""
    return torch.cuda.get_device_name() if device().type == CUDA else "CPU"


@cache
def _has_cuda() -> bool:
    found = torch.cuda.is_available()
    if found:  # no rounding to ten bits: the device must not decide what is forecast
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    return found


def to_device(array: NDArray[Any]) -> Tensor:
    """Return an array [...] as a tensor on the device; on the CPU it shares the array's memory."""
    tensor = torch.from_numpy(array)
    if device().type == CUDA:
        tensor = tensor.pin_memory()  # so that it travels while the next one is made
    return tensor.to(device(), non_blocking=True)


def from_device(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor [...] as an array; on the CPU it shares the tensor's memory."""
    found: NDArray[Any] = tensor.detach().cpu().numpy()
    return found


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
