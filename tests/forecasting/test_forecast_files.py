"""`forecast_files`: from files to a file the benchmark's scorer accepts; clear refusals."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from forecasting.management.commands import forecast_files
from forecasting.pipeline.series import QUANTILES

DAYS = pd.date_range("2024-01-01", periods=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame(
            {
                "series_id": f"00{k}",
                "date": DAYS,
                "units": rng.poisson(k + 1, len(DAYS)),
                "note": "x",
            }
        )
        for k in range(8)
    ]
    pd.concat(rows).to_csv(place / "history.csv.gz", index=False)
    reach = pd.date_range("2024-01-01", periods=240)
    pd.DataFrame(
        {"date": reach[5:], "promo": (np.arange(235) % 30 < 3).astype(int), "text": "?"}
    ).to_csv(place / "calendar.csv", index=False)
    pd.DataFrame(
        {"series_id": [f"00{k}" for k in range(9)], "group": list("aabbaabba"), "total": 1.0}
    ).to_csv(place / "series.csv", index=False)
    pd.DataFrame({"series_id": "001", "week_start": reach[::7], "sell_price": 2.5}).to_csv(
        place / "prices.csv", index=False
    )
    return place


def run(folder: Path, *extra: str) -> str:
    out = StringIO()
    call_command(
        "forecast_files", "--history", str(folder / "history.csv.gz"), "--seconds", "1",
        "--out", str(folder / "out.csv.gz"), *extra, stdout=out,
    )  # fmt: skip
    return out.getvalue()


def test_every_series_origin_and_day_gets_a_mean_and_19_quantiles(folder):
    said = run(
        folder,
        "--calendar", str(folder / "calendar.csv"), "--series", str(folder / "series.csv"),
        "--prices", str(folder / "prices.csv"), "--horizon", "28",
        "--origin", "2024-06-01", "--origin", "2024-06-29",
    )  # fmt: skip
    table = pd.read_csv(folder / "out.csv.gz", dtype={"series_id": str})
    assert list(table.columns[:4]) == ["series_id", "date", "origin", "mean"]
    names = [f"q{level:g}" for level in QUANTILES]
    assert list(table.columns[4:]) == names
    assert len(table) == 8 * 28 * 2
    assert not table.duplicated(["series_id", "date", "origin"]).any()
    assert (table.date > table.origin).all()
    assert (np.diff(table[names].to_numpy(), axis=1) >= 0).all()
    assert "001" in set(table.series_id)
    assert "calendar: 5 days are missing" in said
    assert "column total" in said
    assert "note: history: column note is not used" in said
    assert "note: series: 1 rows of series without history were left out" in said


def test_the_database_is_not_touched(folder, monkeypatch):
    from django.db.backends.base.base import BaseDatabaseWrapper

    def refuse(*args: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    run(folder, "--origin", "2024-06-29", "--horizon", "7", "--no-contest", "--networks", "linear")


def test_the_same_seed_writes_the_same_file(folder):
    arguments = ("--origin", "2024-06-29", "--horizon", "7", "--no-contest", "--networks", "linear")
    run(folder, *arguments)
    first = pd.read_csv(folder / "out.csv.gz")
    run(folder, *arguments)
    pd.testing.assert_frame_equal(first, pd.read_csv(folder / "out.csv.gz"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--origin", "yesterday"], "Write it as 2016-02-28"),
        (["--origin", "2020-01-01"], "before the first day of the history, 2024-01-01"),
        (["--origin", "2024-06-01", "--horizon", "0"], "give 1 to 365 days"),
        (["--origin", "2024-06-01", "--networks", "oracle"], "choose from lstm"),
        (["--origin", "2024-06-01", "--seconds", "-3"], "above 0"),
        (["--origin", "2024-06-01", "--missing", "guess"], "choose from drop, mean, median"),
        (["--origin", "2024-06-01", "--outliers", "-1"], "above 0, or never"),
        (["--origin", "2024-06-01", "--outliers", "often"], "above 0, or never"),
        (["--origin", "2024-06-01", "--calendar", "nowhere.csv"], "there is no such file"),
        (["--origin", "2024-06-01", "--out", "/no/such/folder/x.csv"], "does not exist"),
    ],
)
def test_wrong_arguments_are_refused_with_the_remedy(folder, arguments, problem):
    with pytest.raises(CommandError, match=problem):
        run(folder, *arguments)


def test_a_file_without_its_column_is_named_with_the_column(folder):
    path = folder / "bad.csv"
    path.write_text("sku,date\n1,2024-01-01\n")
    with pytest.raises(
        CommandError, match=r"bad\.csv: calendar|bad\.csv: history, column 'series_id'"
    ):
        run(folder, "--history", str(path), "--origin", "2024-06-01")


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bbroken", b"\xff\xfe\x00\x01"])
def test_a_file_that_is_no_table_is_refused(folder, content):
    path = folder / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"broken\.csv"):
        run(folder, "--history", str(path), "--origin", "2024-06-01")


def test_a_history_that_breaks_off_in_a_later_piece_is_refused(folder, monkeypatch):
    monkeypatch.setattr(forecast_files, "ROWS_AT_ONCE", 2)
    path = folder / "torn.csv"
    path.write_bytes(b"series_id,date,demand\n" + b"007,2024-01-01,1\n" * 5 + b'"007,2024-01-02')
    with pytest.raises(CommandError, match=r"torn\.csv: cannot be read as a table"):
        run(folder, "--history", str(path), "--origin", "2024-06-01")


def test_closed_days_and_cut_values_are_reported_and_the_options_decide(tmp_path):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.poisson(5, (len(DAYS), 14)) + 1, index=DAYS)
    table.iloc[[100, 101, 110]] = 0
    table.iloc[60, 3] = 9000
    table.index.name = "date"
    table.melt(var_name="series_id", value_name="demand", ignore_index=False).to_csv(
        tmp_path / "history.csv.gz"
    )
    arguments = ("--origin", "2024-06-29", "--horizon", "7", "--no-contest", "--networks", "linear")
    said = run(tmp_path, *arguments)
    assert "note: 3 closed days count as unobserved: 2024-04-10 to 2024-04-11, 2024-04-20" in said
    assert "note: 1 outliers in 1 series were cut to 8 robust deviations" in said
    assert "were filled" not in said
    said = run(tmp_path, *arguments, "--outliers", "never", "--missing", "median")
    assert "were cut" not in said
    assert "note: 42 unobserved days were filled (median)" in said
