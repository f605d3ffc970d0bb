"""Networks for people: league table per demand class, loss curve, how good forecasts are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from forecasting.models import ForecastRun, NetworkState, TrainedNetwork
from forecasting.queries.forecasts import latest_run
from tenancy.errors import NotFound
from tenancy.models import Job

ALL_CLASSES = "all"
REFERENCE = "seasonal_naive"
BLEND = "blend"


@dataclass(frozen=True)
class LeagueLine:
    """One method's backtest scores in a demand class; ``weight`` is its share in what serves."""

    method: str
    wspl: float | None
    spl: float | None
    rmsse: float | None
    wape: float | None
    """None in contests before it was measured."""
    bias: float | None
    coverage_80: float | None
    weight: float
    gain: float | None
    """Loss saved against the seasonal naive forecast, as a share."""
    serves: bool


@dataclass(frozen=True)
class LeagueTable:
    """The contest within one demand class, the best method first."""

    demand_class: str
    series: int
    lines: tuple[LeagueLine, ...]

    @property
    def serving(self) -> LeagueLine | None:
        """The line of what serves: the blend where there is one, else the only method."""
        return next((line for line in self.lines if line.serves), None)


def networks() -> QuerySet[TrainedNetwork]:
    """Return every network ever trained, newest first."""
    return TrainedNetwork.objects.select_related("job").order_by("-number")


def get_network(network_id: int) -> TrainedNetwork:
    """Return the network; raise ``NotFound``."""
    network = networks().filter(pk=network_id).first()
    if network is None:
        raise NotFound("network", network_id)
    return network


def network_in_use() -> TrainedNetwork | None:
    """Return the published network; None while baselines serve."""
    return TrainedNetwork.objects.filter(state=NetworkState.PUBLISHED).first()


def newest_network() -> TrainedNetwork | None:
    """Return the network trained last, published or rejected."""
    return networks().first()


def league_tables(network: TrainedNetwork) -> list[LeagueTable]:
    """Return the league table of all series, then of each demand class large enough."""
    by_class: dict[str, list[dict[str, Any]]] = {}
    for row in network.league.get("rows", []):
        by_class.setdefault(row["demand_class"], []).append(row)
    order = sorted(by_class, key=lambda name: (name != ALL_CLASSES, name))
    return [_table(name, by_class[name]) for name in order]


def _table(name: str, rows: list[dict[str, Any]]) -> LeagueTable:
    naive = next((row["wspl"] for row in rows if row["method"] == REFERENCE), None)
    blended = any(row["method"] == BLEND for row in rows)
    lines = [
        LeagueLine(
            method=row["method"],
            wspl=row["wspl"],
            spl=row["spl"],
            rmsse=row["rmsse"],
            wape=row.get("wape"),
            bias=row["bias"],
            coverage_80=row["coverage_80"],
            weight=row["weight"],
            gain=1 - row["wspl"] / naive if naive and row["wspl"] is not None else None,
            serves=row["method"] == BLEND if blended else row["weight"] > 0,
        )
        for row in rows
    ]
    lines.sort(key=lambda line: (line.wspl is None, line.wspl))
    return LeagueTable(name, max(row["series"] for row in rows), tuple(lines))


def accuracy_of(
    network: TrainedNetwork | None, demand_class: str = ALL_CLASSES
) -> LeagueLine | None:
    """Return how what serves a demand class did in the backtest; of all where it was small."""
    tables = {table.demand_class: table for table in league_tables(network)} if network else {}
    found = tables.get(demand_class) or tables.get(ALL_CLASSES)
    return found.serving if found else None


def importance_tables(network: TrainedNetwork) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return what each network of a training loses without a feature, the weightiest first."""
    by_network: dict[str, list[dict[str, Any]]] = {}
    for row in network.importance:
        by_network.setdefault(row["network"], []).append(row)
    return sorted(by_network.items())


def loss_charts(epochs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one loss curve per network, in the order they were trained, for the chart.

    Of the training that was judged; where none was (yet), of whatever was trained.
    """
    judged = [point for point in epochs if point["stage"] == "holdout"] or epochs
    networks = dict.fromkeys(point["network"] for point in judged)
    return [_loss_curve(name, judged) for name in networks]


def _loss_curve(network: str, epochs: list[dict[str, Any]]) -> dict[str, Any]:
    points = [point for point in epochs if point["network"] == network]
    best = [point["epoch"] for point in points if point["best"]]
    return {
        "network": network,
        "epochs": [point["epoch"] for point in points],
        "train": [point["training_loss"] for point in points],
        "validation": [point["validation_loss"] for point in points],
        "best_epoch": best[-1] if best else None,
    }


def seconds_left(job: Job | None) -> float | None:
    """Return how long a running training still takes at the pace so far; None before any epoch.

    Epochs loaded from a checkpoint took it no time: they say nothing of the pace.
    """
    if job is None or job.started_at is None:
        return None
    loaded: int = job.progress_detail.get("loaded", 0)
    trained = job.progress_done - loaded
    if trained <= 0:
        return None
    elapsed = (timezone.now() - job.started_at).total_seconds()
    return elapsed / trained * max(job.progress_total - job.progress_done, 0)


def run_of_another(in_use: TrainedNetwork | None) -> ForecastRun | None:
    """Return the forecasts in use where they are not by the network in use; None where they are."""
    run = latest_run()
    return run if run is not None and run.network != in_use else None


def latest_job(kind: str) -> Job | None:
    """Return the newest job of a kind."""
    return Job.objects.filter(kind=kind).order_by("-id").first()
