"""The work list of suggestions: what is open, what it is worth, and one with all it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from forecasting.models import BlockedNeed, ReorderSuggestion, SuggestionSource, SuggestionState
from inventory.models import Supplier, SupplierItem, Warehouse
from inventory.queries.access import in_allowed, may_work_in
from tenancy.errors import NotFound


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
    """Return the suggestions for the reader's warehouses, with what lists show, most gain first."""
    rows = (
        in_allowed(ReorderSuggestion.objects.all(), "warehouse_id")
        .select_related(
            "product",
            "warehouse",
            "from_warehouse",
            "supplier_item__supplier",
            "run",
            "order_line__order",
            "transfer_line__order",
        )
        .order_by("-priority", "id")
    )
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
    rows = in_allowed(BlockedNeed.objects.order_by(), "warehouse_id")
    return dict(rows.values_list("reason").annotate(count=Count("id")))


def blocked_needs(reason: str = "") -> QuerySet[BlockedNeed]:
    """Return what nothing could be suggested for, with product and warehouse."""
    rows = BlockedNeed.objects.select_related("product", "warehouse").order_by("id")
    rows = in_allowed(rows, "warehouse_id")
    return rows.filter(reason=reason) if reason else rows


@dataclass(frozen=True)
class NamedSource:
    """A row of the table of ways to get the goods, with the name of supplier or warehouse.

    second: of what is moved and bought, from whom the rest is bought.
    """

    name: str
    kind: str
    numbers: dict[str, Any]
    second: str = ""

    @property
    def is_comparable(self) -> bool:
        """Tell whether there are numbers: an offer with an obstacle has none."""
        return self.kind != SuggestionSource.BUY or not self.numbers["obstacle"]


def named_sources(suggestion: ReorderSuggestion) -> list[NamedSource]:
    """Return the ways that were compared for a suggestion, what was taken first.

    What else lies in a warehouse out of the reader's reach is left out.
    """
    taken, *others = suggestion.inputs.get("sources", []) or [None]
    rows = [one for one in others if _is_shown(one)]
    if taken is not None:
        rows = [taken, *rows]
    items = {row["key"] for row in rows if row["kind"] == SuggestionSource.BUY}
    places = {row["key"] for row in rows if row["kind"] != SuggestionSource.BUY}
    suppliers = dict(SupplierItem.objects.filter(pk__in=items).values_list("id", "supplier__name"))
    warehouses = dict(Warehouse.objects.filter(pk__in=places).values_list("id", "name"))
    found = []
    for row in rows:
        names = suppliers if row["kind"] == SuggestionSource.BUY else warehouses
        second = suppliers.get(row.get("bought_from", 0), "")
        found.append(NamedSource(names.get(row["key"], "-"), row["kind"], row, second))
    return found


def _is_shown(way: dict[str, Any]) -> bool:
    return way["kind"] == SuggestionSource.BUY or may_work_in([way["key"]])


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
    """Return the active warehouses to choose from: those the reader works in."""
    rows = in_allowed(Warehouse.objects.filter(is_active=True), "id")
    return list(rows.values_list("id", "name"))
