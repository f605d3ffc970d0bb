"""Lines of open receipts: what arrived of which product and lot, checked before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    DifferenceReason,
    LotTracking,
    Packaging,
    Product,
    PurchaseOrderLine,
    Receipt,
    ReceiptLine,
    ReceiptState,
)
from inventory.rules.units import InexactConversion, quantity_fault, to_base_units
from inventory.services.receipt_errors import WrongReceiptState
from inventory.services.rows import check_version, load, load_many
from tenancy.errors import Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

LONGEST_LOT, LONGEST_NOTE = 64, 200
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived of one product and lot.

    ``quantity`` is in base units, or in the packaging of ``packaging_id``; ``damaged`` is part of
    it, always in base units, and goes to the damaged place. Nothing at all may have arrived when
    ``difference_reason`` says why. ``unit_cost`` is for goods without an order.
    """

    product_id: int
    quantity: Decimal
    packaging_id: int | None = None
    damaged: Decimal = NOTHING
    lot_code: str = ""
    expires_on: date | None = None
    unit_cost: Decimal | None = None
    difference_reason: str = DifferenceReason.NONE
    note: str = ""


def add_receipt_line(
    *, receipt_id: int, arrival: Arrival, version: int | None = None
) -> ReceiptLine:
    """Add a line to an open receipt.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReceiptState``, ``Invalid``.
    """
    require(Permission.FLOOR_WORK)
    receipt = load_open_receipt(receipt_id, version)
    [line] = build_receipt_lines(receipt, [arrival], order_lines_by_product(receipt))
    line.save()
    _changed(receipt)
    audit.record("receipt.line_added", receipt, product=line.product_id, quantity=_text(line))
    return line


def change_receipt_line(
    *, receipt_id: int, receipt_line_id: int, arrival: Arrival, version: int | None = None
) -> ReceiptLine:
    """Replace what a line of an open receipt says.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReceiptState``, ``Invalid``.
    """
    require(Permission.FLOOR_WORK)
    receipt = load_open_receipt(receipt_id, version)
    line = _line_of(receipt, receipt_line_id)
    before = _text(line)
    [changed] = build_receipt_lines(receipt, [arrival], order_lines_by_product(receipt))
    changed.pk = line.pk
    changed.save(force_update=True)
    _changed(receipt)
    audit.record(
        "receipt.line_changed",
        receipt,
        product=changed.product_id,
        before=before,
        after=_text(changed),
    )
    return changed


def remove_receipt_line(
    *, receipt_id: int, receipt_line_id: int, version: int | None = None
) -> Receipt:
    """Take a line off an open receipt. Raises ``NotFound``, ``StaleVersion`` and so on."""
    require(Permission.FLOOR_WORK)
    receipt = load_open_receipt(receipt_id, version)
    line = _line_of(receipt, receipt_line_id)
    line.delete()
    _changed(receipt)
    audit.record("receipt.line_removed", receipt, product=line.product_id, quantity=_text(line))
    return receipt


def load_open_receipt(receipt_id: int, version: int | None) -> Receipt:
    """Lock and return an open receipt."""
    receipt = load(Receipt, receipt_id, lock=True)
    check_version(receipt, version)
    if receipt.state != ReceiptState.OPEN:
        raise WrongReceiptState(receipt, ReceiptState.OPEN)
    return receipt


def order_lines_by_product(receipt: Receipt) -> dict[int, PurchaseOrderLine] | None:
    """Return the order's lines, of which each names another product; None for a blind receipt."""
    if receipt.purchase_order_id is None:
        return None
    lines = PurchaseOrderLine.objects.filter(order_id=receipt.purchase_order_id)
    return {line.product_id: line for line in lines.select_related("product")}


def build_receipt_lines(
    receipt: Receipt,
    arrivals: Sequence[Arrival],
    ordered: Mapping[int, PurchaseOrderLine] | None,
) -> list[ReceiptLine]:
    """Return checked and unsaved lines: the same few statements, however many.

    ``ordered`` are the lines of the receipt's order by product, None for a blind receipt. Raises
    ``NotFound`` for a product or packaging, ``Invalid`` for every fault of every line.
    """
    products = _products(arrivals, ordered)
    wanted = {a.packaging_id for a in arrivals if a.packaging_id is not None}
    packagings = {p.pk: p for p in Packaging.objects.filter(pk__in=wanted)} if wanted else {}
    problems: list[Problem] = []
    built: list[ReceiptLine] = []
    for number, arrival in enumerate(arrivals):
        product = products[arrival.product_id]
        quantity, fault = _base_quantity(number, arrival, product, packagings)
        problems += [fault] if fault else _faults(number, arrival, quantity, product, ordered)
        built.append(
            ReceiptLine(
                tenant_id=active_tenant_id(),
                receipt=receipt,
                order_line=ordered.get(product.pk) if ordered is not None else None,
                product=product,
                quantity=quantity,
                damaged=arrival.damaged,
                lot_code=arrival.lot_code,
                expires_on=arrival.expires_on,
                unit_cost=arrival.unit_cost,
                difference_reason=arrival.difference_reason,
                note=arrival.note,
            )
        )
    if problems:
        raise Invalid(problems)
    return built


def _products(
    arrivals: Sequence[Arrival], ordered: Mapping[int, PurchaseOrderLine] | None
) -> Mapping[int, Product]:
    """Return the products that are named, without asking again for those on the order."""
    known = {pk: line.product for pk, line in (ordered or {}).items()}
    missing = {arrival.product_id for arrival in arrivals} - known.keys()
    if not missing:
        return known
    return load_many(Product, [arrival.product_id for arrival in arrivals])


def _base_quantity(
    number: int, arrival: Arrival, product: Product, packagings: Mapping[int, Packaging]
) -> tuple[Decimal, Problem | None]:
    """Return the quantity in base units, and what is wrong with it."""
    if arrival.packaging_id is None:
        fault = quantity_fault(arrival.quantity, whole_units=product.whole_units)
        if fault is None or _is_explained_nothing(arrival):
            return arrival.quantity, None
        message = _("The quantity is not a positive, exact number of base units.")
        return NOTHING, Problem("quantity", fault.value, message, number)
    packaging = packagings.get(arrival.packaging_id)
    if packaging is None or packaging.product_id != product.pk:
        raise NotFound("packaging", arrival.packaging_id, line=number)
    try:
        whole = product.whole_units
        return to_base_units(arrival.quantity, packaging.units, whole_units=whole), None
    except InexactConversion as refusal:
        inexact = _(
            "%(quantity)s x %(packaging)s is not a positive, exact number of %(unit)s: "
            "enter whole packagings, or the quantity in %(unit)s."
        )
        named = {
            "quantity": arrival.quantity,
            "packaging": packaging,
            "unit": product.base_unit,
        }
        return NOTHING, Problem("quantity", f"inexact_{refusal.fault}", inexact % named, number)


def _is_explained_nothing(arrival: Arrival) -> bool:
    is_nothing = arrival.quantity.is_finite() and arrival.quantity == 0
    return is_nothing and arrival.difference_reason in DifferenceReason.of_too_little()


def _faults(
    number: int,
    arrival: Arrival,
    quantity: Decimal,
    product: Product,
    ordered: Mapping[int, PurchaseOrderLine] | None,
) -> Iterable[Problem]:
    if ordered is not None and product.pk not in ordered:
        message = _("%(sku)s is not on the order: receive it by a receipt without an order.")
        yield Problem("product_id", "not_on_order", message % {"sku": product.sku}, number)
    elif not product.is_active:
        message = _("The product is not in use any more: it can leave, but no more can come in.")
        yield Problem("product_id", "inactive_product", message, number)
    yield from _damage_faults(number, arrival, quantity, product)
    yield from _lot_faults(number, arrival, quantity, product)
    yield from _cost_faults(number, arrival, has_order=ordered is not None)
    if arrival.difference_reason not in DifferenceReason.values:
        message = _("There is no such reason for a difference.")
        yield Problem("difference_reason", "unknown_reason", message, number)
    elif ordered is None and quantity == 0:
        message = _("Without an order nothing is missing: leave the line out.")
        yield Problem("quantity", "not_positive", message, number)
    if len(arrival.note) > LONGEST_NOTE:
        message = _("The note is longer than 200 characters.")
        yield Problem("note", "too_long", message, number)


def _damage_faults(
    number: int, arrival: Arrival, quantity: Decimal, product: Product
) -> Iterable[Problem]:
    is_exact = not quantity_fault(arrival.damaged, whole_units=product.whole_units)
    if not arrival.damaged.is_finite() or (arrival.damaged and not is_exact):
        message = _("The damaged quantity is not an exact number of base units.")
        yield Problem("damaged", "not_exact", message, number)
    elif arrival.damaged > quantity:
        message = _("More is damaged than arrived.")
        yield Problem("damaged", "more_than_arrived", message, number)


def _lot_faults(
    number: int, arrival: Arrival, quantity: Decimal, product: Product
) -> Iterable[Problem]:
    is_tracked = product.lot_tracking != LotTracking.NONE
    is_needed = is_tracked and quantity != 0
    if (is_needed and not arrival.lot_code) or (arrival.lot_code and not is_tracked):
        message = _("A lot is named for products tracked by lot, and only for those.")
        yield Problem("lot_code", "lot_mismatch", message, number)
    if len(arrival.lot_code) > LONGEST_LOT:
        message = _("A lot code has 1 to 64 characters.")
        yield Problem("lot_code", "bad_length", message, number)
    if arrival.expires_on is not None and not arrival.lot_code:
        message = _("Only a lot has an expiry date.")
        yield Problem("expires_on", "lot_missing", message, number)
    if product.lot_tracking == LotTracking.SERIAL and quantity not in (0, 1):
        message = _("A serial number arrives as a quantity of one: a line for each.")
        yield Problem("quantity", "serial_is_one", message, number)


def _cost_faults(number: int, arrival: Arrival, *, has_order: bool) -> Iterable[Problem]:
    if arrival.unit_cost is None:
        return
    if has_order:
        message = _("The cost of ordered goods is the order's price: amend the order line.")
        yield Problem("unit_cost", "price_is_the_orders", message, number)
    elif arrival.unit_cost and quantity_fault(arrival.unit_cost, whole_units=False):
        message = _("The unit cost is not an amount of money from zero up.")
        yield Problem("unit_cost", "not_an_amount", message, number)


def _line_of(receipt: Receipt, receipt_line_id: int) -> ReceiptLine:
    line = load(ReceiptLine, receipt_line_id)
    if line.receipt_id != receipt.pk:
        raise NotFound("receipt line", receipt_line_id)
    return line


def _changed(receipt: Receipt) -> None:
    receipt.version += 1
    receipt.save(update_fields=["version"])


def _text(line: ReceiptLine) -> str:
    return format(line.quantity.normalize(), "f")
