"""Amendments: a line of a placed order is changed, as agreed with the supplier, and audited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from inventory.rules.units import quantity_fault
from inventory.services.purchasing import WrongOrderState
from inventory.services.receipt_posting import advance_order
from inventory.services.rows import check_version, load
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What an order line is to say from now on; what is left out stays as it is."""

    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    promised_on: date | None = None


class BelowReceived(Conflict):
    """An order line cannot be amended to less than has come of it."""

    code = "below_received"

    def __init__(self, line: PurchaseOrderLine, quantity: Decimal) -> None:
        message = _(
            "%(received)s have come already: the line cannot be amended to %(quantity)s. "
            "Take the receipt back first if it was wrong."
        )
        numbers = {
            "received": format(line.quantity_received.normalize(), "f"),
            "quantity": format(quantity.normalize(), "f"),
        }
        super().__init__(message % numbers, line_id=line.pk, **numbers)


def amend_order_line(
    *,
    order_id: int,
    line_id: int,
    amendment: Amendment,
    reason: str,
    version: int | None = None,
) -> PurchaseOrder:
    """Change quantity, price or promised day of a line after its order was placed.

    A line amended to what has come is complete, and so is the order when all its lines are. The
    expected day of the order follows the promised days of what is still open. Raises ``NotFound``,
    ``StaleVersion``, ``WrongOrderState``, ``Invalid`` (also without a reason, or when nothing
    changes), ``BelowReceived``.
    """
    require(Permission.BUY)
    order = load(PurchaseOrder, order_id, lock=True)
    check_version(order, version)
    if order.state not in PurchaseOrderState.on_order():
        raise WrongOrderState(order, *PurchaseOrderState.on_order())
    line = _line_of(order, line_id)
    changes = _checked(line, amendment, reason)
    before = {name: str(getattr(line, name)) for name in changes}
    _apply(line, changes)
    lines = {row.pk: row for row in order.lines.select_related("product")}
    if "promised_on" in changes:
        order.expected_on = _expected_on(lines.values()) or order.expected_on
    advance_order(order, lines, timezone.now())
    audit.record(
        "purchase_order.line_amended",
        order,
        number=order.number,
        sku=line.product.sku,
        before=before,
        after={name: str(value) for name, value in changes.items()},
        reason=reason,
    )
    return order


def _line_of(order: PurchaseOrder, line_id: int) -> PurchaseOrderLine:
    line = load(PurchaseOrderLine, line_id)
    if line.order_id != order.pk:
        raise NotFound("order line", line_id)
    return line


def _checked(line: PurchaseOrderLine, amendment: Amendment, reason: str) -> dict[str, Any]:
    given = {
        "quantity": amendment.quantity,
        "unit_price": amendment.unit_price,
        "promised_on": amendment.promised_on,
    }
    problems = list(_problems(line, amendment, reason))
    if problems:
        raise Invalid(problems)
    changes = {
        name: value
        for name, value in given.items()
        if value is not None and value != getattr(line, name)
    }
    if not changes:
        message = _("Nothing would change: enter another quantity, price or promised day.")
        raise Invalid.field("", "unchanged", message)
    return changes


def _problems(line: PurchaseOrderLine, amendment: Amendment, reason: str) -> Iterable[Problem]:
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        message = _("Say why, in 1 to 200 characters: what was agreed with the supplier.")
        yield Problem("reason", "required", message)
    quantity, price = amendment.quantity, amendment.unit_price
    if quantity is not None:
        fault = quantity_fault(quantity, whole_units=line.product.whole_units)
        if fault:
            message = _("The quantity is not a positive, exact number of base units.")
            yield Problem("quantity", fault.value, message)
    if price is not None and (
        not price.is_finite() or (price and quantity_fault(price, whole_units=False))
    ):
        message = _("The price is not an amount of money from zero up.")
        yield Problem("unit_price", "not_an_amount", message)


def _apply(line: PurchaseOrderLine, changes: dict[str, Any]) -> None:
    """Change the line; the update decides, so that what has come is never undercut."""
    rows = PurchaseOrderLine.objects.filter(pk=line.pk)
    # without a new quantity nothing is undercut: more than ordered may have come, as tolerated
    if "quantity" in changes:
        rows = rows.filter(quantity_received__lte=changes["quantity"])
    if not rows.update(**changes):
        line.refresh_from_db()
        raise BelowReceived(line, changes["quantity"])


def _expected_on(lines: Iterable[PurchaseOrderLine]) -> date | None:
    still_open = [
        line.promised_on
        for line in lines
        if line.promised_on is not None and line.quantity_received < line.quantity
    ]
    return max(still_open, default=None)
