"""The pages of selling: orders from draft to closed, what is to be allocated, customers, channels."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inventory.models import (
    Allocation,
    Channel,
    ChannelStock,
    Customer,
    CustomerSegment,
    DailyDemand,
    Product,
    SalesOrder,
    WorkClaim,
)
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site
from tests.inventory.selling import confirmed, draft, make_channel, promised, state_of


@pytest.fixture
def shop(north: House) -> Site:
    """A warehouse with a channel and apples, ten in stock."""
    with north.scope():
        site = make_site()
        make_channel()
        apple = make_product(unit_price=3)
        site.receive(apple, 10)
    return site


@pytest.fixture
def planner(north: House) -> Client:
    return north.client("planner")


def apples() -> Product:
    return Product.objects.get(sku="APPLE")


def page(client: Client, house: House, path: str, status: int = 200) -> str:
    answer = client.get(house.path(path))
    assert answer.status_code == status
    return str(answer.content.decode())


def send(client: Client, house: House, path: str, **data: Any) -> Any:
    return client.post(house.path(path), data)


def test_an_order_is_taken_confirmed_and_allocated(
    north: House, shop: Site, planner: Client
) -> None:
    with north.scope():
        Customer.objects.create(code="C1", name="Carla")
        channel = Channel.objects.get()
    assert "No sales orders yet" in page(planner, north, "sales-orders/")
    new = {
        "channel_id": channel.pk,
        "warehouse_id": shop.warehouse.pk,
        "customer_id": "C1",
        "priority": "2",
        "reference": "4711",
    }
    answer = send(planner, north, "sales-orders/new/", **new)
    assert answer.status_code == 302
    path = answer.headers["Location"].removeprefix(north.path())
    assert "Add what is asked for" in page(planner, north, path)
    line = {"product_id": "APPLE", "quantity": "12", "unit_price": "", "version": "1"}
    assert send(planner, north, f"{path}lines/", **line).status_code == 302
    assert send(planner, north, f"{path}confirm/", version="2").status_code == 302
    text = page(planner, north, path)
    assert "Confirmed; its demand was recorded" in text
    assert "Stock promised in 1 place" in text
    assert "Partially allocated" in text
    with north.scope():
        order = SalesOrder.objects.get()
        assert (order.customer.name, order.priority, promised(order)) == ("Carla", 2, [10])
        assert DailyDemand.objects.get().quantity == 12
    text = page(planner, north, "sales-orders/?q=4711")
    assert order.number in text
    assert "Carla" in text
    assert "No sales order matches" in page(planner, north, "sales-orders/?state=late")
    assert order.number in page(planner, north, "sales-orders/?state=open")
    assert order.number in page(planner, north, f"customers/{order.customer_id}/")


def test_wrong_input_is_shown_again_and_nothing_is_kept(
    north: House, shop: Site, planner: Client
) -> None:
    with north.scope():
        channel, order = Channel.objects.get(), draft(shop.warehouse, reference="TAKEN")
    new = {"channel_id": channel.pk, "warehouse_id": shop.warehouse.pk, "priority": "5"}
    for wrong, words in (
        ({"customer_id": "NOBODY"}, "No customer has the code NOBODY."),
        ({"reference": "TAKEN"}, "is here already"),
        ({"priority": "12"}, "not one of the available choices"),
    ):
        answer = send(planner, north, "sales-orders/new/", **(new | wrong))
        assert answer.status_code == 422
        assert words in answer.content.decode()
    path = f"sales-orders/{order.pk}/"
    line = {"product_id": "APPLE", "quantity": "0.5", "version": "1"}
    answer = send(planner, north, f"{path}lines/", **line)
    assert answer.status_code == 422
    assert "whole units" in answer.content.decode()
    with north.scope():
        assert SalesOrder.objects.count() == 1
        assert not order.lines.exists()


def test_a_line_is_changed_in_a_draft_and_lowered_afterwards(
    north: House, shop: Site, planner: Client
) -> None:
    with north.scope():
        order = draft(shop.warehouse, (apples(), 4))
        line = order.lines.get()
    path = f"sales-orders/{order.pk}/lines/{line.pk}/"
    assert "A draft" in page(planner, north, path)
    change = {"quantity": "6", "unit_price": "2", "version": "1"}
    assert send(planner, north, path, **change).status_code == 302
    send(planner, north, f"sales-orders/{order.pk}/confirm/", version="2")
    assert "can only become less" in page(planner, north, path)
    with north.scope():
        version = SalesOrder.objects.get().version
    answer = send(planner, north, path, quantity="7", version=version)
    assert answer.status_code == 422
    assert send(planner, north, path, quantity="5", version=version).status_code == 302
    with north.scope():
        line.refresh_from_db()
        assert (line.quantity, line.quantity_allocated) == (5, 5)
        other = draft(shop.warehouse)
    page(planner, north, f"sales-orders/{other.pk}/lines/{line.pk}/", 404)


def test_a_line_is_removed_and_a_stale_button_is_refused(
    north: House, shop: Site, planner: Client
) -> None:
    with north.scope():
        order = draft(shop.warehouse, (apples(), 4))
        line = order.lines.get()
    path = f"sales-orders/{order.pk}/lines/{line.pk}/remove/"
    send(planner, north, path, version="9")
    with north.scope():
        assert order.lines.count() == 1
    assert send(planner, north, path, version="1").status_code == 302
    with north.scope():
        assert not order.lines.exists()


def test_stock_is_chosen_by_hand_and_released(north: House, shop: Site) -> None:
    operator = north.client("operator")
    with north.scope():
        order = confirmed(shop.warehouse, (make_product("PEAR"), 4))
        line = order.lines.get()
        path = f"sales-orders/{order.pk}/lines/{line.pk}/allocate/"
    assert "No stock lies free" in page(operator, north, path)
    with north.scope():
        shop.receive(line.product, 3)
        balance = line.product.balances.get(location=shop.places["storage"])
    text = page(operator, north, path)
    assert "STORAGE" in text
    answer = send(operator, north, path, place=balance.pk, quantity="4")
    assert answer.status_code == 422
    assert "Not enough stock" in answer.content.decode()
    assert send(operator, north, path, place=balance.pk, quantity="2").status_code == 302
    with north.scope():
        assert promised(order) == [2]
        held = Allocation.objects.get()
    assert send(operator, north, f"allocations/{held.pk}/release/").status_code == 302
    with north.scope():
        assert promised(order) == [0]


def test_what_is_to_be_allocated_is_listed_most_urgent_first(north: House, shop: Site) -> None:
    operator = north.client("operator")
    with north.scope():
        pear, plum = make_product("PEAR"), make_product("PLUM")
        usual = confirmed(shop.warehouse, (pear, 4))
        urgent = confirmed(shop.warehouse, (pear, 2), (plum, 1), priority=1)
        never = confirmed(shop.warehouse, (plum, 1))
        confirmed(shop.warehouse, (apples(), 1))
    assert "Nothing can be allocated now" in page(operator, north, "to-allocate/")
    with north.scope():
        shop.receive(pear, 5)
    text = page(operator, north, "to-allocate/")
    assert text.index(urgent.number) < text.index(usual.number)
    assert never.number not in text
    assert never.number in page(operator, north, "to-allocate/?stock=all")
    send(operator, north, "work/take/", kind="allocate", subject=urgent.pk)
    assert usual.number not in page(operator, north, "to-allocate/?assignee=mine")
    answer = send(operator, north, "to-allocate/run/", order=[urgent.pk, usual.pk])
    assert answer.status_code == 302
    text = page(operator, north, "to-allocate/")
    assert "0 of 2 orders have all their stock now." in text
    with north.scope():
        assert (promised(urgent), promised(usual)) == ([2, 0], [3])
        assert WorkClaim.objects.count() == 1  # it still lacks a plum
        shop.receive(plum, 5)
    answer = send(operator, north, "to-allocate/run/", warehouse=shop.warehouse.pk)
    assert answer.status_code == 302
    with north.scope():
        assert [state_of(o) for o in (urgent, never)] == ["allocated", "allocated"]
    send(operator, north, "to-allocate/run/")
    assert "Choose the orders" in page(operator, north, "to-allocate/")


def test_an_order_is_edited_cancelled_and_its_demand_forgotten(
    north: House, shop: Site, planner: Client
) -> None:
    with north.scope():
        order = confirmed(shop.warehouse, (apples(), 4))
    path = f"sales-orders/{order.pk}/"
    soon = (timezone.now() - timedelta(days=2)).date()
    change = {"priority": "1", "promised_on": soon.isoformat(), "version": order.version}
    assert send(planner, north, f"{path}edit/", **change).status_code == 302
    text = page(planner, north, path)
    assert "Late" in text
    assert "Priority 5 became 1" in text
    assert order.number in page(planner, north, "sales-orders/?state=late")
    answer = send(planner, north, f"{path}edit/", **change)
    assert answer.status_code == 422  # the version is stale
    with north.scope():
        version = SalesOrder.objects.get().version
    cancel = {"version": version, "reason": "typed twice", "take_back_demand": "yes"}
    assert send(planner, north, f"{path}cancel/", **cancel).status_code == 302
    text = page(planner, north, path)
    assert "Cancelled: typed twice" in text
    with north.scope():
        assert DailyDemand.objects.get().quantity == 0
    send(planner, north, f"{path}close/", version=version + 1)
    assert "this is possible only when" in page(planner, north, path)


def test_a_viewer_reads_and_is_offered_nothing(north: House, shop: Site) -> None:
    viewer = north.client("viewer")
    with north.scope():
        order = confirmed(shop.warehouse, (apples(), 12))
    text = page(viewer, north, f"sales-orders/{order.pk}/")
    for offered in ("Look for stock", "Cancel order", "Release", "Lower"):
        assert offered not in text
    assert send(viewer, north, f"sales-orders/{order.pk}/allocate/").status_code == 403
    assert send(viewer, north, "to-allocate/run/", order=order.pk).status_code == 403
    page(viewer, north, "sales-orders/new/", 403)


def test_customers_and_segments_are_kept(north: House, planner: Client) -> None:
    assert "No customers yet" in page(planner, north, "customers/")
    assert "No segments yet" in page(planner, north, "customers/segments/")
    send(planner, north, "customers/segments/new/", code="B2B", name="Business")
    with north.scope():
        segment = CustomerSegment.objects.get()
    new = {"code": "C1", "name": "Carla", "segment_id": segment.pk, "is_active": "on"}
    assert send(planner, north, "customers/new/", **new).status_code == 302
    assert send(planner, north, "customers/new/", **new).status_code == 422
    with north.scope():
        customer = Customer.objects.get()
    assert "No orders yet" in page(planner, north, f"customers/{customer.pk}/")
    edited = {"code": "C1", "name": "Carla K.", "segment_id": ""}
    send(planner, north, f"customers/{customer.pk}/edit/", **edited)
    assert "No customer matches" in page(planner, north, "customers/?q=C1")  # not in use
    assert "Carla K." in page(planner, north, "customers/?state=inactive")
    renamed = {"code": "B2B", "name": "Firms"}
    assert send(planner, north, f"customers/segments/{segment.pk}/", **renamed).status_code == 302
    assert "Firms" in page(planner, north, "customers/segments/")


def test_a_channel_keeps_stock(north: House, shop: Site, planner: Client) -> None:
    new = {"code": "STORE", "name": "Store", "kind": "offline", "is_active": "on"}
    assert send(planner, north, "channels/new/", **new).status_code == 302
    with north.scope():
        store = Channel.objects.get(code="STORE")
        web = Channel.objects.get(code="WEB")
    path = f"channels/{store.pk}/"
    assert "Nothing is kept" in page(planner, north, path)
    keep = {
        "product_id": "APPLE",
        "warehouse_id": shop.warehouse.pk,
        "ring_fenced": "6",
        "buffer": "1",
    }
    assert send(planner, north, f"{path}stock/", **keep).status_code == 302
    assert '9\xa0<span class="unit">pcs' in page(
        planner, north, path
    )  # 10 there, less its buffer of 1
    answer = send(planner, north, f"{path}stock/", **(keep | {"ring_fenced": "0.5"}))
    assert answer.status_code == 422
    with north.scope():
        order = confirmed(shop.warehouse, (apples(), 9), channel="WEB")
        assert promised(order) == [4]  # 10 - 6 kept for the store
        row = ChannelStock.objects.get()
    send(planner, north, f"channel-stock/{row.pk}/remove/", version=row.version)
    with north.scope():
        assert not ChannelStock.objects.exists()
    edit = {"code": "WEB", "name": "Web shop", "kind": "online"}
    send(planner, north, f"channels/{web.pk}/edit/", **edit)
    assert "Web shop" in page(planner, north, "channels/?state=inactive")


def test_lists_take_as_many_statements_for_many_orders(
    north: House, shop: Site, planner: Client, django_assert_max_num_queries: Any
) -> None:
    counts: dict[str, list[int]] = {"sales-orders/": [], "to-allocate/?stock=all": []}
    for _round in range(2):
        with north.scope():
            pear = Product.objects.get_or_create(sku="PEAR", defaults={"name": "Pear"})[0]
            for _ in range(6):
                confirmed(shop.warehouse, (pear, 1), promised_on=date(2026, 12, 1))
        for path, counted in counts.items():
            with django_assert_max_num_queries(40) as queries:
                page(planner, north, path)
            counted.append(len(queries))
    assert all(first == second for first, second in counts.values()), counts


def test_an_orders_page_takes_as_many_statements_for_many_lines(
    north: House, shop: Site, planner: Client, django_assert_max_num_queries: Any
) -> None:
    counts = []
    for lines in (1, 8):
        with north.scope():
            order = confirmed(shop.warehouse, *((apples(), 1) for _ in range(lines)))
        with django_assert_max_num_queries(40) as queries:
            page(planner, north, f"sales-orders/{order.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
