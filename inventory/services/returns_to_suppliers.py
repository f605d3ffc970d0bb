"""Goods of customers' returns that go on to the supplier: gathered in drafts, one per supplier."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext, gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    DocumentKind,
    LocationKind,
    Supplier,
    SupplierItem,
    SupplierReturn,
    SupplierReturnLine,
    SupplierReturnState,
)
from inventory.queries.places import standard_location
from inventory.services.numbers import take_numbers
from inventory.services.rows import load_many
from tenancy.errors import Invalid, Problem
from tenancy.scope import active_tenant_id
from tenancy.services import audit

Going = tuple[int, CustomerReturnLine, Decimal, int | None]
"""Number of the line for refusals, the line, how much of it, and the supplier if it was named."""


def hand_on(back: CustomerReturn, going: Sequence[Going]) -> list[SupplierReturn]:
    """Put goods in quarantine on the draft of their supplier and warehouse, a new one if needed.

    The caller has counted them on their lines. Raises ``NotFound`` for a supplier, ``Invalid`` for
    a product that nobody supplies.
    """
    load_many(Supplier, [pk for *_rest, pk in going if pk is not None])
    offers = _offers({line.product_id for _number, line, *_rest in going})
    chosen = _choose(going, offers)
    drafts = _drafts(back, set(chosen.values()))
    quarantine = standard_location(back.warehouse_id, LocationKind.QUARANTINE)
    SupplierReturnLine.objects.bulk_create(
        [
            SupplierReturnLine(
                tenant_id=active_tenant_id(),
                supplier_return=drafts[chosen[number]],
                product_id=line.product_id,
                location=quarantine,
                lot_id=line.lot_id,
                return_line=line,
                quantity=quantity,
                unit_cost=_price(offers.get(line.product_id, []), chosen[number]),
            )
            for number, line, quantity, _supplier in going
        ]
    )
    audit.record_each(
        "supplier_return.lines_added",
        [(draft, {"number": draft.number, "from": back.number}) for draft in drafts.values()],
    )
    return list(drafts.values())


def _offers(product_ids: set[int]) -> dict[int, list[SupplierItem]]:
    """Return who supplies each product now, the preferred supplier first."""
    rows = SupplierItem.objects.filter(
        product_id__in=product_ids, is_active=True, supplier__is_active=True
    ).order_by("product_id", "-is_preferred", "id")
    offers: dict[int, list[SupplierItem]] = {}
    for item in rows:
        offers.setdefault(item.product_id, []).append(item)
    return offers


def _choose(going: Sequence[Going], offers: dict[int, list[SupplierItem]]) -> dict[int, int]:
    """Return the supplier of each line, by its number."""
    chosen: dict[int, int] = {}
    problems = []
    for number, line, _quantity, supplier_id in going:
        known = offers.get(line.product_id, [])
        if supplier_id is not None:
            chosen[number] = supplier_id
        elif known:
            chosen[number] = known[0].supplier_id
        else:
            message = _("%(sku)s has no supplier: name the one it goes to.")
            words = message % {"sku": line.product.sku}
            problems.append(Problem("supplier_id", "supplier_missing", words, number))
    if problems:
        raise Invalid(problems)
    return chosen


def _drafts(back: CustomerReturn, supplier_ids: set[int]) -> dict[int, SupplierReturn]:
    """Return an open draft for each supplier: the newest there is that points at no order."""
    rows = SupplierReturn.objects.select_for_update().filter(
        supplier_id__in=supplier_ids,
        warehouse_id=back.warehouse_id,
        purchase_order=None,
        state=SupplierReturnState.DRAFT,
    )
    drafts = {row.supplier_id: row for row in rows.order_by("id")}
    for draft in drafts.values():
        draft.version += 1
    SupplierReturn.objects.bulk_update(drafts.values(), ["version"])
    missing = sorted(supplier_ids - drafts.keys())
    if not missing:
        return drafts
    numbers = take_numbers(DocumentKind.SUPPLIER_RETURN, len(missing))
    new = SupplierReturn.objects.bulk_create(
        [
            SupplierReturn(
                tenant_id=active_tenant_id(),
                number=number,
                supplier_id=supplier_id,
                warehouse_id=back.warehouse_id,
                reason=gettext("Returned by customers"),
            )
            for number, supplier_id in zip(numbers, missing, strict=True)
        ]
    )
    return drafts | {draft.supplier_id: draft for draft in new}


def _price(offers: Sequence[SupplierItem], supplier_id: int) -> Decimal | None:
    for item in offers:
        if item.supplier_id == supplier_id:
            price: Decimal = item.price
            return price
    return None
