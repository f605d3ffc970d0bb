"""Where moments and spans lie on a line, in thousandths of its length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LENGTH = 1000
THINNEST = 8
"""A moment is drawn this wide, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of the line."""

    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The line from the first moment to the last."""

    first: datetime
    last: datetime

    @classmethod
    def over(cls, moments: Iterable[datetime]) -> Timeline | None:
        """Return the line over all of the moments, or None without any."""
        known = sorted(moments)
        return cls(known[0], known[-1]) if known else None

    def moment(self, at: datetime) -> Mark:
        """Return the mark of a moment, kept within the line."""
        centre = self._place(at)
        return Mark(min(max(centre - THINNEST // 2, 0), LENGTH - THINNEST), THINNEST)

    def span(self, start: datetime, end: datetime) -> Mark:
        """Return the mark from one moment to another, never too thin to be seen."""
        left, right = self._place(start), self._place(end)
        width = max(right - left, THINNEST)
        return Mark(min(left, LENGTH - width), width)

    def _place(self, at: datetime) -> int:
        whole = self.last - self.first
        if whole <= timedelta(0):
            return LENGTH // 2
        within = min(max(at - self.first, timedelta(0)), whole)
        return within * LENGTH // whole
