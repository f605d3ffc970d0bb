"""What an order held is free again: its allocations, picks, picked goods and packages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from inventory.models import Allocation, AllocationState, Package, PackageState
from inventory.services.allocation import end_allocations
from inventory.services.ledger import AllocationLine, release
from inventory.services.ledger_balances import execute, fetch
from tenancy.scope import active_tenant_id

# goods that were picked lie where they were brought; who put them there no longer needs them
FREE_PICKED = """
    UPDATE inventory_allocation a
    SET state = 'released', ended_at = statement_timestamp(), quantity_packed = 0
    FROM inventory_salesorderline line
    WHERE a.tenant_id = %s AND a.state = 'picked'
        AND line.tenant_id = a.tenant_id AND line.id = a.order_line_id
        AND line.order_id = ANY(%s::bigint[])
    RETURNING a.order_line_id, a.product_id, a.picked_into_id, a.lot_id, a.quantity
"""
TAKE_PICKED = """
    UPDATE inventory_salesorderline line
    SET quantity_picked = line.quantity_picked - change.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS change (id, quantity)
    WHERE line.tenant_id = %s AND line.id = change.id
"""


@dataclass(frozen=True)
class Freed:
    """How many of each there were."""

    allocations: int
    picked: int
    packages: int

    def as_data(self) -> dict[str, int]:
        """Return the counts for the audit trail."""
        return {
            "allocations_released": self.allocations,
            "picked_freed": self.picked,
            "packages_undone": self.packages,
        }


def free_orders(order_ids: Collection[int]) -> Freed:
    """Free everything these orders hold and have not shipped; the caller holds their locks."""
    ids = list(order_ids)
    live = Allocation.objects.filter(
        order_line__order_id__in=ids, state=AllocationState.ALLOCATED
    ).values_list("pk", flat=True)
    ended = end_allocations(list(live), AllocationState.RELEASED)
    unpacked = Package.objects.filter(sales_order_id__in=ids).exclude(state=PackageState.SHIPPED)
    packages = unpacked.count()
    if packages:
        unpacked.delete()
    rows = fetch(FREE_PICKED, [active_tenant_id(), ids])
    if rows:
        release(lines=[AllocationLine(row[1], row[2], row[4], row[3]) for row in rows])
        taken: dict[int, Decimal] = defaultdict(Decimal)
        for line_id, *_place, quantity in rows:
            taken[line_id] += quantity
        execute(TAKE_PICKED, [list(taken), list(taken.values()), active_tenant_id()])
    return Freed(len(ended), len(rows), packages)
