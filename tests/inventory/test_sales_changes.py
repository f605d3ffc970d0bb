"""Sales orders that change after they were confirmed: less, given up, cancelled, closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Allocation,
    Package,
    PackageLine,
    PickTask,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
    StockBalance,
    WorkClaim,
    WorkKind,
)
from inventory.services import sales
from inventory.services.demand import DemandNotRecorded, withdraw_demand
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.sales import (
    NothingShipped,
    PartlyShipped,
    cancel_sales_order,
    close_sales_order,
)
from inventory.services.sales_amending import (
    AmendedTooFar,
    NothingLeftToShip,
    amend_sales_line,
)
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid
from tenancy.models import AuditEvent
from tests.inventory.book import Site, make_product
from tests.inventory.selling import (
    allocated_at,
    confirmed,
    draft,
    pick,
    promised,
    release_wave,
    state_of,
)
from tests.inventory.test_sales import demand


def test_a_line_is_amended_down_and_the_rest_is_free(site: Site) -> None:
    apple = make_product(unit_price=Decimal(2))
    site.receive(apple, 10)
    order = confirmed(site.warehouse, (apple, 8))
    line = order.lines.get()
    amended = amend_sales_line(
        sales_order_id=order.pk,
        line_id=line.pk,
        quantity=Decimal(5),
        version=order.version,
        reason="customer called",
    )
    line.refresh_from_db()
    assert (line.quantity, line.quantity_allocated) == (5, 5)
    assert Allocation.objects.get().quantity == 5
    assert allocated_at(apple, site.at("storage")) == 5
    assert (amended.state, amended.version) == ("allocated", order.version + 1)
    assert demand() == [(8, 16, 1)]  # it was asked for
    event = AuditEvent.objects.get(action="sales_order.amended")
    assert (event.data["before"], event.data["after"]) == ("8", "5")
    amend_sales_line(
        sales_order_id=order.pk, line_id=line.pk, quantity=Decimal(3), take_back_demand=True
    )
    assert demand() == [(6, 12, 1)]  # 8 - (5 - 3)


def test_a_line_is_given_up_but_not_the_last_one(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    site.receive(apple, 10)
    order = confirmed(site.warehouse, (apple, 8), (pear, 2))
    first, second = order.lines.order_by("id")
    amend_sales_line(
        sales_order_id=order.pk, line_id=second.pk, quantity=Decimal(0), take_back_demand=True
    )
    assert state_of(order) == "allocated"
    assert [row[0] for row in demand()] == [8, 0]
    with pytest.raises(NothingLeftToShip):
        amend_sales_line(sales_order_id=order.pk, line_id=first.pk, quantity=Decimal(0))
    assert promised(order) == [8, 0]
    assert allocated_at(apple, site.at("storage")) == 8


def test_what_is_in_work_cannot_be_amended_away(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    order = confirmed(site.warehouse, (apple, 8))
    line = order.lines.get()
    release_wave(site, [Allocation.objects.get()])

    def refused(error: type[Exception], quantity: str) -> Any:
        with pytest.raises(error) as info:
            amend_sales_line(sales_order_id=order.pk, line_id=line.pk, quantity=Decimal(quantity))
        return info.value

    assert refused(AmendedTooFar, "7").data["least"] == "8"
    for quantity in ("8", "9", "-1", "0.5", "NaN"):
        refused(Invalid, quantity)
    line.refresh_from_db()
    assert (line.quantity, allocated_at(apple, site.at("storage"))) == (8, 8)
    with pytest.raises(WrongSalesOrderState):
        amend_sales_line(
            sales_order_id=draft(site.warehouse, (apple, 2)).pk,
            line_id=line.pk,
            quantity=Decimal(1),
        )


# -- the end ------------------------------------------------------------------------------------
def test_a_cancelled_order_frees_what_it_held(site: Site) -> None:
    apple, pear, plum = (make_product(sku) for sku in ("APPLE", "PEAR", "PLUM"))
    for product in (apple, pear, plum):
        site.receive(product, 10)
    order = confirmed(site.warehouse, (apple, 8), (pear, 2), (plum, 3))
    apples, pears, plums = Allocation.objects.order_by("id")
    release_wave(site, [apples])
    pick(site, pears)
    pick(site, plums)
    package = Package.objects.create(number="PK-1", sales_order=order)
    PackageLine.objects.create(package=package, allocation=pears, quantity=2)
    claim_work(kind=WorkKind.PACK, subject_id=order.pk)
    cancel_sales_order(sales_order_id=order.pk, reason="changed their mind")
    assert state_of(order) == "cancelled"
    assert not StockBalance.objects.filter(allocated__gt=0).exists()
    free = StockBalance.objects.filter(location=site.places["packing"]).order_by("product_id")
    assert list(free.values_list("product_id", "on_hand", "allocated")) == [
        (pear.pk, 2, 0),
        (plum.pk, 3, 0),
    ]
    assert set(Allocation.objects.values_list("state", flat=True)) == {"released"}
    assert PickTask.objects.get().state == "cancelled"
    assert not Package.objects.exists()
    assert not WorkClaim.objects.exists()
    counters = order.lines.values_list("quantity_allocated", "quantity_picked")
    assert list(counters) == [(0, 0)] * 3
    assert [row[0] for row in demand()] == [8, 2, 3]  # it was asked for
    event = AuditEvent.objects.get(action="sales_order.cancelled")
    assert (event.data["allocations_released"], event.data["picked_freed"]) == (1, 2)
    with pytest.raises(WrongSalesOrderState):
        cancel_sales_order(sales_order_id=order.pk)


def test_demand_entered_by_mistake_is_taken_back_with_the_order(site: Site) -> None:
    apple = make_product(unit_price=Decimal(2))
    confirmed(site.warehouse, (apple, 3))
    mistaken = confirmed(site.warehouse, (apple, 800), (apple, 1))
    assert demand() == [(804, 1608, 3)]
    cancel_sales_order(sales_order_id=mistaken.pk, take_back_demand=True)
    assert demand() == [(3, 6, 1)]
    mistaken.refresh_from_db()
    assert mistaken.demand_day is None
    line = sales.demand_of(mistaken.lines.first(), mistaken, SalesOrder.objects.first().demand_day)
    with pytest.raises(DemandNotRecorded):
        withdraw_demand(lines=[line])
    assert demand() == [(3, 6, 1)]


def test_a_draft_is_cancelled_without_demand(site: Site) -> None:
    order = draft(site.warehouse, (make_product(), 3))
    cancel_sales_order(sales_order_id=order.pk, take_back_demand=True)
    assert (state_of(order), demand()) == ("cancelled", [])


def test_what_has_left_in_part_is_closed_not_cancelled(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 3)
    order = confirmed(site.warehouse, (apple, 8))
    with pytest.raises(NothingShipped):
        close_sales_order(sales_order_id=order.pk)
    SalesOrderLine.objects.filter(order=order).update(quantity_shipped=2)
    with pytest.raises(PartlyShipped):
        cancel_sales_order(sales_order_id=order.pk)
    assert promised(order) == [3]
    closed = close_sales_order(sales_order_id=order.pk, reason="rest not wanted")
    assert (state_of(order), closed.version) == ("closed", order.version + 1)
    assert allocated_at(apple, site.at("storage")) == 0
    with pytest.raises(WrongSalesOrderState):
        close_sales_order(sales_order_id=order.pk)


def test_a_shipped_order_is_closed(site: Site) -> None:
    order = confirmed(site.warehouse, (make_product(), 8))
    SalesOrderLine.objects.filter(order=order).update(quantity_shipped=8)
    SalesOrder.objects.filter(pk=order.pk).update(state=SalesOrderState.SHIPPED)
    with pytest.raises(WrongSalesOrderState):
        cancel_sales_order(sales_order_id=order.pk)
    close_sales_order(sales_order_id=order.pk)
    assert state_of(order) == "closed"
