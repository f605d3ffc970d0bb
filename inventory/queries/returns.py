"""Find returns of customers and to suppliers, what is to be inspected, and suppliers' quality."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import DecimalField, F, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    PurchaseOrderLine,
    ShipmentLine,
    SupplierReturn,
    SupplierReturnLine,
    SupplierReturnState,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.worklists import of_assignee
from tenancy.errors import NotFound

MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=38, decimal_places=12)
NOTHING = Decimal(0)
WAITING_FIRST: tuple[str, ...] = ("received_at", "id")


@dataclass(frozen=True)
class ReturnTotals:
    """``value`` at the unit costs of the lines; lines without one count as zero."""

    lines: int = 0
    value: Decimal = NOTHING


@dataclass(frozen=True)
class Quality:
    """What came of a supplier and what went back to it, in money."""

    received: Decimal = NOTHING
    returned: Decimal = NOTHING

    @property
    def returned_share(self) -> Decimal | None:
        """Return which share went back, 0 to 1; None when nothing came."""
        return min(self.returned / self.received, Decimal(1)) if self.received else None


def customer_returns() -> QuerySet[CustomerReturn]:
    """Return every return with warehouse, order and customer, newest first."""
    rows = CustomerReturn.objects.select_related("warehouse", "sales_order", "customer")
    return in_allowed(rows.order_by("-id"), "warehouse_id")


def search_returns(*, text: str = "", warehouse_id: int | None = None) -> QuerySet[CustomerReturn]:
    """Return returns by the start of their or the order's number, or part of a customer's name."""
    rows = customer_returns()
    if text:
        rows = rows.filter(
            Q(number__istartswith=text)
            | Q(sales_order__number__istartswith=text)
            | Q(customer__name__icontains=text)
        )
    return rows if warehouse_id is None else rows.filter(warehouse_id=warehouse_id)


def returns_to_inspect(
    *, warehouse_id: int | None = None, text: str = "", assignee: str = ""
) -> QuerySet[CustomerReturn]:
    """Return what came back and waits for a decision, what has waited longest first."""
    inspected = F("quantity_restocked") + F("quantity_quarantined")
    inspected += F("quantity_scrapped") + F("quantity_to_supplier")
    waiting = CustomerReturnLine.objects.filter(quantity_received__gt=inspected)
    rows = search_returns(text=text, warehouse_id=warehouse_id).filter(
        state=CustomerReturnState.RECEIVED, pk__in=waiting.values("customer_return_id")
    )
    return of_assignee(rows, WorkKind.INSPECT, assignee).order_by(*WAITING_FIRST)


def get_return(customer_return_id: int) -> CustomerReturn:
    """Return the return with its lines, products and lots; raise ``NotFound``."""
    lines = CustomerReturnLine.objects.select_related(
        "product", "lot", "shipment_line__shipment"
    ).order_by("id")
    rows = customer_returns().prefetch_related(Prefetch("lines", lines))
    found = rows.filter(pk=customer_return_id).first()
    if found is None:
        raise NotFound("customer return", customer_return_id)
    return found


def open_return_of(sales_order_id: int) -> CustomerReturn | None:
    """Return the newest return of the order that is expected or being received, or None."""
    states = [CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED]
    rows = customer_returns().filter(sales_order_id=sales_order_id, state__in=states)
    return rows.first()


def returnable_lines(sales_order_id: int) -> QuerySet[ShipmentLine]:
    """Return what was shipped of an order and is neither back nor expected."""
    return (
        ShipmentLine.objects.filter(
            shipment__sales_order_id=sales_order_id, quantity__gt=F("quantity_returned")
        )
        .select_related("product", "lot", "shipment")
        .order_by("id")
    )


def supplier_returns() -> QuerySet[SupplierReturn]:
    """Return every return to a supplier with its warehouse and order, newest first."""
    rows = SupplierReturn.objects.select_related("supplier", "warehouse", "purchase_order")
    return in_allowed(rows.order_by("-id"), "warehouse_id")


def search_supplier_returns(
    *, text: str = "", supplier_id: int | None = None
) -> QuerySet[SupplierReturn]:
    """Return returns by the start of their number or reference, or part of a supplier's name."""
    rows = supplier_returns()
    if text:
        rows = rows.filter(
            Q(number__istartswith=text)
            | Q(reference__istartswith=text)
            | Q(supplier__name__icontains=text)
        )
    return rows if supplier_id is None else rows.filter(supplier_id=supplier_id)


def get_supplier_return(supplier_return_id: int) -> SupplierReturn:
    """Return the return with its lines, products, places and lots; raise ``NotFound``."""
    lines = SupplierReturnLine.objects.select_related(
        "product", "location", "lot", "return_line__customer_return"
    ).order_by("id")
    rows = supplier_returns().prefetch_related(Prefetch("lines", lines))
    found = rows.filter(pk=supplier_return_id).first()
    if found is None:
        raise NotFound("supplier return", supplier_return_id)
    return found


def supplier_return_totals(supplier_return_ids: Collection[int]) -> dict[int, ReturnTotals]:
    """Return the value of each return to a supplier, in one statement."""
    rows = SupplierReturnLine.objects.filter(supplier_return_id__in=supplier_return_ids)
    found: dict[int, ReturnTotals] = {}
    for return_id, quantity, cost in rows.values_list(
        "supplier_return_id", "quantity", "unit_cost"
    ):
        known = found.get(return_id, ReturnTotals())
        value = known.value + quantity * (cost or NOTHING)
        found[return_id] = ReturnTotals(known.lines + 1, value)
    return {pk: found.get(pk, ReturnTotals()) for pk in supplier_return_ids}


def quality_by_supplier(supplier_ids: Collection[int]) -> dict[int, Quality]:
    """Return what came of each supplier and what went back, in money: two statements.

    Received goods count at the price of their order, returned ones at what was paid for them.
    """
    received = (
        PurchaseOrderLine.objects.filter(order__supplier_id__in=supplier_ids)
        .order_by()
        .values_list("order__supplier_id")
        .annotate(total=Sum(F("quantity_received") * F("unit_price"), output_field=MONEY))
    )
    cost = Coalesce(F("unit_cost"), NOTHING, output_field=MONEY)
    returned = (
        SupplierReturnLine.objects.filter(
            supplier_return__supplier_id__in=supplier_ids,
            supplier_return__state__in=[SupplierReturnState.SENT, SupplierReturnState.CLOSED],
        )
        .order_by()
        .values_list("supplier_return__supplier_id")
        .annotate(total=Sum(F("quantity") * cost, output_field=MONEY))
    )
    came, back = dict(received), dict(returned)
    return {pk: Quality(came.get(pk) or NOTHING, back.get(pk) or NOTHING) for pk in supplier_ids}
