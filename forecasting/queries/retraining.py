"""What tells whether a new training pays: the network trained last, against what came since."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Sum

from forecasting.decisions.retraining import Evidence
from forecasting.models import (
    AccuracySum,
    ForecastRun,
    RiskKind,
    RiskWarning,
    TrainedNetwork,
    WarningState,
)
from forecasting.queries.series import latest_origin
from forecasting.queries.training import newest_network

WEEK = 7


def retraining_evidence(chosen: dict[str, object]) -> Evidence | None:
    """Return what is known of the network trained last; None: there is none.

    chosen: the config a training would have now, by name, as JSON holds it. Six queries at most.
    """
    network, known = newest_network(), latest_origin()
    if network is None or known is None:
        return None
    run = ForecastRun.objects.order_by("-id").first()
    drifting = RiskWarning.objects.filter(
        kind=RiskKind.FORECAST_DRIFT,
        state=WarningState.OPEN,
        first_seen_at__gt=network.trained_at,
    )
    return Evidence(
        choices_changed=any(network.config.get(name) != value for name, value in chosen.items()),
        new_days=(known - network.origin).days,
        known_days=int(network.cleaning.get("days", 0)),
        series=run.series_count if run else network.series_count,
        known_series=network.series_count,
        drifting=drifting.count(),
        errors=_errors_since(network, known),
    )


def _errors_since(network: TrainedNetwork, known: date) -> tuple[float, ...]:
    """Return the error over the naive one's of each run since a training, oldest first.

    Of the first week ahead, where all of it has passed.
    """
    sums = AccuracySum.objects.filter(
        run__created_at__gt=network.trained_at,
        run__origin__lte=known - timedelta(days=WEEK),
        week=1,
    )
    lines = sums.order_by("run_id").values("run_id").annotate(
        own=Sum("error"), naive=Sum("naive_error")
    )  # fmt: skip
    return tuple(line["own"] / line["naive"] for line in lines if line["naive"] > 0)
