"""Warehouses come with everything that stock needs to move."""

from __future__ import annotations

import pytest

from inventory.models import Location, LocationKind
from inventory.services.places import create_location, create_warehouse, create_zone
from tenancy.errors import Invalid, NotFound
from tests.cast import House
from tests.inventory.book import make_site


def test_a_warehouse_has_a_location_of_every_kind(in_north: House) -> None:
    warehouse = create_warehouse(code="MAIN", name="Main")
    assert warehouse.time_zone == "Europe/Berlin"  # north's
    kinds = Location.objects.filter(warehouse=warehouse).values_list("kind", flat=True)
    assert set(kinds) == set(LocationKind.values)


def test_a_taken_code_and_an_unknown_time_zone_are_named(in_north: House) -> None:
    make_site("MAIN")
    with pytest.raises(Invalid) as refusal:
        create_warehouse(code="MAIN", name="Again")
    assert refusal.value.problems[0].field == "code"
    with pytest.raises(Invalid) as refusal:
        create_warehouse(code="MOON", name="Moon", time_zone="Moon/Base")
    assert refusal.value.problems[0].field == "time_zone"


def test_shelves_are_many_but_the_outside_is_one(in_north: House) -> None:
    warehouse = make_site().warehouse
    zone = create_zone(warehouse_id=warehouse.pk, code="A")
    for code in ("A-01", "A-02"):
        create_location(warehouse_id=warehouse.pk, code=code, zone_id=zone.pk)
    with pytest.raises(Invalid):
        create_location(warehouse_id=warehouse.pk, code="X", kind=LocationKind.CUSTOMER)
    with pytest.raises(Invalid) as refusal:
        create_location(warehouse_id=warehouse.pk, code="A-01")
    assert refusal.value.problems[0].field == "code"


def test_a_zone_of_another_warehouse_is_not_found(in_north: House) -> None:
    zone = create_zone(warehouse_id=make_site("OTHER").warehouse.pk, code="A")
    with pytest.raises(NotFound):
        create_location(warehouse_id=make_site().warehouse.pk, code="A-01", zone_id=zone.pk)
