"""Find customers and their segments."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q, QuerySet

from inventory.models import Customer, CustomerSegment, SalesOrder, SalesOrderState
from inventory.queries.access import in_allowed
from tenancy.errors import NotFound


def customers() -> QuerySet[Customer]:
    """Return every customer with its segment, by code."""
    return Customer.objects.select_related("segment").order_by("code", "id")


def search_customers(
    *, text: str = "", segment_id: int | None = None, is_active: bool | None = None
) -> QuerySet[Customer]:
    """Return customers whose code starts with, or whose name contains, ``text``."""
    rows = customers()
    if text:
        rows = rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))
    if segment_id is not None:
        rows = rows.filter(segment_id=segment_id)
    return rows if is_active is None else rows.filter(is_active=is_active)


def get_customer(customer_id: int) -> Customer:
    """Return the customer; raise ``NotFound``."""
    found = customers().filter(pk=customer_id).first()
    if found is None:
        raise NotFound("customer", customer_id)
    return found


def open_sales_counts(customer_ids: Collection[int]) -> dict[int, int]:
    """Return how many orders each customer still waits for, in one statement."""
    rows = SalesOrder.objects.filter(
        customer_id__in=customer_ids, state__in=SalesOrderState.owing()
    )
    counted = in_allowed(rows, "warehouse_id").order_by().values("customer_id")
    return dict(counted.annotate(orders=Count("id")).values_list("customer_id", "orders"))


def segments() -> QuerySet[CustomerSegment]:
    """Return every customer segment by code."""
    return CustomerSegment.objects.order_by("code", "id")


def get_segment(segment_id: int) -> CustomerSegment:
    """Return the segment; raise ``NotFound``."""
    found = CustomerSegment.objects.filter(pk=segment_id).first()
    if found is None:
        raise NotFound("customer segment", segment_id)
    return found


def segment_sizes(segment_ids: Collection[int]) -> dict[int, int]:
    """Return how many customers in use each segment has, in one statement."""
    rows = Customer.objects.filter(segment_id__in=segment_ids, is_active=True).order_by()
    counted = rows.values("segment_id").annotate(customers=Count("id"))
    return dict(counted.values_list("segment_id", "customers"))
