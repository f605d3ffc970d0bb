"""Large batches without the search for reference cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cycles_left_alone() -> Iterator[None]:
    """Leave reference cycles uncollected meanwhile.

    A batch that makes millions of small objects and keeps them has nothing to collect, yet every
    search looks at all of them: a fifth of the time of a large tenant's suggestions.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
