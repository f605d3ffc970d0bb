"""How a purchase order comes and what that cost: what freight and lead times are learned from."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    LeadTimeObservation,
    PurchaseOrder,
    PurchaseOrderState,
)
from inventory.rules.business_day import business_day
from inventory.rules.units import quantity_fault
from inventory.services.purchasing import WrongOrderState, known_mode
from inventory.services.rows import check_version, load
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.services import audit


def set_transport(
    *,
    order_id: int,
    transport_mode: str,
    transport_cost: Decimal | None,
    version: int | None = None,
) -> PurchaseOrder:
    """Say how an order comes and what the transport of all its deliveries cost.

    Bills come late and modes are noted wrongly, so this is possible until the end; lead times that
    were learned from the order follow its mode. Raises ``NotFound``, ``StaleVersion``,
    ``WrongOrderState`` for a cancelled order, ``Invalid`` naming the field.
    """
    require(Permission.BUY)
    order = load(PurchaseOrder, order_id, lock=True)
    check_version(order, version)
    if order.state == PurchaseOrderState.CANCELLED:
        raise WrongOrderState(order, *(s for s in PurchaseOrderState if s != order.state))
    known_mode(transport_mode)
    if transport_cost and quantity_fault(transport_cost, whole_units=False):
        message = _("The cost is not an amount of money from zero up.")
        raise Invalid.field("transport_cost", "not_an_amount", message)
    before = _said(order)
    if order.transport_mode != transport_mode:
        _move_lead_times(order, transport_mode)
    order.transport_mode, order.transport_cost = transport_mode, transport_cost
    order.version += 1
    order.save(update_fields=["transport_mode", "transport_cost", "version"])
    audit.record(
        "purchase_order.transport_set",
        order,
        number=order.number,
        before=before,
        after=_said(order),
    )
    return order


def _move_lead_times(order: PurchaseOrder, mode: str) -> None:
    if order.placed_at is None:
        return
    LeadTimeObservation.objects.filter(
        supplier_id=order.supplier_id,
        product_id__in=order.lines.values("product_id"),
        placed_on=business_day(order.placed_at, order.warehouse.time_zone),
        transport_mode=order.transport_mode,
    ).update(transport_mode=mode)


def _said(order: PurchaseOrder) -> dict[str, str | None]:
    cost = order.transport_cost
    return {"mode": order.transport_mode, "cost": None if cost is None else str(cost)}
