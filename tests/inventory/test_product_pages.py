"""The pages of products, stock, movements and warehouses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from inventory.models import Product
from inventory.services.catalog import ProductFields, create_product
from tenancy.models import AuditEvent
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

LISTS = ["products/", "stock/", "movements/", "warehouses/"]


@pytest.fixture
def stocked(north: House) -> Site:
    """*North* with three products in one warehouse."""
    with north.scope():
        site = make_site()
        for sku in ("APPLE", "BREAD", "CHEESE"):
            site.receive(make_product(sku), 5)
    return site


def form(**changes: Any) -> dict[str, Any]:
    return {
        "sku": "PEAR",
        "name": "Pear",
        "base_unit": "pcs",
        "whole_units": "on",
        "lot_tracking": "none",
        "is_active": "on",
        "unit_cost": "0.40",
        **changes,
    }


@pytest.mark.parametrize("path", LISTS)
def test_a_member_sees_the_list_and_a_stranger_gets_404(
    stocked: Site, north: House, south: House, path: str
) -> None:
    seen = north.client("viewer").get(north.path(path))
    assert seen.status_code == 200
    assert "private" in seen["Cache-Control"]
    assert south.client("owner").get(north.path(path)).status_code == 404
    assert Client().get(north.path(path)).status_code == 302


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_queries_however_long_it_is(
    stocked: Site, north: House, path: str, django_assert_max_num_queries: Any
) -> None:
    client = north.client("viewer")
    with north.scope():
        for number in range(20):
            stocked.receive(make_product(f"MORE-{number:02d}"), 2)
    with django_assert_max_num_queries(14):
        client.get(north.path(path))


def test_the_product_page_shows_stock_by_location_and_the_latest_movements(
    stocked: Site, north: House
) -> None:
    with north.scope():
        apple = Product.objects.get(sku="APPLE")
    body = north.client("viewer").get(north.path(f"products/{apple.pk}/")).content.decode()
    assert "STORAGE" in body
    assert "Receipt" in body
    assert "Edit" not in body


def test_search_finds_by_sku_name_and_barcode_and_says_when_nothing_matches(
    stocked: Site, north: House
) -> None:
    client = north.client("viewer")
    assert "Bread" in client.get(north.path("products/?q=bre")).content.decode()
    assert "Apple" not in client.get(north.path("products/?q=bre")).content.decode()
    assert "No product matches" in client.get(north.path("products/?q=nothing")).content.decode()


def test_pages_follow_one_another_without_gap_or_repetition(north: House) -> None:
    with north.scope():
        for number in range(60):
            make_product(f"P-{number:03d}")
    client = north.client("viewer")
    first = client.get(north.path("products/"))
    second = client.get(north.path("products/"), {"cursor": first.context["next_cursor"]})
    skus = [p.sku for p, _total in [*first.context["rows"], *second.context["rows"]]]
    assert skus == [f"P-{number:03d}" for number in range(60)]


def test_a_product_is_created_once_though_the_form_is_sent_twice(north: House) -> None:
    client = north.client("planner")
    sent = form(idempotency_key="one-form")
    first = client.post(north.path("products/new/"), sent)
    second = client.post(north.path("products/new/"), sent)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    with north.scope():
        assert Product.objects.filter(sku="PEAR").count() == 1
        assert AuditEvent.objects.filter(action="product.created").count() == 1


def test_the_days_a_product_is_introduced_and_discontinued_are_set_and_lifted_by_its_form(
    north: House,
) -> None:
    client = north.client("planner")
    days = {"introduced_on": "2026-11-02", "discontinued_on": "2027-03-31"}
    page = client.post(north.path("products/new/"), form(**days))["Location"]
    body = client.get(page).content.decode()
    assert "2 Nov 2026" in body
    assert "Discontinued" in body
    edit = client.get(f"{page}edit/").content.decode()
    assert all(f'value="{day}"' in edit for day in days.values())
    assert client.post(f"{page}edit/", form(introduced_on="2026-11-02")).status_code == 302
    with north.scope():
        product = Product.objects.get()
    assert (str(product.introduced_on), product.discontinued_on) == ("2026-11-02", None)


def test_a_taken_sku_is_refused_at_its_field_and_nothing_is_created(
    stocked: Site, north: House
) -> None:
    answer = north.client("planner").post(north.path("products/new/"), form(sku="APPLE"))
    assert answer.status_code == 422
    assert answer.context["form"].errors["sku"]
    with north.scope():
        assert Product.objects.count() == 3


@pytest.mark.parametrize("cost", ["-1", "NaN", "1e400", "abc"])
def test_a_cost_that_is_no_amount_is_refused(north: House, cost: str) -> None:
    answer = north.client("planner").post(north.path("products/new/"), form(unit_cost=cost))
    assert answer.status_code == 422
    assert answer.context["form"].errors["unit_cost"]


def test_a_viewer_may_not_create_and_sees_no_button(north: House) -> None:
    client = north.client("viewer")
    assert "New product" not in client.get(north.path("products/")).content.decode()
    assert client.post(north.path("products/new/"), form()).status_code == 403
    with north.scope():
        assert not Product.objects.exists()


def test_a_change_made_on_an_old_form_is_refused(north: House) -> None:
    with north.scope():
        product = create_product(fields=ProductFields(sku="PEAR", name="Pear"))
    client = north.client("planner")
    path = north.path(f"products/{product.pk}/edit/")
    assert client.post(path, form(name="Pear, green", version="1")).status_code == 302
    late = client.post(path, form(name="Pear, red", version="1"))
    assert late.status_code == 422
    assert "changed by somebody else" in late.content.decode()
    with north.scope():
        product.refresh_from_db()
    assert (product.name, product.unit_cost) == ("Pear, green", Decimal("0.40"))


def test_a_warehouse_comes_with_its_locations_and_takes_another(north: House) -> None:
    client = north.client("planner")
    sent = {"code": "HAM", "name": "Hamburg", "time_zone": "Europe/Berlin", "country": "DE"}
    created = client.post(north.path("warehouses/new/"), sent)
    page = client.get(created["Location"]).content.decode()
    assert "RECEIVING" in page
    assert "CUSTOMER" not in page
    sent = {"code": "A-01", "kind": "storage", "walking_order": "5"}
    assert client.post(created["Location"], sent).status_code == 302
    assert "A-01" in client.get(created["Location"]).content.decode()


def test_a_warehouse_with_an_unknown_time_zone_is_refused(north: House) -> None:
    sent = {"code": "HAM", "name": "Hamburg", "time_zone": "Mars/Base"}
    answer = north.client("planner").post(north.path("warehouses/new/"), sent)
    assert answer.status_code == 422
    assert "is not a time zone" in answer.content.decode()


def test_a_packaging_and_its_barcode_are_added_and_found_by_scan(north: House) -> None:
    with north.scope():
        product = create_product(fields=ProductFields(sku="PEAR", name="Pear"))
    client = north.client("planner")
    path = north.path(f"products/{product.pk}/codes/")
    assert client.post(path, {"add": "packaging", "name": "case", "units": "12"}).status_code == 302
    page = client.get(path)
    [packaging] = page.context["packagings"]
    sent = {"add": "barcode", "code": "4006381333931", "packaging_id": packaging.pk}
    assert client.post(path, sent).status_code == 302
    assert "Pear" in client.get(north.path("products/?q=4006381333931")).content.decode()


def test_a_taken_barcode_or_half_a_unit_in_a_case_is_refused(north: House) -> None:
    with north.scope():
        pear = create_product(fields=ProductFields(sku="PEAR", name="Pear"))
        plum = create_product(fields=ProductFields(sku="PLUM", name="Plum"))
    client = north.client("planner")
    taken = {"add": "barcode", "code": "4006381333931"}
    assert client.post(north.path(f"products/{pear.pk}/codes/"), taken).status_code == 302
    assert client.post(north.path(f"products/{plum.pk}/codes/"), taken).status_code == 422
    half = {"add": "packaging", "name": "case", "units": "1.5"}
    assert client.post(north.path(f"products/{plum.pk}/codes/"), half).status_code == 422
