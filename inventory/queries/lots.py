"""Lots: which there are, how much of them lies where, and what expires when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import DateField, DecimalField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from inventory.models import Lot, LotStatus, StockBalance
from inventory.queries.access import in_allowed
from tenancy.errors import NotFound

NEVER = date.max
ZERO = Decimal(0)
QUANTITY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)


@dataclass(frozen=True)
class LotTotals:
    """What lies here of a lot, and how much of it is promised."""

    on_hand: Decimal = ZERO
    allocated: Decimal = ZERO


def lots() -> QuerySet[Lot]:
    """Return every lot with its product and ``due_on``: its expiry, or the last day there is."""
    due_on = Coalesce(F("expires_on"), Value(NEVER), output_field=DateField())
    return Lot.objects.select_related("product").annotate(due_on=due_on).order_by("due_on", "id")


def get_lot(lot_id: int) -> Lot:
    """Return the lot with its product; raise ``NotFound``."""
    found = lots().filter(pk=lot_id).first()
    if found is None:
        raise NotFound("lot", lot_id)
    return found


def search_lots(
    *,
    text: str = "",
    status: str = "",
    in_stock: bool = False,
    expires_by: date | None = None,
    product_id: int | None = None,
) -> QuerySet[Lot]:
    """Return lots, soonest to expire first.

    ``text`` is the start of a lot code or SKU, or part of a product's name.
    """
    rows = lots()
    if text:
        rows = rows.filter(
            Q(code__istartswith=text)
            | Q(product__sku__istartswith=text)
            | Q(product__name__icontains=text)
        )
    if status:
        rows = rows.filter(status=status)
    if product_id is not None:
        rows = rows.filter(product_id=product_id)
    if expires_by is not None:
        rows = rows.filter(expires_on__lte=expires_by)
    if in_stock:
        lying = StockBalance.objects.filter(lot=OuterRef("pk"), on_hand__gt=0)
        rows = rows.filter(Exists(in_allowed(lying, "location__warehouse_id")))
    return rows


def lot_totals(lot_ids: Collection[int]) -> dict[int, LotTotals]:
    """Return the totals of each lot in one statement."""
    rows = StockBalance.objects.filter(lot_id__in=lot_ids)
    sums = (
        in_allowed(rows, "location__warehouse_id")
        .order_by()
        .values("lot_id")
        .annotate(
            here=Sum("on_hand", output_field=QUANTITY),
            promised=Sum("allocated", output_field=QUANTITY),
        )
        .values_list("lot_id", "here", "promised")
    )
    found = {row[0]: LotTotals(row[1], row[2]) for row in sums}
    return {lot_id: found.get(lot_id, LotTotals()) for lot_id in lot_ids}


def is_expired(lot: Lot, today: date) -> bool:
    """Tell whether the lot may not be promised any more on that day because of its age."""
    return lot.expires_on is not None and lot.expires_on < today


def other_statuses(lot: Lot) -> list[LotStatus]:
    """Return the statuses the lot could be given."""
    return [status for status in LotStatus if status != lot.status]
