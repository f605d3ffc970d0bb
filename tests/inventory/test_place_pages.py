"""Pages of put-away, and of places, zones and the rules for what lies where."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Location,
    Product,
    PutAwayRule,
    Zone,
)
from inventory.services.places import create_zone
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.test_inbound_pages import html, words
from tests.inventory.test_put_away import docked, shelf

World = tuple[Site, Product]


@pytest.fixture
def world(north: House) -> World:
    """A site and an apple."""
    with north.scope():
        return make_site(), make_product()


# -- put-away -------------------------------------------------------------------------------------
def test_the_dock_lists_where_goods_belong_and_puts_them_there(north: House, world: World) -> None:
    site, apple = world
    with north.scope():
        place = shelf(site, "A-1", max_volume_l=Decimal(8))
        balance = docked(site, apple)
        Product.objects.filter(pk=apple.pk).update(volume_l=Decimal(1))
    client = north.client("operator")
    listed = client.get(north.path("to-put-away/"))
    [[row, places, claim]] = listed.context["rows"]
    assert (row.pk, claim) == (balance.pk, None)
    assert [str(where.why) for where, _words in places] == ["room"]
    address = north.path(f"to-put-away/{balance.pk}/")
    assert 'value="STORAGE"' in client.get(address).content.decode()
    form = {"place": "a-1", "quantity": "10", "override_reason": ""}
    refused = client.post(address, form)
    assert refused.status_code == 422
    assert "A-1 does not take it: its room (10 l, 8 l free)." in words(refused)
    client.post(address, form | {"quantity": "8"})
    client.post(address, form | {"quantity": "2", "override_reason": "it fits, I tried"})
    with north.scope():
        assert on_hand(apple, place.pk) == 10
    assert "The docks are empty" in html(north, "to-put-away/")
    assert client.get(address).status_code == 404


def test_the_put_away_list_asks_the_same_number_of_questions_however_long(
    north: House, world: World, django_assert_num_queries: Any
) -> None:
    site, apple = world
    with north.scope():
        docked(site, apple)
    client = north.client("viewer")
    with django_assert_num_queries(PUT_AWAY_QUERIES):
        client.get(north.path("to-put-away/"))
    with north.scope():
        for number in range(5):
            docked(site, make_product(f"P{number}"))
    with django_assert_num_queries(PUT_AWAY_QUERIES):
        client.get(north.path("to-put-away/"))


PUT_AWAY_QUERIES = 18


def test_rules_are_added_and_taken_away_on_the_warehouses_page(north: House, world: World) -> None:
    site, apple = world
    with north.scope():
        zone = create_zone(warehouse_id=site.warehouse.pk, code="COLD", name="Cold store")
    address = north.path(f"warehouses/{site.warehouse.pk}/put-away-rules/")
    client = north.client("planner")
    form = {"product_id": "APPLE", "zone_id": zone.pk, "priority": "5"}
    wrong = client.post(address, form | {"location": "NOWHERE"})
    assert "There is no location NOWHERE" in wrong.content.decode()
    both = client.post(address, form | {"location": "STORAGE"})
    assert "one of them" in both.content.decode()
    client.post(address, form)
    assert "Cold store" in html(north, f"warehouses/{site.warehouse.pk}/put-away-rules/")
    with north.scope():
        rule = PutAwayRule.objects.get()
        assert (rule.product_id, rule.priority) == (apple.pk, 5)
    refused = north.client("operator").post(north.path(f"put-away-rules/{rule.pk}/delete/"))
    assert refused.status_code == 403
    client.post(north.path(f"put-away-rules/{rule.pk}/delete/"))
    with north.scope():
        assert PutAwayRule.objects.count() == 0


# -- places ---------------------------------------------------------------------------------------
def test_a_place_is_edited_and_stays_open_while_it_holds_stock(north: House, world: World) -> None:
    site, apple = world
    with north.scope():
        site.receive(apple, 3)
    address = north.path(f"locations/{site.at('storage')}/")
    client = north.client("planner")
    form = {
        "code": "STORAGE",
        "walking_order": "7",
        "zone_id": "",
        "max_volume_l": "120",
        "max_weight_kg": "",
        "mixing_rule": "one_product",
        "is_active": "on",
        "version": "1",
    }
    assert client.post(address, form).status_code == 302
    assert "120 l" in html(north, f"warehouses/{site.warehouse.pk}/")
    closing = {**form, "version": "2"}
    del closing["is_active"]
    refused = client.post(address, closing)
    assert "STORAGE is not empty: 3 APPLE." in words(refused)
    assert client.post(address, form).status_code == 422  # stale
    with north.scope():
        assert Location.objects.get(pk=site.at("storage")).is_active


def test_many_places_are_shown_before_they_are_created(north: House, world: World) -> None:
    site, _apple = world
    address = north.path(f"warehouses/{site.warehouse.pk}/locations/")
    client = north.client("planner")
    form = {
        "pattern": "A-[01-05]-[1-4]",
        "kind": "storage",
        "first_walking_order": "100",
        "walking_step": "10",
        "zone_id": "",
        "mixing_rule": "any",
    }
    seen = client.post(address, form | {"preview": "yes"})
    assert "Create 20 locations" in seen.content.decode()
    with north.scope():
        assert Location.objects.filter(code__startswith="A-").count() == 0
    assert client.post(address, form | {"create": "yes"}).status_code == 302
    with north.scope():
        assert Location.objects.filter(code__startswith="A-").count() == 20
    again = client.post(address, form | {"preview": "yes"}).content.decode()
    assert "20 of them exist" in again
    assert "Create 20 locations" not in again
    wrong = client.post(address, form | {"pattern": "A-[5-1]", "preview": "yes"})
    assert wrong.status_code == 422
    assert "counts backwards" in wrong.content.decode()


def test_zones_are_created_and_told_where_they_overflow(north: House, world: World) -> None:
    site, _apple = world
    address = north.path(f"warehouses/{site.warehouse.pk}/zones/")
    client = north.client("planner")
    client.post(address, {"code": "HALL", "name": "Hall", "parent_id": ""})
    with north.scope():
        hall = Zone.objects.get()
    client.post(address, {"code": "COLD", "name": "", "parent_id": hall.pk})
    with north.scope():
        cold = Zone.objects.get(code="COLD")
        assert cold.parent == hall
    circle = client.post(north.path(f"zones/{hall.pk}/"), {"name": "H", "parent_id": cold.pk})
    assert "would overflow into itself" in circle.content.decode()
    client.post(north.path(f"zones/{cold.pk}/"), {"name": "Cold", "parent_id": ""})
    assert "any place with room" in html(north, f"warehouses/{site.warehouse.pk}/zones/")
    with north.scope():
        assert Zone.objects.get(pk=cold.pk).parent is None
