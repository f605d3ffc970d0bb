"""How good warnings of late orders were: judged by what ran out while an order was late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Max, Q

from forecasting.models import RiskKind, RiskWarning
from forecasting.queries.warning_quality import PERIOD_DAYS, KindFigures, judged_since
from inventory.models import PurchaseOrderLine, PurchaseOrderState
from inventory.queries.access import in_allowed
from inventory.queries.demand_history import out_of_stock_days
from inventory.rules.business_day import business_day

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Line:
    """A promised order line; came_on: when the last of it came, None where some is still out."""

    order: int
    product: int
    warehouse: int
    placed_on: date
    promised_on: date
    came_on: date | None

    @property
    def is_late(self) -> bool:
        return self.came_on is None or self.came_on > self.promised_on

    def missed_on(self, empty: set[date], today: date) -> date | None:
        """Return the first day after the promise on which it was out of stock for want of the line.

        None where there was stock until it came, or none before, from the order to the promise:
        then lateness is not what emptied it.
        """
        first = min(self.placed_on, self.promised_on)
        before = (self.promised_on - first).days + 1
        if all(first + timedelta(days=day) in empty for day in range(before)):
            return None
        until = self.came_on or today
        return min((day for day in empty if self.promised_on < day <= until), default=None)


def late_order_figures(today: date) -> KindFigures:
    """Compare lines promised in the last 13 weeks with the warnings before they were missed.

    What is warned of is not that an order comes late, but that something is missing for it: a line
    counts as such where it came after its promise, or has not come, and its product ran out in
    between. It was foretold by a warning before that day. A warning of a line that is still out,
    with stock left, may yet come true and is not judged; what ran out before anybody looked for
    risks, lines of cancelled orders, and closed ones of which some never came are left out. Four
    queries.
    """
    lines, since = _promised_lines(today), judged_since(today)
    warned = _first_warnings({line.order for line in lines})
    empty = _empty_days([line for line in lines if line.is_late], today)
    warnings = came_true = happened = 0
    for line in lines:
        days = empty.get((line.product, line.warehouse), set())
        missed_on = line.missed_on(days, today) if line.is_late else None
        seen = warned.get((line.order, line.product))
        if missed_on is None:
            warnings += seen is not None and line.came_on is not None
        elif missed_on > since:
            foretold = seen is not None and seen < missed_on
            warnings, came_true = warnings + foretold, came_true + foretold
            happened += 1
    return KindFigures(RiskKind.LATE_SUPPLIER, warnings, came_true, happened)


def _promised_lines(today: date) -> list[_Line]:
    complete = Q(quantity_received__gte=F("quantity"))
    arrived = Q(receipt_lines__quantity__gt=0, receipt_lines__reversed_at__isnull=True)
    rows = (
        in_allowed(PurchaseOrderLine.objects.all(), "order__warehouse_id")
        .filter(
            Q(order__state__in=PurchaseOrderState.on_order())
            | Q(order__state__in=[PurchaseOrderState.RECEIVED, PurchaseOrderState.CLOSED])
            & complete,
            order__placed_at__isnull=False,
            promised_on__gte=today - timedelta(days=PERIOD_DAYS),
            promised_on__lt=today,
        )
        .annotate(came_at=Max("receipt_lines__receipt__completed_at", filter=arrived))
        .order_by("id")
        .values_list(
            "order_id", "product_id", "order__warehouse_id", "order__warehouse__time_zone",
            "order__placed_at", "promised_on", "came_at", F("quantity") - F("quantity_received"),
        )
    )  # fmt: skip
    return [
        _Line(
            order,
            product,
            warehouse,
            business_day(placed_at, zone),
            promised_on,
            business_day(came_at, zone) if came_at and still_out <= 0 else None,
        )
        for order, product, warehouse, zone, placed_at, promised_on, came_at, still_out in rows
    ]


def _first_warnings(orders: set[int]) -> dict[Pair, date]:
    """Return the day of the first warning of each order and product."""
    rows = RiskWarning.objects.filter(kind=RiskKind.LATE_SUPPLIER, order_id__in=orders)
    found: dict[Pair, date] = {}
    for order, product, seen_at, zone in rows.order_by("first_seen_at", "id").values_list(
        "order_id", "product_id", "first_seen_at", "warehouse__time_zone"
    ):
        found.setdefault((order, product), business_day(seen_at, zone))
    return found


def _empty_days(late: Sequence[_Line], today: date) -> dict[Pair, set[date]]:
    """Return the days out of stock of whatever came late, from the first of the orders on."""
    if not late:
        return {}
    first = min(min(line.placed_on, line.promised_on) for line in late)
    products = {line.product for line in late}
    found = out_of_stock_days(first, today, product_ids=products)
    return {(product, warehouse): set(days) for product, warehouse, days in found}
