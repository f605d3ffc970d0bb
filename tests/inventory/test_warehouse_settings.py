"""How a tenant counts and adjusts: changed by managers, by version, on the record."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import InventorySettings
from inventory.queries.settings import inventory_settings
from inventory.services.access import BeyondOwnAccess, set_warehouse_access
from inventory.services.settings import WarehouseSettings, update_inventory_settings
from tenancy.errors import Invalid, StaleVersion
from tenancy.models import AuditEvent, Membership
from tenancy.permissions import PermissionRefused
from tests.api.calls import by_session
from tests.cast import House
from tests.inventory.book import make_site


def test_the_first_change_makes_the_row_and_is_on_the_record(north: House) -> None:
    with north.scope("manager"):
        assert inventory_settings().pk is None
        fields = WarehouseSettings(adjustment_limit=Decimal("12.50"), blind_counts=False)
        known = update_inventory_settings(fields=fields, version=1)
        assert (known.adjustment_limit, known.blind_counts, known.version) == (
            Decimal("12.50"),
            False,
            2,
        )
        assert known.count_tolerance_percent == 2  # what was not given stays
        event = AuditEvent.objects.get(action="inventory_settings.changed")
        assert event.data == {
            "before": {"adjustment_limit": "0", "blind_counts": True},
            "after": {"adjustment_limit": "12.5", "blind_counts": False},
        }


def test_a_stale_version_is_refused(north: House) -> None:
    with north.scope("manager"):
        update_inventory_settings(fields=WarehouseSettings(counts_per_day=7), version=1)
        with pytest.raises(StaleVersion):
            update_inventory_settings(fields=WarehouseSettings(counts_per_day=8), version=1)
        assert InventorySettings.objects.get().counts_per_day == 7


def test_nothing_changed_is_nothing_recorded(north: House) -> None:
    with north.scope("manager"):
        assert update_inventory_settings(fields=WarehouseSettings(counts_per_day=5)).version == 1
        assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        WarehouseSettings(adjustment_limit=Decimal(-1)),
        WarehouseSettings(adjustment_limit=Decimal("1e400")),
        WarehouseSettings(adjustment_limit=Decimal("NaN")),
        WarehouseSettings(count_tolerance_percent=Decimal("0.001")),
        WarehouseSettings(count_tolerance_percent=Decimal(1000)),
        WarehouseSettings(count_tolerance_value=Decimal(-1)),
        WarehouseSettings(counts_per_day=-1),
    ],
)
def test_impossible_settings_are_refused(north: House, fields: WarehouseSettings) -> None:
    with north.scope("manager"):
        with pytest.raises(Invalid):
            update_inventory_settings(fields=fields)
        assert inventory_settings().adjustment_limit == 0
        assert not AuditEvent.objects.exists()


def test_only_managers_who_work_everywhere_change_them(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        update_inventory_settings(fields=WarehouseSettings(counts_per_day=7))
    with north.scope():
        member = Membership.objects.get(user=north.members["manager"])
        site = make_site()
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[site.warehouse.pk])
    with north.scope("manager"), pytest.raises(BeyondOwnAccess):
        update_inventory_settings(fields=WarehouseSettings(counts_per_day=7))


def test_by_api_with_version(north: House) -> None:
    caller = by_session(north, "manager")
    read = caller.get("inventory-settings")
    assert (read.json()["adjustment_limit"], read["ETag"]) == ("0", '"1"')
    change = {"adjustment_limit": "50", "counts_per_day": 3}
    changed = caller.patch("inventory-settings", change, If_Match='"1"')
    assert (changed.status_code, changed.json()["counts_per_day"]) == (200, 3)
    assert changed["ETag"] == '"2"'
    assert caller.patch("inventory-settings", change, If_Match='"1"').status_code == 412
    assert caller.patch("inventory-settings", change).status_code == 428
    wrong = caller.patch("inventory-settings", {"adjustment_limit": "-1"}, If_Match='"2"')
    assert wrong.status_code == 400
    assert by_session(north, "operator").patch(
        "inventory-settings", change, If_Match='"2"'
    ).status_code == 403  # fmt: skip
