"""Rows of demand, whole or in pieces, to arrays of series and days.

A row is kept as sixteen bytes while the file is read; what is large lies on disk, see `arrays`. The
result does not depend on where the file was cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting.pipeline.arrays import new_array, row_chunks
from forecasting.pipeline.series import BoolArray, FloatArray
from forecasting.pipeline.tables import Notes, TableError, dates_of, ids_of, need_columns, no_date

MAX_DAYS = 40 * 366
ROW = np.dtype([("series", np.int32), ("day", np.int32), ("demand", np.float64)])
MOST_ROWS = 1 << 23
"""Of one block: the next block is as large as all before it, up to so many rows."""
ROWS_AT_ONCE = 1 << 20
EPOCH = pd.Timestamp("1970-01-01")


class _Rows:
    """Rows in the order of the file, in blocks that are mapped once they are large."""

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.void]] = []
        self._filled: list[int] = []

    def __len__(self) -> int:
        return sum(self._filled)

    def append(self, rows: NDArray[np.void]) -> None:
        while len(rows):
            if not self._blocks or self._filled[-1] == len(self._blocks[-1]):
                size = min(max(len(self), len(rows)), MOST_ROWS)
                self._blocks.append(new_array((size,), ROW))
                self._filled.append(0)
            block, begin = self._blocks[-1], self._filled[-1]
            part = rows[: len(block) - begin]
            block[begin : begin + len(part)] = part
            self._filled[-1] += len(part)
            rows = rows[len(part) :]

    def __iter__(self) -> Iterator[NDArray[np.void]]:
        for block, filled in zip(self._blocks, self._filled, strict=True):
            for begin in range(0, filled, ROWS_AT_ONCE):
                yield block[begin : min(begin + ROWS_AT_ONCE, filled)]


@dataclass(frozen=True)
class History:
    """All usable rows; ids are sorted, and `place` [codes of the rows] says where each is."""

    rows: _Rows
    ids: list[str]
    place: NDArray[np.intp]
    days: pd.DatetimeIndex

    def cells(self, rows: NDArray[np.void]) -> NDArray[np.int64]:
        """Return where each row belongs in an array [S, T] that is read as one line."""
        first = (self.days[0] - EPOCH).days
        series = self.place[rows["series"]].astype(np.int64)
        return np.asarray(series * len(self.days) + (rows["day"] - first))


def read_history(pieces: Iterable[pd.DataFrame], notes: Notes) -> History:
    """Read rows of series, date and demand (or units). Raises TableError."""
    rows = _Rows()
    codes: dict[str, int] = {}
    undated = nameless = bad = 0
    for piece in pieces:
        notes.not_used("history", piece.columns, used_columns(piece.columns))
        if piece.empty:
            need_columns(_named(piece), "history", ["series_id", "date", "demand"])
            continue
        made, ids = _read_piece(_named(piece))
        undated += len(piece) - len(made)
        named = made["series"] >= 0
        nameless += len(made) - int(named.sum())
        made = made[named]
        bad += int(np.isnan(made["demand"]).sum())
        own = np.array([codes.setdefault(one, len(codes)) for one in ids], dtype=np.int32)
        if len(made):
            made["series"] = own[made["series"]]
            rows.append(made)
    if not len(rows):
        if undated and not nameless:
            raise no_date("history", "date")
        raise TableError(
            "history",
            "series_id",
            "has no rows",
            "Give at least one row of demand of a named series",
        )
    notes.add(undated, "history: {count} rows without a readable date were left out")
    notes.add(nameless, "history: {count} rows without a series_id were left out")
    notes.add(bad, "history: {count} values that are no demand (not a number, infinite "
              "or negative) count as unobserved")  # fmt: skip
    used = np.zeros(len(codes), dtype=np.bool_)
    for part in rows:
        used[part["series"]] = True
    ids = sorted(name for name, code in codes.items() if used[code])
    place = np.full(len(codes), -1, dtype=np.intp)
    place[[codes[name] for name in ids]] = np.arange(len(ids))
    return History(rows, ids, place, _days_of(rows))


def used_columns(found: Sequence[str]) -> list[str]:
    """Return the columns of a history that are read: of demand and units the first."""
    return ["series_id", "date", "demand" if "demand" in found else "units"]


def _named(piece: pd.DataFrame) -> pd.DataFrame:
    return piece if "demand" in piece.columns else piece.rename(columns={"units": "demand"})


def _read_piece(piece: pd.DataFrame) -> tuple[NDArray[np.void], list[str]]:
    """Return the rows that have a date, NaN where they hold no demand, and the ids they name."""
    need_columns(piece, "history", ["series_id", "date", "demand"])
    days = dates_of(piece["date"])
    dated = days.notna().to_numpy()
    series, ids = ids_of(piece["series_id"])
    units = pd.to_numeric(piece["demand"], errors="coerce").astype(float).to_numpy()[dated]
    rows = np.empty(int(dated.sum()), dtype=ROW)
    rows["series"] = series[dated]
    rows["day"] = (days[dated] - EPOCH).dt.days.to_numpy()
    rows["demand"] = np.where(np.isfinite(units) & (units >= 0), units, np.nan)
    return rows, ids


def _days_of(rows: _Rows) -> pd.DatetimeIndex:
    first = min(int(part["day"].min()) for part in rows)
    last = max(int(part["day"].max()) for part in rows)
    begin, end = (EPOCH + pd.Timedelta(days=day) for day in (first, last))
    if last - first + 1 > MAX_DAYS:
        raise TableError(
            "history", "date", f"{last - first + 1} days from {begin:%Y-%m-%d} to {end:%Y-%m-%d}",
            "Remove rows with a wrong date",
        )  # fmt: skip
    return pd.date_range(begin, end)


def spread_history(history: History, n_series: int, notes: Notes) -> tuple[FloatArray, BoolArray]:
    """Return demand and what of it was observed [S, T]; series past the history's have no days."""
    shape = (n_series, len(history.days))
    demand, present = new_array(shape, np.float32), new_array(shape, np.bool_)
    for part in row_chunks(*shape):
        demand[part] = np.nan
    flat, filled = demand.reshape(-1), present.reshape(-1)
    repeated: list[NDArray[np.int64]] = []
    for rows in history.rows:
        cells = history.cells(rows)
        ordered = np.sort(cells, kind="stable")
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        repeated.append(np.unique(np.concatenate([twice, cells[filled[cells]]])))
        flat[cells] = rows["demand"]
        filled[cells] = True
    if any(len(cells) for cells in repeated):
        _add_up(history, demand, repeated, notes)
    return demand, _fill_missing_days(demand, present, notes)


def _add_up(
    history: History, demand: FloatArray, repeated: list[NDArray[np.int64]], notes: Notes
) -> None:
    """Write what several rows of one series and day say together, some of the series at a time."""
    twice = new_array((demand.size,), np.bool_)
    for cells in repeated:
        twice[cells] = True
    counts = np.zeros(len(demand), dtype=np.int64)
    for rows in history.rows:
        series = history.place[rows["series"]][twice[history.cells(rows)]]
        counts += np.bincount(series, minlength=len(counts))
    dropped = added = 0
    group = (np.cumsum(counts) - 1) // ROWS_AT_ONCE
    for number in np.unique(group[counts > 0]):
        chosen = (group == number) & (counts > 0)
        same = _together(history, twice, chosen)
        distinct = same.drop_duplicates()
        total = distinct.groupby("cell", as_index=False)["demand"].sum(min_count=1)
        demand.reshape(-1)[total["cell"].to_numpy()] = total["demand"].to_numpy()
        dropped += len(same) - len(distinct)
        added += len(distinct) - len(total)
    notes.add(dropped, "history: {count} exact duplicates were dropped")
    notes.add(added, "history: {count} further rows of the same series and day were added together")


def _together(history: History, twice: BoolArray, chosen: BoolArray) -> pd.DataFrame:
    """Return the repeated rows of the chosen series, in the order of the file."""
    found = []
    for rows in history.rows:
        own = rows[chosen[history.place[rows["series"]]]]
        cells = history.cells(own)
        kept = twice[cells]
        found.append(pd.DataFrame({"cell": cells[kept], "demand": own["demand"][kept]}))
    return pd.concat(found, ignore_index=True)


def _fill_missing_days(demand: FloatArray, present: BoolArray, notes: Notes) -> BoolArray:
    """Fill days without a row in place and return what counts as observed [S, T].

    A file that never writes a zero lists sales only: its missing days are days without a sale.
    Any other file says zero when it means zero: its missing days are unobserved.
    """
    chunks = list(row_chunks(*demand.shape))
    sales_only = not any((demand[part] == 0).any() for part in chunks)
    observed = new_array(demand.shape, np.bool_)
    count = 0
    for part in chunks:
        begun = np.maximum.accumulate(present[part], axis=1)
        missing = begun & ~present[part]
        count += int(missing.sum())
        known = np.isfinite(demand[part])
        observed[part] = (present[part] & known) | (missing & sales_only)
        demand[part][begun & ~known] = 0
    kind = "days without a sale" if sales_only else "unobserved"
    notes.add(count, f"history: {{count}} days without a row count as {kind}")
    return observed
