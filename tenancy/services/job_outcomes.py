"""What a finished job's result says to people. Each app describes its own kinds of jobs.

@describes("train_network")
def trained(result: dict[str, Any]) -> Outcome: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenancy.models import Job


@dataclass(frozen=True)
class Outcome:
    """Sentences, and the page that shows more: the name of its address and that one's arguments."""

    sentences: tuple[str, ...] = ()
    view_name: str = ""
    arguments: Mapping[str, int] = field(default_factory=dict)


Describe = Callable[[dict[str, Any]], Outcome]
_descriptions: dict[str, Describe] = {}


def describes(*kinds: str) -> Callable[[Describe], Describe]:
    """Register the decorated function as the one that puts results of these kinds into words."""

    def register(describe: Describe) -> Describe:
        _descriptions.update(dict.fromkeys(kinds, describe))
        return describe

    return register


def outcome_of(job: Job) -> Outcome:
    """Return what came of a job; of a kind that nobody describes, its plain figures by name."""
    result: dict[str, Any] = job.result or {}
    describe = _descriptions.get(job.kind)
    if describe is not None and result:
        return describe(result)
    plain = [(name, value) for name, value in result.items() if isinstance(value, str | int)]
    return Outcome(
        tuple(f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in plain)
    )
