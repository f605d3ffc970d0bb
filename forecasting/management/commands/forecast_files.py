"""`manage.py forecast_files`: the tenants' pipeline on plain files, without a database."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from django.conf import settings
from django.core.management.base import CommandError

from forecasting.management.saying import SayingCommand

if TYPE_CHECKING:
    from forecasting.pipeline.cleaning import CleaningConfig
    from forecasting.pipeline.engine import EngineConfig, FittedForecaster
    from forecasting.pipeline.series import Forecast, SeriesPanel
    from forecasting.pipeline.tables import Notes
    from forecasting.pipeline.training import Callbacks

MAX_HORIZON_DAYS = 365
ROWS_AT_ONCE = 500_000
"""Of the history, read at once."""
DECIMALS = 4


class Command(SayingCommand):
    """Train once on days up to the first origin and forecast from every origin."""

    help = "Forecast daily demand from CSV files (history, calendar, prices, series)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--history", required=True, help="series_id,date,demand (or units)")
        parser.add_argument("--calendar", help="date and any columns of events, flags and numbers")
        parser.add_argument("--prices", help="series_id,week_start,sell_price")
        parser.add_argument("--series", help="series_id and any attribute columns")
        parser.add_argument(
            "--new-products",
            action="store_true",
            help="also forecast what --series names and --history does not know",
        )
        parser.add_argument("--horizon", type=int, default=28, help="days ahead")
        parser.add_argument(
            "--origin", action="append", required=True, help="last known day, as 2016-02-28; repeat"
        )
        parser.add_argument("--out", required=True, help="CSV to write, .gz to compress")
        parser.add_argument(
            "--missing",
            default="drop",
            help="unobserved days: drop (leave out), or fill by mean, median, nearest or model",
        )
        parser.add_argument(
            "--outliers",
            default="8",
            help="robust deviations beyond which demand is cut, or never",
        )
        parser.add_argument("--networks", default="", help="names, separated by commas")
        parser.add_argument("--no-contest", action="store_true", help="serve the networks untested")
        parser.add_argument("--seconds", type=float, help="CPU seconds to spend on training")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        from forecasting.pipeline.compute import DeviceMissing, computing_on

        try:
            with computing_on(settings.FORECAST_DEVICE):
                self._forecast(options)
        except DeviceMissing as error:
            raise CommandError(f"FORECAST_DEVICE={settings.FORECAST_DEVICE}: {error}") from error

    def _forecast(self, options: dict[str, Any]) -> None:
        from forecasting.pipeline.compute import device_name
        from forecasting.pipeline.engine import fit

        origins = _read_origins(options["origin"])
        horizon = options["horizon"]
        if not 1 <= horizon <= MAX_HORIZON_DAYS:
            raise CommandError(f"--horizon {horizon}: give 1 to {MAX_HORIZON_DAYS} days.")
        out = Path(options["out"])
        if not out.parent.is_dir():
            raise CommandError(f"--out {out}: the folder {out.parent} does not exist; create it.")
        panel = self._read_panel(options, horizon)
        if origins[0] < panel.first_day:
            raise CommandError(
                f"--origin {origins[0]} is before the first day of the history, {panel.first_day}."
            )
        config = _read_config(options)
        self._report_cleaning(panel.up_to(origins[0], config.horizon), config)
        self.stdout.write(f"computing on {device_name()}")
        fitted = fit(panel, origins[0], config, self._callbacks())
        self._report_contest(fitted)
        before = time.process_time()
        forecasts = [fitted.forecast(panel, origin, horizon) for origin in origins]
        self.stdout.write(f"forecast in {time.process_time() - before:.1f} CPU seconds")
        write_forecasts(forecasts, out)
        self.stdout.write(f"wrote {out}")

    def _read_panel(self, options: dict[str, Any], horizon: int) -> "SeriesPanel":
        from forecasting.pipeline.frames import Notes, TableError, Tables, panel_from_tables

        names = ("history", "calendar", "prices", "series")
        notes = Notes()
        history = read_pieces(options["history"], notes)
        calendar, prices, series = (read_table(options[name], name) for name in names[1:])
        tables = Tables(history, calendar, prices, series, options["new_products"])
        try:
            panel = panel_from_tables(tables, horizon, notes)[0]
        except TableError as error:
            raise CommandError(f"{options[error.table]}: {error}") from error
        for line in notes.lines:
            self.stdout.write(f"note: {line}")
        self.stdout.write(
            f"{panel.n_series} series, {panel.n_days} days, {panel.first_day} to {panel.last_day}"
        )
        return panel

    def _report_cleaning(self, known: "SeriesPanel", config: "EngineConfig") -> None:
        """Say what of the days up to the first origin is not read as it was recorded."""
        from forecasting.pipeline.cleaning import report
        from forecasting.pipeline.closures import (
            closed_dates,
            day_ranges,
            find_closures,
            without_closed_days,
        )

        closures = find_closures(known)
        closed = closed_dates(known, closures)
        if closed:
            ranges = ", ".join(
                f"{one.first}" if one.is_one_day else f"{one.first} to {one.last}"
                for one in day_ranges(closed)
            )
            self.stdout.write(f"note: {len(closed)} closed days count as unobserved: {ranges}")
        found = report(without_closed_days(known, closures), config.cleaning)
        if found["outliers"]:
            self.stdout.write(
                f"note: {found['outliers']} outliers in {found['outlier_series']} series were cut "
                f"to {found['outlier_threshold']:g} robust deviations"
            )
        if found["filled"]:
            self.stdout.write(
                f"note: {found['filled']} unobserved days were filled ({found['missing']})"
            )

    def _callbacks(self) -> "Callbacks":
        from forecasting.pipeline.training import Callbacks, EpochReport

        def on_epoch(report: EpochReport) -> None:
            loss = report.validation_loss
            judged = "" if np.isnan(loss) else f"  validation {loss:.4f}"
            self.say(
                f"  {report.network} epoch {report.epoch}/{report.epochs}"
                f"  training {report.training_loss:.4f}{judged}"
            )

        return Callbacks(
            on_epoch=on_epoch,
            on_stage=self.say,
            cpu_seconds=time.process_time,
        )

    def _report_contest(self, fitted: "FittedForecaster") -> None:
        for row in fitted.contest.league:
            self.stdout.write(
                f"{row.demand_class:12} {row.method:22} SPL {row.spl:.4f} wSPL {row.wspl:.4f} "
                f"RMSSE {row.rmsse:.4f} wRMSSE {row.wrmsse:.4f} bias {row.bias:+.3f} "
                f"weight {row.weight:.2f}"
            )
        if fitted.cpu_seconds is not None:
            self.stdout.write(f"trained in {fitted.cpu_seconds:.1f} CPU seconds")


def _read_origins(texts: list[str]) -> list[date]:
    try:
        return sorted({date.fromisoformat(text) for text in texts})
    except ValueError as error:
        raise CommandError(f"--origin: {error}. Write it as 2016-02-28.") from error


def _read_config(options: dict[str, Any]) -> "EngineConfig":
    from forecasting.pipeline.engine import EngineConfig
    from forecasting.pipeline.networks import UnknownNetwork, require_known

    chosen = tuple(name.strip() for name in options["networks"].split(",") if name.strip())
    try:
        for name in chosen:
            require_known(name)
    except UnknownNetwork as error:
        raise CommandError(f"--networks: {error}") from error
    seconds = options["seconds"]
    if seconds is not None and seconds <= 0:
        raise CommandError(f"--seconds {seconds}: give a number above 0.")
    config = EngineConfig(
        cleaning=_read_cleaning(options["missing"], options["outliers"]),
        contest=not options["no_contest"],
        horizon=min(options["horizon"], 28),
        budget_seconds=seconds,
        seed=options["seed"],
    )
    return config.with_networks(chosen) if chosen else config


def _read_cleaning(missing: str, outliers: str) -> "CleaningConfig":
    from forecasting.pipeline.cleaning import CleaningConfig, CleaningError, MissingDays

    known = [one.value for one in MissingDays]
    if missing not in known:
        raise CommandError(f"--missing {missing}: choose from {', '.join(known)}.")
    try:
        limit = None if outliers == "never" else float(outliers)
        return CleaningConfig(MissingDays(missing), limit)
    except (CleaningError, ValueError) as error:
        raise CommandError(f"--outliers {outliers}: give a number above 0, or never.") from error


def read_table(path: str | None, name: str) -> pd.DataFrame | None:
    """Read a CSV file (also .gz); ids stay text. Raises CommandError."""
    if path is None:
        return None
    with _refusing(path, name):
        return pd.read_csv(path, dtype={"series_id": str})


def read_pieces(path: str, notes: "Notes") -> Iterator[pd.DataFrame]:
    """Read the history some rows at a time; ids stay text. Raises CommandError."""
    from forecasting.pipeline.histories import used_columns

    with _refusing(path, "history"):
        found = list(pd.read_csv(path, nrows=0).columns)
    wanted = used_columns(found)
    if not set(wanted) <= set(found):
        yield pd.DataFrame(columns=found)
        return
    notes.not_used("history", found, wanted)
    as_text = {"series_id": str, "date": str}  # as categories, 001 would become 1
    with (
        _refusing(path, "history"),
        pd.read_csv(path, dtype=as_text, usecols=wanted, chunksize=ROWS_AT_ONCE) as pieces,
    ):
        yield from pieces


@contextmanager
def _refusing(path: str, name: str) -> Iterator[None]:
    """Turn what may be wrong with a file into a CommandError with the remedy."""
    try:
        yield
    except FileNotFoundError as error:
        raise CommandError(f"--{name} {path}: there is no such file.") from error
    except (OSError, EOFError, ValueError, UnicodeDecodeError) as error:
        raise CommandError(
            f"--{name} {path}: cannot be read as a table ({error}). "
            "Give a CSV file in UTF-8 with a header line, .gz if compressed."
        ) from error


def write_forecasts(forecasts: list["Forecast"], out: Path) -> None:
    """Write one row per series, origin and day: the mean and 19 quantiles."""
    from forecasting.pipeline.series import QUANTILES

    frames = []
    for forecast in forecasts:
        n, horizon = forecast.mean.shape
        frame = pd.DataFrame(
            {
                "series_id": np.repeat(np.array(forecast.series_ids, dtype=object), horizon),
                "date": np.tile([day.isoformat() for day in forecast.days], n),
                "origin": forecast.origin.isoformat(),
                "mean": forecast.mean.reshape(-1).round(DECIMALS),
            }
        )
        flat = forecast.quantiles.reshape(n * horizon, -1).round(DECIMALS)
        columns = [f"q{level:g}" for level in QUANTILES]
        frames.append(pd.concat([frame, pd.DataFrame(flat, columns=columns)], axis=1))
    pd.concat(frames, ignore_index=True).to_csv(out, index=False)
