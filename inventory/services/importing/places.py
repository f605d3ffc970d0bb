"""Which warehouse the rows belong to: chosen, named by a column, or the only one there is."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from inventory.models import Warehouse
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions
from inventory.services.places import create_warehouse

FIRST_WAREHOUSE = "MAIN"


@dataclass(frozen=True)
class Places:
    """The active warehouses by code; ``home`` takes the rows that name none (empty: they must)."""

    home: str
    ids: dict[str, int]
    zones: dict[str, ZoneInfo]


def ensure_warehouse(kind: str, options: ImportOptions) -> Warehouse | None:
    """Create the first warehouse of a tenant for rows that need one; return it, or None.

    Raises ``Invalid``, ``PermissionRefused``.
    """
    if kind not in {"sales", "stock"} or Warehouse.objects.exists():
        return None
    code = options.warehouse or FIRST_WAREHOUSE
    return create_warehouse(code=code, name=code)


def find_places(chosen: str, *, by_column: bool) -> Places:
    """Return the warehouses rows can belong to.

    Raises ``ImportRefused`` for an unknown code, or when there are several and none is chosen.
    """
    found = list(Warehouse.objects.filter(is_active=True).order_by("code", "id"))
    known = ", ".join(warehouse.code for warehouse in found) or "-"
    by_code = {warehouse.code.casefold(): warehouse.code for warehouse in found}
    home = by_code.get(chosen.casefold(), "") if chosen else ""
    if chosen and not home:
        raise ImportRefused("no_warehouse", code=chosen, known=known)
    if not chosen and not by_column:
        if len(found) != 1:
            raise ImportRefused("which_warehouse" if found else "without_warehouse", known=known)
        home = found[0].code
    ids: dict[str, int] = {}
    zones: dict[str, ZoneInfo] = {}
    for warehouse in found:
        for spelling in {warehouse.code, warehouse.code.lower(), warehouse.code.upper()}:
            ids[spelling] = warehouse.pk
            zones[spelling] = ZoneInfo(warehouse.time_zone)
    return Places(home=home, ids=ids, zones=zones)
