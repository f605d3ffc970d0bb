"""What a report is: one declaration that the page, the exports and the API are all drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from django.utils.functional import Promise

from inventory.queries.reports.asking import Question

Text = str | Promise
Row = Mapping[str, Any]


class Kind(StrEnum):
    """What a value is: decides how it reads on a page, in a file and in the API."""

    TEXT = "text"
    CODE = "code"
    CHOICE = "choice"
    QUANTITY = "quantity"
    RATE = "rate"
    """A mean quantity: its places are worth reading."""
    MONEY = "money"
    RATIO = "ratio"
    NUMBER = "number"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"
    DAY = "day"
    MOMENT = "moment"
    ID = "id"

    @property
    def is_number(self) -> bool:
        """Tell whether it is aligned to the end."""
        return self not in NOT_NUMBERS


MOST_LYING_LOW = 3
NOT_NUMBERS = frozenset({Kind.TEXT, Kind.CODE, Kind.CHOICE, Kind.DAY, Kind.MOMENT, Kind.ID})


@dataclass(frozen=True)
class Column:
    """A column by its name in SQL and in the API. ``by``: the groupings that have it; empty: all.

    An ID is for links and the API; people and files are shown names.
    """

    name: str
    label: Text
    kind: Kind = Kind.TEXT
    by: tuple[str, ...] = ()
    choices: type[Enum] | None = None
    is_optional: bool = False
    """May be empty: the API's schema says so."""
    is_on_page: bool = True
    """False for what only files and the API tell."""
    is_sortable: bool = True
    """False for names that only the rows shown are given."""

    def is_shown(self, question: Question) -> bool:
        """Tell whether readers see it in that grouping."""
        return self.kind != Kind.ID and (not self.by or question.by in self.by)

    def label_of(self, value: Any) -> str:
        """Return the reader's word for a member of ``choices``."""
        if value is None or value == "" or self.choices is None:
            return ""
        return str(self.choices(value).label)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Figure:
    """A headline: a total of the statement, or worked out from the totals."""

    label: Text
    kind: Kind
    value: Callable[[Row], Any]
    hint: Callable[[Row, Question], Text] | None = None


@dataclass(frozen=True)
class Picture:
    """What the ``chart`` tag draws; ``summary`` says in words what is to be seen."""

    kind: str
    label: Text
    data: Mapping[str, Any]
    summary: Text = ""

    @property
    def size(self) -> str:
        """Return the height: many bars that lie need room, each has a name."""
        lies = self.data.get("horizontal") and len(self.data["labels"]) > MOST_LYING_LOW
        return "" if lies else "short"


@dataclass(frozen=True)
class Report:
    """One report. ``body`` is a list of common table expressions, the last of them ``report``;
    ``needs`` are those it builds on.

    ``key`` are the columns that make a row of it unique; ``order`` is the usual order before them.
    ``totals`` are aggregates over the rows that are listed, ``picture`` a query of ``report``.
    """

    name: str
    title: Text
    purpose: Text
    icon: str
    method: Text
    filters: tuple[str, ...]
    columns: tuple[Column, ...]
    needs: tuple[str, ...]
    body: str
    key: str
    order: str
    totals: Mapping[str, str]
    figures: tuple[Figure, ...]
    picture: str
    draw: Callable[[Sequence[Row], Row, Question], Picture]
    by: tuple[tuple[str, Text], ...] = ()
    default_days: int = 91
    joins: str = ""
    """Names that only the rows shown need; ``page`` is the row."""
    select: str = "page.*"
    where: str = "true"
    constants: Mapping[str, Any] = field(default_factory=dict)
    notices: Callable[[Row, Question], list[Text]] = lambda _totals, _question: []
    matrix: Callable[[Sequence[Row]], Any] | None = None
    """A table in place of plain figures, for the page only."""

    def shown(self, question: Question) -> list[Column]:
        """Return the columns that readers see."""
        return [column for column in self.columns if column.is_shown(question)]

    def sorted_by(self, sort: str) -> str:
        """Return the ORDER BY of ``name`` or ``-name``, or the usual one; the key breaks ties."""
        names = {column.name for column in self.columns if column.is_sortable}
        name = sort.removeprefix("-")
        if name not in names:
            return f"{self.order}, {self.key}"
        direction = "DESC" if sort.startswith("-") else "ASC"
        return f"{name} {direction} NULLS LAST, {self.key}"


def total(name: str) -> Callable[[Row], Any]:
    """Return how to read a total as it is."""
    return lambda totals: totals.get(name)
