"""Tables to a panel: what is repaired is reported, what cannot be used is named with its remedy."""

# ruff: noqa: PD011 - the values of a signal are an array already

import numpy as np
import pandas as pd
import pytest

from forecasting.pipeline import histories
from forecasting.pipeline.frames import TableError, Tables, panel_from_tables


def history(**changes: object) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=10)
    table = pd.DataFrame(
        {
            "series_id": ["a"] * 10 + ["b"] * 10,
            "date": list(days.astype(str)) * 2,
            "demand": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 2,
        }
    )
    return table.assign(**changes)


def build(**tables: pd.DataFrame):
    panel, notes = panel_from_tables(Tables(**{"history": history(), **tables}), 5)
    return panel, "\n".join(notes.lines)


def test_a_history_becomes_one_row_per_series_and_one_column_per_day():
    panel, notes = build()
    assert panel.series_ids == ("a", "b")
    assert panel.demand.shape == (2, 10)
    assert panel.demand[0].tolist() == list(range(10))
    assert panel.observed.all()
    assert notes == ""


def test_units_is_accepted_for_demand():
    panel, _ = build(history=history().rename(columns={"demand": "units"}))
    assert panel.demand[1, 9] == 9


@pytest.mark.parametrize("column", ["series_id", "date", "demand"])
def test_a_missing_column_is_named(column):
    with pytest.raises(TableError, match=f"history, column '{column}': is missing"):
        build(history=history().drop(columns=column))


def test_a_history_without_rows_is_refused():
    with pytest.raises(TableError, match="has no rows"):
        build(history=history().head(0))


def test_dates_that_are_none_are_refused_with_the_format():
    with pytest.raises(TableError, match="2024-12-31"):
        build(history=history(date="soon"))


def test_a_history_of_centuries_is_refused():
    table = history()
    table.loc[0, "date"] = "1800-01-01"
    with pytest.raises(TableError, match="wrong date"):
        build(history=table)


def test_missing_days_are_unobserved_where_the_file_writes_zeros():
    panel, notes = build(history=history().drop(index=[4, 5]))
    assert panel.observed[0].tolist() == [True] * 4 + [False] * 2 + [True] * 4
    assert "2 days without a row count as unobserved" in notes


def test_missing_days_are_zero_in_a_file_that_lists_sales_only():
    table = history()
    panel, notes = build(history=table[(table.demand > 0) & (table.demand != 5)])
    assert panel.demand[0].tolist() == [1, 2, 3, 4, 0, 6, 7, 8, 9]
    assert panel.observed[0, 4]
    assert "count as days without a sale" in notes


def test_bad_values_are_unobserved_and_reported():
    table = history().astype({"demand": object})
    table.loc[1, "demand"] = "many"
    table.loc[2, "demand"] = -3
    table.loc[3, "demand"] = np.inf
    panel, notes = build(history=table)
    assert panel.observed[0].tolist() == [True, False, False, False] + [True] * 6
    assert "3 values that are no demand" in notes


def test_exact_duplicates_are_dropped_and_others_added():
    table = pd.concat([history(), history().iloc[[3]], history().iloc[[4]].assign(demand=10)])
    panel, notes = build(history=table)
    assert panel.demand[0, 3] == 3
    assert panel.demand[0, 4] == 14
    assert "1 exact duplicates" in notes
    assert "1 further rows" in notes


def test_calendar_columns_become_flags_and_labels_and_counters_are_left_out():
    days = pd.date_range("2024-01-01", periods=15)
    calendar = pd.DataFrame(
        {
            "date": days,
            "closed": [0, 1] * 7 + [0],
            "event": ["fair"] * 4 + [None] * 11,
            "week_number": np.arange(15) // 7,
        }
    )
    panel, notes = build(calendar=calendar)
    found = {s.name: s for s in panel.signals}
    assert found["closed"].kind == "flag"
    assert found["event"].labels == ("fair",)
    assert all(s.known_ahead and s.values.shape == (15,) for s in panel.signals)
    assert "week_number" in notes
    assert "week_number" not in found


def test_numbers_that_end_with_the_history_are_not_known_ahead():
    days = pd.date_range("2024-01-01", periods=15)  # ten of them are history
    visits = [5.0, 9, 7, 8, 6, 4, 3, 8, 7, 6]
    calendar = pd.DataFrame(
        {"date": days, "visits": [*visits, *[None] * 5], "degrees": [*visits, None, 3, *[None] * 3]}
    )
    panel, notes = build(calendar=calendar)
    assert {s.name: s.known_ahead for s in panel.signals} == {"visits": False, "degrees": True}
    assert "column visits has no number after the history and counts as not known ahead" in notes
    assert "degrees" not in notes


def test_missing_calendar_days_are_ordinary_and_reported():
    calendar = pd.DataFrame({"date": ["2024-01-02", "2024-01-03"], "closed": [1, 0]})
    panel, notes = build(calendar=calendar)
    (closed,) = panel.signals
    assert closed.values.tolist() == [0, 1] + [0] * 13
    assert "13 days are missing" in notes


def test_columns_that_end_in_an_attributes_value_are_one_signal_with_a_scope():
    series = pd.DataFrame({"series_id": ["a", "b"], "region": ["north", "south"]})
    calendar = pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=15),
            "fair_north": [1] * 15,
            "fair_south": [0, 1] + [0] * 13,
        }
    )
    panel, _ = build(calendar=calendar, series=series)
    (fair,) = panel.signals
    assert fair.name == "fair"
    assert fair.values[0].tolist() == [1] * 15
    assert fair.values[1].tolist() == [0, 1] + [0] * 13


def test_numbers_about_a_series_are_not_used_because_they_may_know_the_future():
    series = pd.DataFrame(
        {"series_id": ["a", "b", "c"], "kind": ["x", "y", "y"], "total_units": [45, 45, 1],
         "first_date": ["2024-01-01"] * 3}
    )  # fmt: skip
    panel, notes = build(series=series)
    assert list(panel.categories) == ["kind"]
    assert "total_units" in notes
    assert "first_date" in notes


def test_prices_hold_until_the_next_and_never_reach_back():
    prices = pd.DataFrame(
        {"series_id": ["a", "a", "z"], "week_start": ["2024-01-03", "2024-01-10", "2024-01-03"],
         "sell_price": [2.0, 3.0, 9.0]}
    )  # fmt: skip
    panel, notes = build(prices=prices)
    (price,) = panel.signals
    values = price.values.copy()
    assert np.isnan(values[0, :2]).all()
    assert values[0, 2:9].tolist() == [2.0] * 7
    assert values[0, 9:].tolist() == [3.0] * 6
    assert np.isnan(values[1]).all()
    assert "1 rows of series without history" in notes


def pieces(table: pd.DataFrame, rows: int):
    return (table.iloc[first : first + rows] for first in range(0, len(table), rows))


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_a_history_in_pieces_is_the_same_wherever_it_is_cut(rows, monkeypatch):
    monkeypatch.setattr(histories, "MOST_ROWS", 4)
    monkeypatch.setattr(histories, "ROWS_AT_ONCE", 3)
    table = pd.concat(
        [
            history(demand=[0, 1, -2, 3, np.nan, 5, 6, np.inf, 8, 9] * 2),
            history().iloc[[3, 9, 9]],  # exact duplicates, in another piece
            history().iloc[[4, 12]].assign(demand=10),  # added to what is there
            history().iloc[[5]].assign(date="soon"),
            history().iloc[[6]].assign(series_id=None),
            history().iloc[[7]].assign(series_id=" b ", date="2024-01-20"),
        ]
    ).sample(frac=1, random_state=1)
    whole, said = build(history=table)
    cut, said_of_cut = build(history=pieces(table, rows))
    assert said == said_of_cut
    for line in (
        "1 rows without a readable date",
        "1 rows without a series_id",
        "6 values that",
        "3 exact duplicates",
        "2 further rows",
        "days without a row count as unob",
    ):
        assert line in said  # fmt: skip
    assert cut.series_ids == whole.series_ids == ("a", "b")
    np.testing.assert_array_equal(cut.demand, whole.demand)
    np.testing.assert_array_equal(cut.observed, whole.observed)
    assert cut.demand[0, 4] == 10  # the first of the two was no number
    assert cut.demand[1, 19] == 7


def _prices(**columns: list[object]) -> dict[str, pd.DataFrame]:
    return {"prices": pd.DataFrame({"series_id": ["a"], **columns})}


@pytest.mark.parametrize(
    ("tables", "note"),
    [
        ({"calendar": pd.DataFrame({"date": ["2024-01-01", "2024-01-01"], "promo": [0, 1]})},
         "calendar: 1 further rows of the same day were left out"),
        ({"calendar": pd.DataFrame({"date": ["2024-01-01", "soon"], "promo": [0, 1]})},
         "calendar: 1 rows without a readable date were left out"),
        (_prices(week_start=["2024-01-01"], sell_price=[0.0]),
         "prices: 1 prices that are zero, negative or no number were left out"),
        (_prices(week_start=["2024-01-01"], sell_price=[-2.0]),
         "prices: 1 prices that are zero, negative or no number were left out"),
        (_prices(week_start=["2024-01-01"], sell_price=["dear"]),
         "prices: 1 prices that are zero, negative or no number were left out"),
        (_prices(week_start=["2019-01-01"], sell_price=[2.0]),
         "prices: 1 rows of weeks outside the days of the history and the forecast were left out"),
        (_prices(week_start=["2024-01-01"], sell_price=[2.0], shop=["x"]),
         "prices: column shop is not used"),
        ({"series": pd.DataFrame({"series_id": ["a", "a", "b"], "kind": ["x", "y", "x"]})},
         "series: 1 further rows of the same series were left out"),
        ({"series": pd.DataFrame({"series_id": ["a", "b", "c"], "kind": ["x", "y", "x"]})},
         "series: 1 rows of series without history were left out"),
    ],
)  # fmt: skip
def test_nothing_is_left_out_without_a_word(tables, note):
    days = pd.date_range("2024-01-01", periods=10)
    history = pd.concat(
        [pd.DataFrame({"series_id": one, "date": days, "demand": 1.0}) for one in "ab"]
    )
    notes = panel_from_tables(Tables(history, **tables), 7)[1]
    assert notes.lines.count(note) == 1
    clean = panel_from_tables(Tables(history), 7)[1]
    assert clean.lines == []
    assert "history: column weather is not used" in (
        panel_from_tables(Tables(history.assign(weather=1.0)), 7)[1].lines
    )
