"""The tenant's settings row: made when it is first needed, locked while it is changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from inventory.models import InventorySettings
from inventory.services.access import require_every_warehouse
from inventory.services.rows import check_version, save
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, slots=True)
class WarehouseSettings:
    """What a manager decides about counting and adjusting; None leaves a setting as it is."""

    adjustment_limit: Decimal | None = None
    blind_counts: bool | None = None
    count_tolerance_percent: Decimal | None = None
    count_tolerance_value: Decimal | None = None
    counts_per_day: int | None = None


def update_inventory_settings(
    *, fields: WarehouseSettings, version: int | None = None
) -> InventorySettings:
    """Change how all warehouses count and adjust.

    Raises ``StaleVersion``, ``Invalid``, and ``BeyondOwnAccess`` for a member who works in some
    warehouses only.
    """
    require(Permission.APPROVE)
    require_every_warehouse()
    with transaction.atomic():
        known = lock_settings(version)
        given = {name: value for name, value in asdict(fields).items() if value is not None}
        changed = {name: value for name, value in given.items() if value != getattr(known, name)}
        if not changed:
            return known
        before = {name: _told(getattr(known, name)) for name in changed}
        for name, value in changed.items():
            setattr(known, name, value)
        known.version += 1
        save(known)
        after = {name: _told(value) for name, value in changed.items()}
        audit.record("inventory_settings.changed", known, before=before, after=after)
    return known


def lock_settings(version: int | None = None) -> InventorySettings:
    """Return the settings, locked until the transaction ends. Raises ``StaleVersion``."""
    found = InventorySettings.objects.select_for_update().first()
    if found is None:
        InventorySettings.objects.bulk_create([InventorySettings()], ignore_conflicts=True)
        found = InventorySettings.objects.select_for_update().get()
    check_version(found, version)
    return found


def _told(value: Any) -> Any:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value
