"""How the active tenant runs its warehouses."""

from __future__ import annotations

from inventory.models import InventorySettings
from tenancy.scope import active_tenant_id


def inventory_settings() -> InventorySettings:
    """Return the tenant's settings; the usual ones, unsaved, while nobody has changed any."""
    found: InventorySettings | None = InventorySettings.objects.first()
    return found or InventorySettings(tenant_id=active_tenant_id())
