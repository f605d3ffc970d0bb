"""The work list of suggestions: what is open, what it is worth, and one with all it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from forecasting.models import ReorderSuggestion, SuggestionState
from inventory.models import Supplier, Warehouse
from tenancy.errors import NotFound
from tenancy.models import Job, JobState


@dataclass(frozen=True)
class SuggestionFilter:
    """What the work list shows; empty fields show everything."""

    state: str = "open"
    supplier_id: int | None = None
    warehouse_id: int | None = None
    text: str = ""


@dataclass(frozen=True)
class SuggestionTotals:
    count: int
    value: Decimal
    urgent: int


def suggestions(wanted: SuggestionFilter = SuggestionFilter()) -> QuerySet[ReorderSuggestion]:
    """Return suggestions with what their lists show, the most gain first."""
    rows = ReorderSuggestion.objects.select_related(
        "product", "warehouse", "supplier_item__supplier", "run", "order_line__order"
    ).order_by("-priority", "id")
    if wanted.state == "open":
        rows = rows.filter(state=SuggestionState.NEW)
    elif wanted.state == "accepted":
        rows = rows.filter(state__in=[SuggestionState.ACCEPTED, SuggestionState.EDITED])
    elif wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.supplier_id is not None:
        rows = rows.filter(supplier_item__supplier_id=wanted.supplier_id)
    if wanted.warehouse_id is not None:
        rows = rows.filter(warehouse_id=wanted.warehouse_id)
    if wanted.text:
        rows = rows.filter(
            Q(product__sku__istartswith=wanted.text) | Q(product__name__icontains=wanted.text)
        )
    return rows


def blocked_orders() -> dict[str, int]:
    """Return reason -> how many orders the latest planning could not suggest for it."""
    job = (
        Job.objects.filter(kind__in=["run_planning", "make_suggestions"], state=JobState.DONE)
        .order_by("-id")
        .first()
    )
    return dict((job.result or {}).get("blocked", {})) if job else {}


def get_suggestion(suggestion_id: int) -> ReorderSuggestion:
    """Return the suggestion with everything its page shows; raise ``NotFound``."""
    found = suggestions(SuggestionFilter(state="")).filter(pk=suggestion_id).first()
    if found is None:
        raise NotFound("suggestion", suggestion_id)
    return found


def open_suggestion_of(product_id: int, warehouse_id: int) -> ReorderSuggestion | None:
    """Return the open suggestion of a product in a warehouse, or None."""
    rows = suggestions(SuggestionFilter(state="")).filter(state__in=SuggestionState.open())
    return rows.filter(product_id=product_id, warehouse_id=warehouse_id).first()


def totals(rows: QuerySet[ReorderSuggestion], today: date) -> SuggestionTotals:
    """Return how many suggestions the rows are, their value, and how many cannot wait a day."""
    found = rows.order_by().aggregate(
        count=Count("id"),
        value=Sum("order_value"),
        urgent=Count("id", filter=Q(order_by_on__lte=today)),
    )
    return SuggestionTotals(found["count"], found["value"] or Decimal(0), found["urgent"])


def suppliers() -> list[tuple[int, str]]:
    """Return the active suppliers to choose from."""
    return list(Supplier.objects.filter(is_active=True).values_list("id", "name"))


def warehouses() -> list[tuple[int, str]]:
    """Return the active warehouses to choose from."""
    return list(Warehouse.objects.filter(is_active=True).values_list("id", "name"))
