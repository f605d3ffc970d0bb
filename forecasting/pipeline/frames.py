"""Plain tables to a panel: history, calendar, prices and attributes as pandas frames.

Nothing here is fatal unless a table cannot be understood at all; everything that was repaired,
ignored or guessed is a line in the notes.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecasting.pipeline.described_files import EMBEDDING, describe, new_series
from forecasting.pipeline.series import FloatArray, SeriesPanel, Signal

MAX_DAYS = 40 * 366
SERIES_PER_CATEGORY = 5
"""An attribute with fewer series per value than this identifies series instead of grouping them."""


class TableError(ValueError):
    """A table cannot be used: which table, which column, and what to do about it."""

    def __init__(self, table: str, column: str, problem: str, remedy: str) -> None:
        self.table, self.column, self.problem, self.remedy = table, column, problem, remedy
        super().__init__(f"{table}, column {column!r}: {problem}. {remedy}")


@dataclass(frozen=True)
class Tables:
    """What a caller has: the history, and whatever else is known."""

    history: pd.DataFrame
    calendar: pd.DataFrame | None = None
    prices: pd.DataFrame | None = None
    series: pd.DataFrame | None = None
    forecast_new: bool = False
    """Series that the series table names and the history does not know are new products."""


@dataclass
class Notes:
    """What was found in the tables and done about it, in sentences."""

    lines: list[str] = field(default_factory=list)

    def add(self, count: int, sentence: str) -> None:
        if count:
            self.lines.append(sentence.format(count=count))


def panel_from_tables(tables: Tables, horizon: int) -> tuple[SeriesPanel, Notes]:
    """Return the panel of the tables and the notes of what was repaired or left out.

    Raises TableError where a table lacks what it cannot do without.
    """
    notes = Notes()
    history = _tidy_history(tables.history, notes)
    days = pd.date_range(history.date.min(), history.date.max())
    if len(days) > MAX_DAYS:
        raise TableError(
            "history", "date", f"{len(days)} days from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}",
            "Remove rows with a wrong date",
        )  # fmt: skip
    demand, present, ids = _spread_history(history, days)
    observed = _fill_missing_days(demand, present, notes)
    new = new_series(tables.series, ids) if tables.forecast_new else []
    if new:
        notes.add(len(new), "series: {count} series without history are new products")
        ids = [*ids, *new]
        demand = np.pad(demand, ((0, len(new)), (0, 0)), constant_values=np.nan)
        observed = np.pad(observed, ((0, len(new)), (0, 0)))
    categories = _read_attributes(tables.series, ids, notes)
    grouping = _grouping(categories, len(ids), notes)
    reach = pd.date_range(days[0], days[-1] + pd.Timedelta(days=horizon))
    signals = [
        *_read_calendar(tables.calendar, reach, categories, notes),
        *_read_prices(tables.prices, reach, ids, notes),
    ]
    panel = SeriesPanel(
        series_ids=tuple(ids),
        first_day=days[0].date(),
        demand=demand,
        observed=observed,
        categories=grouping,
        signals=tuple(signals),
        descriptions=describe(tables.series, ids, categories, grouping, len(new)),
    )
    return panel, notes


def _need(table: pd.DataFrame, name: str, columns: list[str]) -> None:
    for column in columns:
        if column not in table.columns:
            raise TableError(
                name, column, "is missing", f"The columns found are {', '.join(table.columns)}"
            )


def _read_days(values: pd.Series, table: str, column: str) -> pd.Series:
    days = pd.to_datetime(values, errors="coerce", format="ISO8601")
    if len(values) and days.isna().all():
        raise TableError(table, column, "holds no date", "Write dates as 2024-12-31")
    return days.dt.normalize()


def _tidy_history(raw: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """One row per series and day: text id, day, demand as a number or NaN where unusable."""
    history = raw if "demand" in raw.columns else raw.rename(columns={"units": "demand"})
    _need(history, "history", ["series_id", "date", "demand"])
    if history.empty:
        raise TableError("history", "series_id", "has no rows", "Give at least one row of demand")
    tidy = pd.DataFrame(
        {
            "series_id": history["series_id"].astype(str).str.strip(),
            "date": _read_days(history["date"], "history", "date"),
            "demand": pd.to_numeric(history["demand"], errors="coerce").astype(float),
        }
    )
    undated = tidy.date.isna()
    notes.add(int(undated.sum()), "history: {count} rows without a readable date were left out")
    tidy = tidy[~undated]
    bad = ~np.isfinite(tidy.demand) | (tidy.demand < 0)
    notes.add(int(bad.sum()), "history: {count} values that are no demand (not a number, infinite "
              "or negative) count as unobserved")  # fmt: skip
    tidy.loc[bad, "demand"] = np.nan
    repeated = tidy.duplicated(["series_id", "date"], keep=False)
    if repeated.any():
        before = len(tidy)
        tidy = tidy.drop_duplicates()
        notes.add(before - len(tidy), "history: {count} exact duplicates were dropped")
        before = len(tidy)
        tidy = tidy.groupby(["series_id", "date"], as_index=False)["demand"].sum(min_count=1)
        notes.add(before - len(tidy), "history: {count} further rows of the same series and day "
                  "were added together")  # fmt: skip
    return tidy


def _spread_history(
    history: pd.DataFrame, days: pd.DatetimeIndex
) -> tuple[FloatArray, np.ndarray, list[str]]:
    """Return demand [S, T] with NaN where there is no row, rows present [S, T], and the ids."""
    codes, ids = pd.factorize(history.series_id, sort=True)
    columns = (history.date - days[0]).dt.days.to_numpy()
    demand = np.full((len(ids), len(days)), np.nan, dtype=np.float32)
    present = np.zeros(demand.shape, dtype=bool)
    demand[codes, columns] = history.demand.to_numpy(np.float32)
    present[codes, columns] = True
    return demand, present, [str(one) for one in ids]


def _fill_missing_days(demand: FloatArray, present: np.ndarray, notes: Notes) -> np.ndarray:
    """Fill days without a row in place and return what counts as observed [S, T].

    A file that never writes a zero lists sales only: its missing days are days without a sale.
    Any other file says zero when it means zero: its missing days are unobserved.
    """
    begun = np.maximum.accumulate(present, axis=1)
    missing = begun & ~present
    sales_only = not (demand == 0).any()
    kind = "days without a sale" if sales_only else "unobserved"
    notes.add(int(missing.sum()), f"history: {{count}} days without a row count as {kind}")
    observed = present & np.isfinite(demand)
    if sales_only:
        observed |= missing
    demand[begun & ~np.isfinite(demand)] = 0
    return observed


def _read_attributes(
    series: pd.DataFrame | None, ids: list[str], notes: Notes
) -> dict[str, np.ndarray]:
    """Return the text attributes of the series.

    Numbers and dates are left out: a total or an average over the whole file would tell the
    network about days after the origin.
    """
    if series is None:
        return {}
    _need(series, "series", ["series_id"])
    table = series.assign(series_id=series["series_id"].astype(str).str.strip())
    table = table.drop_duplicates("series_id").set_index("series_id").reindex(ids)
    notes.add(int(table.isna().all(axis=1).sum()), "series: {count} series are not described")
    found = {}
    for column in table.columns:
        values = table[column]
        if str(column).startswith(EMBEDDING):
            continue
        if pd.api.types.is_numeric_dtype(values) or _looks_like_dates(values):
            notes.lines.append(f"series: column {column} is a number or a date and was not used")
            continue
        found[str(column)] = values.fillna("").astype(str).to_numpy(dtype=str)
    return found


def _looks_like_dates(values: pd.Series) -> bool:
    sample = values.dropna().astype(str).head(50)
    if sample.empty or not sample.str.match(r"^\d{4}-\d{2}-\d{2}").all():
        return False
    return bool(pd.to_datetime(sample, errors="coerce", format="ISO8601").notna().all())


def _grouping(
    categories: dict[str, np.ndarray], n_series: int, notes: Notes
) -> dict[str, np.ndarray]:
    kept = {}
    for name, values in categories.items():
        distinct = len(np.unique(values))
        if 2 <= distinct <= max(n_series / SERIES_PER_CATEGORY, 2):
            kept[name] = values
        else:
            notes.lines.append(
                f"series: column {name} has {distinct} values and groups nothing; "
                "its words tell what new products are like"
            )
    return kept


def _read_calendar(
    calendar: pd.DataFrame | None,
    reach: pd.DatetimeIndex,
    categories: dict[str, np.ndarray],
    notes: Notes,
) -> list[Signal]:
    if calendar is None:
        return []
    _need(calendar, "calendar", ["date"])
    dated = calendar.assign(date=_read_days(calendar["date"], "calendar", "date"))
    table = dated.dropna(subset=["date"]).drop_duplicates("date").set_index("date").reindex(reach)
    absent = ~reach.isin(dated.date)
    notes.add(int(absent.sum()), "calendar: {count} days are missing and count as ordinary days")
    columns = [str(c) for c in table.columns]
    signals = []
    for prefix, (attribute, by_value) in _scoped_columns(columns, categories).items():
        own = np.zeros((len(categories[attribute]), len(reach)), dtype=np.float32)
        for value, column in by_value.items():
            rows = categories[attribute] == value
            own[rows] = pd.to_numeric(table[column], errors="coerce").fillna(0).to_numpy()
        flag = bool(np.isin(own, (0, 1)).all())
        signals.append(Signal(prefix, own, known_ahead=True, kind="flag" if flag else "numeric"))
        columns = [c for c in columns if c not in by_value.values()]
    for column in columns:
        signal = _calendar_signal(column, table[column])
        if signal is None:
            notes.lines.append(f"calendar: column {column} only counts or names days, not used")
        else:
            signals.append(signal)
    return signals


def _scoped_columns(
    columns: list[str], categories: dict[str, np.ndarray]
) -> dict[str, tuple[str, dict[str, str]]]:
    """Find columns such as promo_NORTH, promo_SOUTH whose ending is a value of an attribute.

    Returns prefix -> (attribute, value -> column). Such columns are one signal with a scope.
    """
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for attribute, values in categories.items():
        known = set(np.unique(values)) - {""}
        groups: dict[str, dict[str, str]] = defaultdict(dict)
        for column in columns:
            prefix, _, value = column.rpartition("_")
            if prefix and value in known:
                groups[prefix][value] = column
        found.update({p: (attribute, by) for p, by in groups.items() if p not in found})
    return found


def _calendar_signal(name: str, values: pd.Series) -> Signal | None:
    """Return a column as a signal; None where it numbers the days or names most of them."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = values.astype(float)
        known = numbers.dropna()
        if known.nunique() < 2 or known.is_monotonic_increasing:
            return None
        flag = bool(known.isin([0.0, 1.0]).all())
        filled = (numbers.fillna(0) if flag else numbers.ffill()).to_numpy(np.float32)
        return Signal(name, filled, known_ahead=True, kind="flag" if flag else "numeric")
    named = values.notna() & (values.astype(str).str.strip() != "")
    if not named.any() or values[named].nunique() > max(named.sum() / 2, 1):
        return None
    codes, labels = pd.factorize(values.where(named), sort=True)
    as_numbers = np.where(codes < 0, np.nan, codes).astype(np.float32)
    return Signal(name, as_numbers, True, "category", tuple(str(one) for one in labels))


def _read_prices(
    prices: pd.DataFrame | None, reach: pd.DatetimeIndex, ids: list[str], notes: Notes
) -> list[Signal]:
    """Return the price of each series and day; a week without a price keeps the last one known."""
    if prices is None:
        return []
    _need(prices, "prices", ["series_id", "week_start", "sell_price"])
    table = pd.DataFrame(
        {
            "row": pd.Index(ids).get_indexer(prices["series_id"].astype(str).str.strip()),
            "date": _read_days(prices["week_start"], "prices", "week_start"),
            "price": pd.to_numeric(prices["sell_price"], errors="coerce"),
        }
    )
    foreign = table.row < 0
    notes.add(int(foreign.sum()), "prices: {count} rows of series without history were left out")
    column = (table.date - reach[0]).dt.days
    good = ~foreign & table.price.gt(0) & np.isfinite(table.price) & column.between(-6, len(reach))
    values = np.full((len(ids), len(reach) + 1), np.nan, dtype=np.float32)
    values[table.row[good], column[good].clip(lower=0).astype(int)] = table.price[good]
    filled = pd.DataFrame(values[:, : len(reach)]).ffill(axis=1)
    return [Signal("price", filled.to_numpy(np.float32), known_ahead=True)]
