"""Sales orders: taken once, changed while a draft, confirmed with their demand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Channel,
    Customer,
    CustomerSegment,
    DailyDemand,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
)
from inventory.services import sales
from inventory.services.allocation import AllocationBusy
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.sales import (
    DeliveryFields,
    SalesOrderHasNoLines,
    cancel_sales_order,
    change_delivery,
    change_priority,
    confirm_sales_order,
    confirm_sales_orders,
)
from inventory.services.sales_entry import (
    NewSalesOrder,
    ReferenceTaken,
    ReferenceTwice,
    SalesOrderFields,
    create_sales_order,
    create_sales_orders,
)
from inventory.services.sales_lines import (
    SalesLine,
    add_sales_lines,
    change_sales_line,
    remove_sales_line,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site
from tests.inventory.selling import (
    confirmed,
    draft,
    make_channel,
    promised,
    state_of,
)


def demand() -> list[tuple[Decimal, Decimal, int]]:
    rows = DailyDemand.objects.order_by("id")
    return list(rows.values_list("quantity", "revenue", "order_lines"))


# -- entry --------------------------------------------------------------------------------------
def test_a_draft_has_a_number_prices_and_its_customers_segment(site: Site) -> None:
    apple = make_product(unit_price=Decimal("1.50"))
    segment = CustomerSegment.objects.create(code="B2B", name="Business")
    customer = Customer.objects.create(code="C1", name="Carla", segment=segment)
    fields = SalesOrderFields(
        warehouse_id=site.warehouse.pk,
        channel_id=make_channel().pk,
        customer_id=customer.pk,
        reference="4711",
        promised_on=date(2026, 12, 1),
    )
    lines = [SalesLine(apple.pk, Decimal(2)), SalesLine(apple.pk, Decimal(3), Decimal(1))]
    order = create_sales_order(fields=fields, lines=lines)
    order.refresh_from_db()
    assert (order.number, order.state, order.segment_id) == ("SO-000001", "draft", segment.pk)
    prices = order.lines.order_by("id").values_list("quantity", "unit_price")
    assert list(prices) == [(2, Decimal("1.5")), (3, 1)]
    assert demand() == []
    assert AuditEvent.objects.filter(action="sales_order.created", subject_id=order.pk).exists()


def test_the_same_shop_order_is_taken_once(site: Site) -> None:
    first = draft(site.warehouse, reference="4711")
    with pytest.raises(ReferenceTaken) as refused:
        draft(site.warehouse, reference="4711")
    assert refused.value.data["number"] == first.number
    assert refused.value.data["sales_order_id"] == first.pk
    assert SalesOrder.objects.count() == 1
    draft(site.warehouse, reference="4711", channel="STORE")  # another channel, another order
    draft(site.warehouse)
    draft(site.warehouse)  # without a reference as many as one likes


def test_what_cannot_be_an_order_is_refused_and_leaves_nothing(site: Site) -> None:
    apple, gone = make_product(), make_product("GONE", is_active=False)
    closed = Channel.objects.create(code="OLD", name="Old", is_active=False)
    usual = {"warehouse_id": site.warehouse.pk, "channel_id": make_channel().pk}

    def refused(error: type[Exception], *lines: SalesLine, **fields: Any) -> Any:
        with pytest.raises(error) as info:
            create_sales_order(fields=SalesOrderFields(**(usual | fields)), lines=lines)
        return info.value

    for name in ("warehouse_id", "channel_id", "customer_id", "segment_id"):
        refused(NotFound, **{name: 2**62})
        refused(NotFound, **{name: -1})
    assert refused(NotFound, SalesLine(2**70, Decimal(1))).data["line"] == 0
    for quantity in ("0", "-1", "NaN", "1e400", "0.5"):
        error = refused(Invalid, SalesLine(apple.pk, Decimal(quantity)))
        assert error.problems[0].field == "quantity"
    refused(Invalid, SalesLine(apple.pk, Decimal(1), Decimal(-1)))
    refused(Invalid, SalesLine(gone.pk, Decimal(1)))
    assert refused(Invalid, channel_id=closed.pk).problems[0].code == "not_in_use"
    for fields in ({"priority": 0}, {"priority": 10}, {"reference": "x" * 65}, {"note": "x" * 201}):
        refused(Invalid, **fields)
    refused(Invalid, ship_to_address="x" * 601)
    assert not SalesOrder.objects.exists()
    assert not SalesOrderLine.objects.exists()


def test_of_many_orders_the_good_ones_are_taken_and_each_other_says_why_not(site: Site) -> None:
    apple = make_product()
    draft(site.warehouse, reference="KNOWN")

    def new(quantity: int = 1, **fields: Any) -> NewSalesOrder:
        usual = {"warehouse_id": site.warehouse.pk, "channel_id": make_channel().pk}
        return NewSalesOrder(
            SalesOrderFields(**(usual | fields)), [SalesLine(apple.pk, Decimal(quantity))]
        )

    outcomes = create_sales_orders(
        orders=[
            new(reference="A"),
            new(quantity=0),
            new(reference="KNOWN"),
            new(reference="B"),
            new(customer_id=2**62),
            new(reference="TWICE"),
            new(reference="TWICE"),
        ]
    )
    told = [type(outcome.refusal) for outcome in outcomes]
    nothing = type(None)
    expected = [
        nothing, Invalid, ReferenceTaken, nothing, NotFound, ReferenceTwice, ReferenceTwice,
    ]  # fmt: skip
    assert told == expected
    assert [outcome.order.reference for outcome in outcomes if outcome.order] == ["A", "B"]
    assert SalesOrder.objects.count() == 3


def test_many_orders_take_as_many_statements_as_one(
    site: Site, django_assert_max_num_queries: Any
) -> None:
    apple, channel = make_product(), make_channel()
    fields = SalesOrderFields(warehouse_id=site.warehouse.pk, channel_id=channel.pk)
    site.receive(apple, 1000)
    counts = []
    for many in (1, 40):
        orders = [NewSalesOrder(fields, [SalesLine(apple.pk, Decimal(1))] * 3)] * many
        with django_assert_max_num_queries(60) as counted:
            made = create_sales_orders(orders=orders)
            confirm_sales_orders(sales_order_ids=[outcome.order.pk for outcome in made])
        counts.append(len(counted))
    assert counts[0] == counts[1]
    assert SalesOrder.objects.filter(state="allocated").count() == 41


def test_lines_change_while_it_is_a_draft(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR", unit_price=Decimal(2))
    order = draft(site.warehouse, (apple, 1))
    version = SalesOrder.objects.get().version
    order = add_sales_lines(
        sales_order_id=order.pk, lines=[SalesLine(pear.pk, Decimal(4))], version=version
    )
    first, second = order.lines.order_by("id")
    order = change_sales_line(
        sales_order_id=order.pk, line_id=second.pk, line=SalesLine(pear.pk, Decimal(5))
    )
    order = remove_sales_line(sales_order_id=order.pk, line_id=first.pk)
    assert list(order.lines.values_list("product_id", "quantity", "unit_price")) == [
        (pear.pk, 5, 2)
    ]
    assert order.version == version + 3
    with pytest.raises(StaleVersion):
        remove_sales_line(sales_order_id=order.pk, line_id=second.pk, version=version)
    other = draft(site.warehouse, (apple, 1))
    with pytest.raises(NotFound):
        remove_sales_line(sales_order_id=order.pk, line_id=other.lines.get().pk)
    with pytest.raises(Invalid):
        add_sales_lines(sales_order_id=order.pk, lines=[])
    confirm_sales_order(sales_order_id=order.pk)
    for change in (
        lambda: add_sales_lines(sales_order_id=order.pk, lines=[SalesLine(apple.pk, Decimal(1))]),
        lambda: remove_sales_line(sales_order_id=order.pk, line_id=second.pk),
        lambda: change_sales_line(
            sales_order_id=order.pk, line_id=second.pk, line=SalesLine(pear.pk, Decimal(9))
        ),
    ):
        with pytest.raises(WrongSalesOrderState):
            change()
    assert list(order.lines.values_list("quantity", flat=True)) == [5]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_selling_needs_its_right(north: House, role: str) -> None:
    with north.scope():
        order = draft(make_site().warehouse, (make_product(), 1))
    with north.scope(role):
        for refused in (
            lambda: create_sales_orders(orders=[]),
            lambda: confirm_sales_order(sales_order_id=order.pk),
            lambda: cancel_sales_order(sales_order_id=order.pk),
            lambda: change_priority(sales_order_id=order.pk, priority=1),
        ):
            with pytest.raises(PermissionRefused):
                refused()


# -- confirmation -------------------------------------------------------------------------------
def test_confirming_records_the_demand_in_full_and_promises_what_there_is(site: Site) -> None:
    apple, pear = make_product(unit_price=Decimal(2)), make_product("PEAR", unit_price=Decimal(3))
    site.receive(apple, 4)
    segment = CustomerSegment.objects.create(code="B2B", name="Business")
    order = draft(site.warehouse, (apple, 6), (pear, 1), segment_id=segment.pk)
    confirmed_order = confirm_sales_order(sales_order_id=order.pk, version=1)
    assert state_of(order) == "partially_allocated"
    assert promised(order) == [4, 0]
    assert confirmed_order.demand_day is not None
    assert confirmed_order.confirmed_at is not None
    rows = DailyDemand.objects.order_by("product_id").values_list(
        "product_id", "quantity", "revenue", "channel_id", "segment_id", "business_day"
    )
    day, channel = confirmed_order.demand_day, order.channel_id
    assert list(rows) == [
        (apple.pk, 6, 12, channel, segment.pk, day),
        (pear.pk, 1, 3, channel, segment.pk, day),
    ]


def test_an_order_is_confirmed_once(site: Site) -> None:
    order = confirmed(site.warehouse, (make_product(), 2))
    with pytest.raises(WrongSalesOrderState):
        confirm_sales_order(sales_order_id=order.pk)
    assert demand() == [(2, 0, 1)]


def test_what_cannot_be_confirmed_changes_nothing(site: Site) -> None:
    apple = make_product()
    empty, good = draft(site.warehouse), draft(site.warehouse, (apple, 1))
    with pytest.raises(SalesOrderHasNoLines):
        confirm_sales_orders(sales_order_ids=[good.pk, empty.pk])
    with pytest.raises(StaleVersion):
        confirm_sales_order(sales_order_id=good.pk, version=9)
    with pytest.raises(NotFound):
        confirm_sales_orders(sales_order_ids=[good.pk, 2**62])
    assert (state_of(good), demand()) == ("draft", [])


def test_an_order_is_confirmed_even_when_its_stock_is_contended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_asked: Any) -> None:
        raise AllocationBusy(4)

    monkeypatch.setattr(sales, "allocate_orders", busy)
    order = confirmed(site.warehouse, (make_product(), 2))
    assert (state_of(order), demand()) == ("confirmed", [(2, 0, 1)])
    assert AuditEvent.objects.filter(action="sales_order.allocation_busy").count() == 1


# -- changed ------------------------------------------------------------------------------------
def test_delivery_and_priority_change_until_it_is_shipped(site: Site) -> None:
    draft(site.warehouse, reference="TAKEN")
    order = confirmed(site.warehouse, (make_product(), 2))
    fields = DeliveryFields(promised_on=date(2026, 12, 24), ship_to_name="Kim", reference="N-1")
    order = change_delivery(sales_order_id=order.pk, fields=fields, version=order.version)
    order = change_priority(sales_order_id=order.pk, priority=1, version=order.version)
    order.refresh_from_db()
    assert (order.promised_on, order.ship_to_name, order.priority) == (
        date(2026, 12, 24),
        "Kim",
        1,
    )
    version = order.version
    assert change_delivery(sales_order_id=order.pk, fields=fields).version == version  # the same
    with pytest.raises(ReferenceTaken):
        change_delivery(sales_order_id=order.pk, fields=DeliveryFields(reference="TAKEN"))
    with pytest.raises(Invalid):
        change_delivery(sales_order_id=order.pk, fields=DeliveryFields(note="x" * 201))
    with pytest.raises(Invalid):
        change_priority(sales_order_id=order.pk, priority=0)
    with pytest.raises(StaleVersion):
        change_priority(sales_order_id=order.pk, priority=2, version=1)
    SalesOrder.objects.filter(pk=order.pk).update(state=SalesOrderState.SHIPPED)
    for change in (
        lambda: change_priority(sales_order_id=order.pk, priority=2),
        lambda: change_delivery(sales_order_id=order.pk, fields=DeliveryFields()),
    ):
        with pytest.raises(WrongSalesOrderState):
            change()
    order.refresh_from_db()
    assert (order.priority, order.reference, order.version) == (1, "N-1", version)
