"""Plain tables to a panel: history, calendar, prices and attributes as pandas frames.

Nothing here is fatal unless a table cannot be understood at all; everything that was repaired,
ignored or guessed is a line in the notes.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.pipeline.arrays import new_array, row_chunks
from forecasting.pipeline.described_files import EMBEDDING, describe, new_series
from forecasting.pipeline.histories import read_history, spread_history
from forecasting.pipeline.series import SeriesPanel, Signal
from forecasting.pipeline.tables import Notes, TableError, ids_of, need_columns, read_days

SERIES_PER_CATEGORY = 5
"""An attribute with fewer series per value than this identifies series instead of grouping them."""

PRICE_COLUMNS = ["series_id", "week_start", "sell_price"]


@dataclass(frozen=True)
class Tables:
    """What a caller has: the history, whole or in pieces, and whatever else is known."""

    history: pd.DataFrame | Iterable[pd.DataFrame]
    calendar: pd.DataFrame | None = None
    prices: pd.DataFrame | None = None
    series: pd.DataFrame | None = None
    forecast_new: bool = False
    """Series that the series table names and the history does not know are new products."""


def panel_from_tables(
    tables: Tables, horizon: int, notes: Notes | None = None
) -> tuple[SeriesPanel, Notes]:
    """Return the panel of the tables and the notes of what was repaired or left out.

    notes: to go on with, where reading the tables made some.

    Raises TableError where a table lacks what it cannot do without.
    """
    notes = notes if notes is not None else Notes()
    pieces = [tables.history] if isinstance(tables.history, pd.DataFrame) else tables.history
    history = read_history(pieces, notes)
    days, ids = history.days, history.ids
    new = new_series(tables.series, ids) if tables.forecast_new else []
    demand, observed = spread_history(history, len(ids) + len(new), notes)
    del history  # its rows take more room than the panel
    notes.add(len(new), "series: {count} series without history are new products")
    ids = [*ids, *new]
    categories = _read_attributes(tables.series, ids, notes)
    grouping = _grouping(categories, len(ids), notes)
    reach = pd.date_range(days[0], days[-1] + pd.Timedelta(days=horizon))
    signals = [
        *_read_calendar(tables.calendar, reach, horizon, categories, notes),
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


def _read_attributes(
    series: pd.DataFrame | None, ids: list[str], notes: Notes
) -> dict[str, np.ndarray]:
    """Return the text attributes of the series.

    Numbers and dates are left out: a total or an average over the whole file would tell the
    network about days after the origin.
    """
    if series is None:
        return {}
    need_columns(series, "series", ["series_id"])
    named = series.dropna(subset=["series_id"])
    table = named.assign(series_id=named["series_id"].astype(str).str.strip())
    foreign = ~table["series_id"].isin(ids)
    notes.add(int(foreign.sum()), "series: {count} rows of series without history were left out")
    again = table["series_id"].duplicated() & ~foreign
    notes.add(int(again.sum()), "series: {count} further rows of the same series were left out")
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
    horizon: int,
    categories: dict[str, np.ndarray],
    notes: Notes,
) -> list[Signal]:
    """Return the columns of the calendar as signals of the days of `reach`, horizon included."""
    if calendar is None:
        return []
    need_columns(calendar, "calendar", ["date"])
    dated = calendar.assign(date=read_days(calendar["date"], "calendar", "date"))
    undated = int(dated["date"].isna().sum())
    notes.add(undated, "calendar: {count} rows without a readable date were left out")
    dated = dated.dropna(subset=["date"])
    again = int(dated["date"].duplicated().sum())
    notes.add(again, "calendar: {count} further rows of the same day were left out")
    table = dated.drop_duplicates("date").set_index("date").reindex(reach)
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
        signal = _calendar_signal(column, table[column], horizon)
        if signal is None:
            notes.lines.append(f"calendar: column {column} only counts or names days, not used")
            continue
        signals.append(signal)
        if not signal.known_ahead:
            notes.lines.append(
                f"calendar: column {column} has no number after the history and counts as not "
                "known ahead"
            )
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


def _calendar_signal(name: str, values: pd.Series, horizon: int) -> Signal | None:
    """Return a column as a signal; None where it numbers the days or names most of them.

    Numbers, unlike flags and names, mean something else where they are missing than where they are
    0: those that end with the history are not known ahead.
    """
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = values.astype(float)
        known = numbers.dropna()
        if known.nunique() < 2 or known.is_monotonic_increasing:
            return None
        flag = bool(known.isin([0.0, 1.0]).all())
        if flag:
            return Signal(name, numbers.fillna(0).to_numpy(np.float32), True, "flag")
        is_told = bool(numbers.iloc[-horizon:].notna().any())
        return Signal(name, numbers.ffill().to_numpy(np.float32), known_ahead=is_told)
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
    need_columns(prices, "prices", PRICE_COLUMNS)
    codes, named = ids_of(prices["series_id"])
    row = pd.Index(ids).get_indexer(pd.Index(named))[codes]
    days = read_days(prices["week_start"], "prices", "week_start")
    price = pd.to_numeric(prices["sell_price"], errors="coerce").to_numpy(np.float64)
    foreign = row < 0
    notes.add(int(foreign.sum()), "prices: {count} rows of series without history were left out")
    column = (days - reach[0]).dt.days.to_numpy(np.float64, na_value=np.nan)
    undated = ~foreign & np.isnan(column)
    notes.add(int(undated.sum()), "prices: {count} rows without a readable date were left out")
    usable = ~foreign & ~undated
    bad = usable & ~((price > 0) & np.isfinite(price))
    notes.add(int(bad.sum()), "prices: {count} prices that are zero, negative or no number "
              "were left out")  # fmt: skip
    outside = usable & ~bad & ((column < -6) | (column >= len(reach)))
    notes.add(int(outside.sum()), "prices: {count} rows of weeks outside the days of the history "
              "and the forecast were left out")  # fmt: skip
    good = usable & ~bad & ~outside
    notes.not_used("prices", prices.columns, PRICE_COLUMNS)
    values = new_array((len(ids), len(reach)), np.float32)
    for part in row_chunks(*values.shape):
        values[part] = np.nan
    values[row[good], np.maximum(column[good], 0).astype(int)] = price[good]
    for part in row_chunks(*values.shape):
        values[part] = pd.DataFrame(values[part]).ffill(axis=1).to_numpy(np.float32)
    return [Signal("price", values, known_ahead=True)]


__all__ = ["Notes", "TableError", "Tables", "panel_from_tables"]
