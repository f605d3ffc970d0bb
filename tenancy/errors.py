"""What services refuse, and how: four bases that pages and the API translate in one place.

A refusal says in words what is wrong and what to do, and carries the same as data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Refused(Exception):
    """A service did not do what was asked, and nothing changed."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: Text, **data: Any) -> None:
        self.message = message
        self.data = data
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.message)


class NotFound(Refused):
    """What was named does not exist for this tenant. Another tenant's row answers the same."""

    code = "not_found"

    def __init__(self, kind: str, identity: object, *, line: int | None = None) -> None:
        where = {} if line is None else {"line": line}
        super().__init__(
            _("There is no such %(kind)s: %(identity)s.") % {"kind": kind, "identity": identity},
            kind=kind,
            identity=identity,
            **where,
        )


class Conflict(Refused):
    """The request was in order, but the state of things does not allow it (now)."""

    code = "conflict"


class StaleVersion(Conflict):
    """Somebody else changed the document since it was read."""

    code = "stale_version"

    def __init__(self, *, given: int, current: int) -> None:
        super().__init__(
            _("This was changed by somebody else in the meantime. Reload and try again."),
            given=given,
            current=current,
        )


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input. ``line`` counts from 0, like the sequence it points into."""

    field: str
    code: str
    message: Text
    line: int | None = None


class Invalid(Refused):
    """The input cannot be accepted; ``problems`` names every line and field at once."""

    code = "invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(_sentence(p) for p in self.problems),
            problems=[asdict(p) | {"message": str(p.message)} for p in self.problems],
        )

    @classmethod
    def field(cls, field: str, code: str, message: Text) -> Invalid:
        """Return the refusal of a single field."""
        return cls([Problem(field=field, code=code, message=message)])


@contextmanager
def lines_numbered_as(numbers: Sequence[int]) -> Iterator[None]:
    """Let an ``Invalid`` raised inside name the lines of the caller: line n is ``numbers[n]``."""
    try:
        yield
    except Invalid as refusal:
        raise Invalid(
            [
                problem if problem.line is None else replace(problem, line=numbers[problem.line])
                for problem in refusal.problems
            ]
        ) from refusal


def _sentence(problem: Problem) -> str:
    if problem.line is None:
        return str(problem.message)
    named = {"number": problem.line + 1, "message": problem.message}
    return str(_("Line %(number)d: %(message)s") % named)
