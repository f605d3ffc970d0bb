"""What every table of a file is read with: refusals, notes, dates and ids."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class TableError(ValueError):
    """A table cannot be used: which table, which column, and what to do about it."""

    def __init__(self, table: str, column: str, problem: str, remedy: str) -> None:
        self.table, self.column, self.problem, self.remedy = table, column, problem, remedy
        super().__init__(f"{table}, column {column!r}: {problem}. {remedy}")


@dataclass
class Notes:
    """What was found in the tables and done about it, in sentences."""

    lines: list[str] = field(default_factory=list)

    def add(self, count: int, sentence: str) -> None:
        if count:
            self.lines.append(sentence.format(count=count))

    def not_used(self, table: str, found: Iterable[object], used: Iterable[str]) -> None:
        """Note each column that nothing reads, once."""
        for column in found:
            line = f"{table}: column {column} is not used"
            if column not in set(used) and line not in self.lines:
                self.lines.append(line)


def need_columns(table: pd.DataFrame, name: str, columns: list[str]) -> None:
    """Raise TableError for the first column that is missing."""
    for column in columns:
        if column not in table.columns:
            raise TableError(
                name, column, "is missing", f"The columns found are {', '.join(table.columns)}"
            )


def dates_of(values: pd.Series) -> pd.Series:
    """Return days, NaT where there is none; each distinct text is read once."""
    codes, distinct = pd.factorize(values)
    days = pd.to_datetime(pd.Series(distinct), errors="coerce", format="ISO8601").dt.normalize()
    return pd.Series(days.array.take(codes, allow_fill=True), index=values.index)


def read_days(values: pd.Series, table: str, column: str) -> pd.Series:
    """Return days, NaT where there is none. Raises TableError where no row has one."""
    days = dates_of(values)
    if len(values) and days.isna().all():
        raise no_date(table, column)
    return days


def no_date(table: str, column: str) -> TableError:
    """Return the refusal of a column without a readable date."""
    return TableError(table, column, "holds no date", "Write dates as 2024-12-31")


def ids_of(values: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Return which id each row has [N], -1 for none, and the ids as text without space around."""
    codes, distinct = pd.factorize(values)
    names = [str(one).strip() for one in distinct]
    place = {name: number for number, name in enumerate(dict.fromkeys(filter(None, names)))}
    return np.array([*(place.get(name, -1) for name in names), -1], dtype=np.intp)[codes], [*place]
