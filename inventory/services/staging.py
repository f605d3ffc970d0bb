"""Staging: packed goods are brought from the packing place to the place they leave from."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Allocation,
    AllocationState,
    Location,
    LocationKind,
    MovementReason,
    SalesOrder,
    SalesOrderState,
)
from inventory.queries.places import standard_locations
from inventory.services.ledger import AllocationLine, MovementLine, allocate, post_movements
from inventory.services.ledger_balances import execute
from inventory.services.order_states import WrongSalesOrderState, lock_orders
from inventory.services.pack_sql import STAGE_ALLOCATIONS
from inventory.services.rows import load
from inventory.services.shipping_errors import NothingToStage
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

STAGING_KINDS = {LocationKind.SHIPPING, LocationKind.PACKING}


class StagedMeanwhile(Conflict):
    """Somebody else moved the goods in the meantime."""

    code = "staged_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("Somebody else moved these goods in the meantime. Look again."))


def stage_order(*, sales_order_id: int, to_location_id: int | None = None) -> SalesOrder:
    """Bring an order's packed goods to a shipping place (default: the warehouse's first).

    What is not completely packed stays. Raises ``NotFound``, ``Invalid``,
    ``WrongSalesOrderState``, ``NothingToStage``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        load(SalesOrder, sales_order_id)
        order = lock_orders([sales_order_id])[sales_order_id]
        if order.state not in SalesOrderState.owing():
            raise WrongSalesOrderState(order, *SalesOrderState.owing())
        place = _place(order, to_location_id)
        packed = [
            row
            for row in Allocation.objects.filter(
                order_line__order=order, state=AllocationState.PICKED
            )
            .exclude(picked_into=place)
            .select_for_update(of=("self",))
            .order_by("pk")
            if row.quantity_packed == row.quantity
        ]
        if not packed:
            raise NothingToStage(order)
        _move(order, packed, place)
        audit.record("order.staged", order, number=order.number, place=place.code)
    return order


def _place(order: SalesOrder, location_id: int | None) -> Location:
    if location_id is None:
        return standard_locations(order.warehouse_id)[LocationKind.SHIPPING]
    place = load(Location, location_id)
    if place.warehouse_id != order.warehouse_id or place.kind not in STAGING_KINDS:
        message = _("%(code)s is not a packing or shipping place of the order's warehouse.")
        raise Invalid.field("to_location_id", "not_for_shipping", message % {"code": place.code})
    return place


def _move(order: SalesOrder, packed: list[Allocation], place: Location) -> None:
    ids, places = [row.pk for row in packed], [row.picked_into_id for row in packed]
    if execute(STAGE_ALLOCATIONS, [place.pk, ids, places, active_tenant_id()]) != len(ids):
        raise StagedMeanwhile
    post_movements(
        lines=[
            MovementLine(
                product_id=row.product_id,
                from_location_id=row.picked_into_id or 0,
                to_location_id=place.pk,
                quantity=row.quantity,
                reason=MovementReason.MOVE,
                lot_id=row.lot_id,
            )
            for row in packed
        ],
        document=order,
        releases=[
            AllocationLine(row.product_id, row.picked_into_id or 0, row.quantity, row.lot_id)
            for row in packed
        ],
    )
    allocate(
        lines=[AllocationLine(row.product_id, place.pk, row.quantity, row.lot_id) for row in packed]
    )
