"""The kinds of jobs: which function does the work, on which queue, under which title.

Each app registers its kinds in its ``tasks.py``, which ``TenancyConfig.ready`` imports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenancy.models import JobQueue

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from tenancy.services.jobs import JobRun

    Handler = Callable[[JobRun], dict[str, Any]]


class UnknownJobKind(LookupError):
    """No handler is registered for this kind; ``kind`` says which."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"no handler is registered for jobs of kind {kind!r}")


class JobKindTaken(ValueError):
    """Two handlers want the same kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"a handler for jobs of kind {kind!r} exists already")


@dataclass(frozen=True)
class JobKind:
    """What is known of a kind of job. ``singleton_key`` names jobs of which one open is enough."""

    kind: str
    handler: Handler
    queue: JobQueue
    title: str | Promise


_kinds: dict[str, JobKind] = {}


def job_handler(
    kind: str, *, queue: JobQueue = JobQueue.DEFAULT, title: str | Promise = ""
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the worker of jobs of this kind.

    The function gets a ``JobRun``, runs outside any transaction, and returns the job's result.
    """

    def register(handler: Handler) -> Handler:
        known = _kinds.get(kind)
        same = known is not None and known.handler.__qualname__ == handler.__qualname__
        if known is not None and not same:
            raise JobKindTaken(kind)
        _kinds[kind] = JobKind(kind=kind, handler=handler, queue=queue, title=title or kind)
        return handler

    return register


def find_kind(kind: str) -> JobKind:
    """Return the registered kind; raise ``UnknownJobKind``."""
    try:
        return _kinds[kind]
    except KeyError:
        raise UnknownJobKind(kind) from None


def known_kinds() -> list[JobKind]:
    """Return every registered kind, by name."""
    return [_kinds[kind] for kind in sorted(_kinds)]


def job_title(kind: str) -> str:
    """Return the reader's title of a kind; of an unknown one its name."""
    known = _kinds.get(kind)
    return str(known.title) if known else kind
