"""Large arrays: on disk instead of in memory, and worked through a few series at a time.

An array that would take much memory is mapped from a file without a name in the folder of
`mapping_to` (else the system's folder for temporary files): the system reads and writes its pages
as they are needed and takes the memory back when others need it. The file is gone when the array
is, however the process ends. Contents and results are the same either way.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MAPPED_FROM_BYTES = 64 << 20
"""Arrays from this size on are mapped."""
CELLS_AT_ONCE = 2_000_000
"""Values of a panel that a step copies or converts at once."""


class DiskFull(MemoryError):
    """There is no room for a large array in the folder for temporary files."""

    def __init__(self, folder: Path, size: int, reason: str) -> None:
        self.folder, self.size = folder, size
        super().__init__(
            f"{size >> 20} MB for temporary arrays cannot be had in {folder} ({reason}). Free disk "
            "space there, or name another folder."
        )


@dataclass(frozen=True)
class _Place:
    folder: Path | None
    from_bytes: int


_TEMPORARY = _Place(None, MAPPED_FROM_BYTES)
_place: ContextVar[_Place] = ContextVar("place", default=_TEMPORARY)


@contextmanager
def mapping_to(folder: Path | None, *, from_bytes: int = MAPPED_FROM_BYTES) -> Iterator[None]:
    """Map arrays from `from_bytes` on in this folder (None: the system's) within the block."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    token = _place.set(_Place(folder, from_bytes))
    try:
        yield
    finally:
        _place.reset(token)


def new_array(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array of zeros [*shape]: in memory while small, mapped when large.

    Raises DiskFull.
    """
    place = _place.get()
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size < place.from_bytes or not size:
        return np.zeros(shape, dtype=dtype)
    folder = place.folder or Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    except OSError as error:
        raise DiskFull(folder, size, error.strerror or str(error)) from error


def _reserve(descriptor: int, size: int) -> None:
    """Take the room now: a page that finds no room later ends the process without a word."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)


def row_chunks(n_rows: int, n_columns: int, multiple: int = 1) -> Iterator[slice]:
    """Yield slices over the rows of an array of so many columns, each of CELLS_AT_ONCE at most.

    Every slice but the last has a multiple of `multiple` rows.
    """
    rows = max(CELLS_AT_ONCE // max(n_columns, 1) // multiple, 1) * multiple
    for start in range(0, n_rows, rows):
        yield slice(start, min(start + rows, n_rows))


def by_rows(work: Callable[..., Any], dtype: DTypeLike, *arrays: NDArray[Any]) -> NDArray[Any]:
    """Return `work` of arrays [S, T], done for some series at a time; it looks at rows only."""
    chunks = list(row_chunks(*arrays[0].shape))
    if len(chunks) <= 1:
        return np.asarray(work(*arrays), dtype=dtype)
    first = np.asarray(work(*(one[chunks[0]] for one in arrays)), dtype=dtype)
    found = new_array((len(arrays[0]), *first.shape[1:]), dtype)
    found[chunks[0]] = first
    for chunk in chunks[1:]:
        found[chunk] = work(*(one[chunk] for one in arrays))
    return found


def take_rows(values: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    """Return a copy of some rows of an array [S, T], made for some of them at a time."""
    found = new_array((len(rows), *values.shape[1:]), values.dtype)
    for chunk in row_chunks(*found.shape):
        found[chunk] = values[rows[chunk]]
    return found
