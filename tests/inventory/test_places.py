"""Warehouses come with everything that stock needs to move."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Location, LocationKind, MovementReason
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.place_errors import (
    CodesTaken,
    LastOfItsKind,
    LocationNotEmpty,
    ZonesInCircle,
)
from inventory.services.places import (
    Limits,
    ManyLocations,
    change_location,
    change_zone,
    create_location,
    create_locations,
    create_warehouse,
    create_zone,
)
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site


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


# -- editing --------------------------------------------------------------------------------------
def test_a_place_is_changed_and_audited(site: Site) -> None:
    zone = create_zone(warehouse_id=site.warehouse.pk, code="A")
    place = create_location(warehouse_id=site.warehouse.pk, code="A-1")
    changes = {
        "zone_id": zone.pk,
        "walking_order": 7,
        "max_volume_l": Decimal(120),
        "max_weight_kg": None,
        "mixing_rule": "one_lot",
    }
    changed = change_location(location_id=place.pk, changes=changes, version=1)
    assert changed.version == 2
    place.refresh_from_db()
    assert (place.zone, place.walking_order, place.mixing_rule) == (zone, 7, "one_lot")
    assert place.max_volume_l == 120
    event = AuditEvent.objects.get(action="location.changed")
    assert event.data["before"]["walking_order"] == "0"
    assert "max_weight_kg" not in event.data["after"]  # it was None before


def test_a_place_that_holds_stock_is_not_closed(site: Site) -> None:
    place = create_location(warehouse_id=site.warehouse.pk, code="A-1")
    apple = make_product()
    post_movements(lines=[site.line(apple, 3, "supplier", "storage")])
    line = MovementLine(apple.pk, site.at("storage"), place.pk, Decimal(3), MovementReason.MOVE)
    post_movements(lines=[line])
    with pytest.raises(LocationNotEmpty) as refusal:
        change_location(location_id=place.pk, changes={"is_active": False})
    assert refusal.value.data["lines"] == [
        {"product_id": apple.pk, "sku": "APPLE", "lot": "", "on_hand": "3"}
    ]
    place.refresh_from_db()
    assert place.is_active


def test_the_last_dock_stays_in_use(site: Site) -> None:
    with pytest.raises(LastOfItsKind):
        change_location(location_id=site.at("receiving"), changes={"is_active": False})
    create_location(warehouse_id=site.warehouse.pk, code="D-2", kind=LocationKind.RECEIVING)
    changed = change_location(location_id=site.at("receiving"), changes={"is_active": False})
    assert not changed.is_active


def test_what_cannot_be_changed_is_refused(north: House, site: Site) -> None:
    place = create_location(warehouse_id=site.warehouse.pk, code="A-1")
    far = create_zone(warehouse_id=make_site("OTHER").warehouse.pk, code="Z")
    for changes, code in [
        ({"kind": "packing"}, "unknown_field"),
        ({"max_volume_l": Decimal(-1)}, "min_value"),
        ({"mixing_rule": "soup"}, "invalid_choice"),
        ({"code": "STORAGE"}, "taken"),
        ({"walking_order": -1}, "min_value"),
    ]:
        with pytest.raises(Invalid) as refusal:
            change_location(location_id=place.pk, changes=changes)
        assert refusal.value.problems[0].code == code
    with pytest.raises(NotFound):
        change_location(location_id=place.pk, changes={"zone_id": far.pk})
    with pytest.raises(StaleVersion):
        change_location(location_id=place.pk, changes={"walking_order": 3}, version=9)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        change_location(location_id=place.pk, changes={"walking_order": 3})
    place.refresh_from_db()
    assert (place.version, place.walking_order, place.max_volume_l) == (1, 0, None)


# -- many at once ---------------------------------------------------------------------------------
def test_many_places_are_made_from_a_pattern_along_the_way(site: Site) -> None:
    fields = ManyLocations(
        first_walking_order=100, walking_step=10, limits=Limits(max_weight_kg=Decimal(500))
    )
    with CaptureQueriesContext(connection) as statements:
        create_locations(warehouse_id=site.warehouse.pk, pattern="A-[01-25]-[1-8]", fields=fields)
    assert len(statements) <= 12
    made = Location.objects.filter(code__startswith="A-").order_by("walking_order")
    assert made.count() == 200
    assert [(p.code, p.walking_order) for p in made[:3]] == [
        ("A-01-1", 100),
        ("A-01-2", 110),
        ("A-01-3", 120),
    ]
    assert {p.max_weight_kg for p in made} == {Decimal(500)}


def test_a_pattern_is_all_or_nothing(site: Site) -> None:
    create_location(warehouse_id=site.warehouse.pk, code="A-2")
    with pytest.raises(CodesTaken) as refusal:
        create_locations(warehouse_id=site.warehouse.pk, pattern="A-[1-3]", fields=ManyLocations())
    assert refusal.value.data["codes"] == ["A-2"]
    for pattern, fields, code in [
        ("A-[3-1]", ManyLocations(), "backwards"),
        ("B-[1-3]", ManyLocations(kind=LocationKind.CUSTOMER), "only_one"),
        ("B-[1-3]", ManyLocations(first_walking_order=2**31 - 2), "out_of_range"),
        ("B-[1-3]", ManyLocations(walking_step=-1), "out_of_range"),
        ("B-[1-3]", ManyLocations(limits=Limits(max_volume_l=Decimal(-1))), "min_value"),
    ]:
        with pytest.raises(Invalid) as refused:
            create_locations(warehouse_id=site.warehouse.pk, pattern=pattern, fields=fields)
        assert refused.value.problems[0].code == code
    assert Location.objects.filter(code__regex="^[AB]-").count() == 1


# -- zones ----------------------------------------------------------------------------------------
def test_zones_overflow_upwards_and_never_in_a_circle(site: Site) -> None:
    warehouse = site.warehouse.pk
    hall = create_zone(warehouse_id=warehouse, code="HALL")
    cold = create_zone(warehouse_id=warehouse, code="COLD", parent_id=hall.pk)
    with pytest.raises(ZonesInCircle):
        change_zone(zone_id=hall.pk, name="Hall", parent_id=cold.pk)
    with pytest.raises(ZonesInCircle):
        change_zone(zone_id=hall.pk, name="Hall", parent_id=hall.pk)
    far = create_zone(warehouse_id=make_site("OTHER").warehouse.pk, code="Z")
    with pytest.raises(NotFound):
        change_zone(zone_id=cold.pk, name="Cold", parent_id=far.pk)
    hall.refresh_from_db()
    assert (hall.parent, hall.name) == (None, "")
    change_zone(zone_id=cold.pk, name="Cold store", parent_id=None)
    cold.refresh_from_db()
    assert (cold.name, cold.parent) == ("Cold store", None)
