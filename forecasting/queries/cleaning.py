"""What cleaning did before a training, for people: closed days as ranges, products by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from forecasting.models import ForecastRun, TrainedNetwork
from forecasting.pipeline.closures import DayRange, day_ranges
from inventory.models import Product, Warehouse
from inventory.queries.access import allowed_warehouses

SHOWN_CUTS = 6
LATELY_DAYS = 28


@dataclass(frozen=True)
class Closing:
    """When a warehouse was closed; without a warehouse: all of them together."""

    warehouse: Warehouse | None
    ranges: tuple[DayRange, ...]
    days: int


@dataclass(frozen=True)
class Cut:
    """A day whose demand was too large to be true. The product may be gone since."""

    product: Product | None
    warehouse: Warehouse | None
    day: date
    recorded: float
    used: float


@dataclass(frozen=True)
class CleaningFound:
    """What was found before a training, and what was done about it."""

    is_full: bool
    """False where the training is older than the reports of closed days and cuts."""
    closings: tuple[Closing, ...]
    out_of_stock_days: int
    outliers: int
    outlier_series: int
    outlier_threshold: float | None
    filled: int
    missing: str
    spoiled_series: int
    cuts: tuple[Cut, ...]
    left: tuple[tuple[str, int], ...]
    """Reason and count of the series left to simple methods, the most frequent first."""

    @property
    def changed_nothing(self) -> bool:
        """Tell whether demand was read as it was recorded."""
        masked = self.closings or self.out_of_stock_days or self.spoiled_series
        return self.is_full and not (masked or self.outliers or self.filled)

    @property
    def largest(self) -> tuple[Cut, ...]:
        """The cuts that a page has room for."""
        return self.cuts[:SHOWN_CUTS]


def closed_lately(run: ForecastRun) -> list[Closing]:
    """Return when warehouses in reach were closed in the four weeks before the run's origin."""
    since = (run.origin - timedelta(days=LATELY_DAYS)).isoformat()
    late = [one | {"days": [day for day in one["days"] if day > since]} for one in run.closed_days]
    closures = [one for one in _within_reach(late) if one["days"]]
    return _closings(closures, _warehouses_of(closures))


def readable_cleaning(network: TrainedNetwork) -> dict[str, Any]:
    """Return what is kept of the cleaning, without the days of warehouses out of reach."""
    kept: dict[str, Any] = network.cleaning
    return kept | {
        name: _within_reach(kept[name]) for name in ("closures", "examples") if name in kept
    }


def _within_reach(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    allowed = allowed_warehouses()
    return [one for one in rows if allowed is None or one["warehouse_id"] in {*allowed, None}]


def read_cleaning(networks: Sequence[TrainedNetwork]) -> list[CleaningFound]:
    """Return what cleaning found before each training; two statements for all of them."""
    kept = [readable_cleaning(network) for network in networks]
    cuts = [cut for one in kept for cut in one.get("examples", [])]
    closures = [closure for one in kept for closure in one.get("closures", [])]
    products = Product.objects.in_bulk({cut["product_id"] for cut in cuts})
    warehouses = _warehouses_of([*cuts, *closures])
    return [_found(one, products, warehouses) for one in kept]


def _warehouses_of(rows: list[dict[str, Any]]) -> dict[int, Warehouse]:
    ids = {one["warehouse_id"] for one in rows if one["warehouse_id"] is not None}
    return Warehouse.objects.in_bulk(ids) if ids else {}


def _closings(closures: list[dict[str, Any]], warehouses: dict[int, Warehouse]) -> list[Closing]:
    return [
        Closing(
            warehouses.get(one["warehouse_id"]),
            day_ranges(date.fromisoformat(day) for day in one["days"]),
            len(one["days"]),
        )
        for one in closures
    ]


def _found(
    kept: dict[str, Any], products: dict[int, Product], warehouses: dict[int, Warehouse]
) -> CleaningFound:
    left = kept.get("left_to_baselines", {})
    return CleaningFound(
        is_full="closures" in kept,
        closings=tuple(_closings(kept.get("closures", []), warehouses)),
        out_of_stock_days=kept.get("out_of_stock_days", 0),
        outliers=kept.get("outliers", 0),
        outlier_series=kept.get("outlier_series", 0),
        outlier_threshold=kept.get("outlier_threshold"),
        filled=kept.get("filled", 0),
        missing=kept.get("missing", ""),
        spoiled_series=kept.get("spoiled_series", 0),
        cuts=tuple(
            Cut(
                products.get(one["product_id"]),
                warehouses.get(one["warehouse_id"]),
                date.fromisoformat(one["day"]),
                one["recorded"],
                one["used"],
            )
            for one in kept.get("examples", [])
        ),
        left=tuple(sorted(left.items(), key=lambda item: (-item[1], item[0]))),
    )
