"""The state of a tenant at a glance: stock, risks, orders to place, accuracy, latest events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum

from forecasting.models import ReorderSuggestion, RiskKind, RiskWarning
from forecasting.queries import risk, suggestions
from forecasting.queries.forecasts import latest_run
from forecasting.queries.series import business_today, latest_origin
from forecasting.queries.training import LeagueLine, accuracy_of, newest_network
from inventory.models import DailyDemand, Product, StockMovement
from inventory.models.places import Warehouse
from inventory.queries.valuation import total_value
from tenancy.models import Job

SPARK_DAYS = 91
COMPARED_DAYS = 28
LATEST = 6


@dataclass(frozen=True)
class DemandPulse:
    """Units asked for: day by day, the last four weeks, the change to the four before.

    until: the last day of demand that is known, which may be long ago.
    """

    daily: list[float]
    recent: float
    change: float | None
    until: date | None = None


@dataclass(frozen=True)
class Readiness:
    """How far a tenant has come: what the first steps on an empty dashboard are."""

    has_warehouses: bool
    has_products: bool
    has_demand: bool
    has_forecasts: bool

    @property
    def is_new(self) -> bool:
        """Nothing to show yet."""
        return not (self.has_products and self.has_demand)


@dataclass(frozen=True)
class Dashboard:
    today: date
    readiness: Readiness
    stock_value: Decimal
    pulse: DemandPulse
    accuracy: LeagueLine | None
    suggestion_totals: suggestions.SuggestionTotals
    blocked: dict[str, int]
    warning_totals: dict[str, risk.KindTotal]
    urgent_suggestions: list[ReorderSuggestion]
    dearest_warnings: list[RiskWarning]
    movements: list[StockMovement]
    jobs: list[Job]

    @property
    def stockout_risks(self) -> int:
        found = self.warning_totals.get(RiskKind.STOCKOUT)
        return found.count if found else 0

    @property
    def money_at_risk(self) -> Decimal:
        return sum((total.money for total in self.warning_totals.values()), Decimal(0))


def read_dashboard() -> Dashboard:
    """Return what the dashboard shows."""
    today = business_today()
    open_suggestions = suggestions.suggestions()
    network = newest_network()
    pulse = demand_pulse()
    return Dashboard(
        today=today,
        readiness=Readiness(
            has_warehouses=Warehouse.objects.exists(),
            has_products=Product.objects.exists(),
            has_demand=bool(pulse.daily),
            has_forecasts=latest_run() is not None,
        ),
        stock_value=total_value(),
        pulse=pulse,
        accuracy=accuracy_of(network),
        suggestion_totals=suggestions.totals(open_suggestions, today),
        blocked=suggestions.blocked_orders(),
        warning_totals=risk.totals_by_kind(),
        urgent_suggestions=list(open_suggestions[:LATEST]),
        dearest_warnings=list(risk.warnings()[:LATEST]),
        movements=list(_latest_movements()[:LATEST]),
        jobs=list(Job.objects.order_by("-id")[:LATEST]),
    )


def demand_pulse() -> DemandPulse:
    """Return the demand of the last thirteen weeks up to the last day with any."""
    last = latest_origin()
    if last is None:
        return DemandPulse([], 0.0, None)
    first = last - timedelta(days=SPARK_DAYS - 1)
    rows = (
        DailyDemand.objects.filter(business_day__range=(first, last))
        .order_by()
        .values_list("business_day")
        .annotate(total=Sum("quantity"))
    )
    by_day = {day: float(total) for day, total in rows}
    daily = [by_day.get(first + timedelta(days=step), 0.0) for step in range(SPARK_DAYS)]
    recent = sum(daily[-COMPARED_DAYS:])
    before = sum(daily[-2 * COMPARED_DAYS : -COMPARED_DAYS])
    return DemandPulse(daily, recent, recent / before - 1 if before else None, last)


def _latest_movements() -> QuerySet[StockMovement]:
    return StockMovement.objects.select_related(
        "product", "from_location__warehouse", "to_location__warehouse"
    ).order_by("-id")
