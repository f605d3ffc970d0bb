"""Rebuilding balances from the ledger: explicit, audited, never done silently."""

from __future__ import annotations

from django.db import connection, transaction

from inventory.queries.integrity import INSIDE_ENDS, Difference, balances_equal_the_ledger
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

# a posting that is under way has its movements uncommitted and waits here for its balances
LOCK_ALL = """
    SELECT id FROM inventory_stockbalance WHERE tenant_id = %(tenant)s
    ORDER BY product_id, location_id, coalesce(lot_id, 0) FOR UPDATE
"""
REBUILD = f"""
    INSERT INTO inventory_stockbalance AS known
        (tenant_id, product_id, location_id, lot_id, on_hand, allocated)
    SELECT %(tenant)s, product_id, location_id, lot_id, sum(on_hand), 0
    FROM (
        SELECT product_id, location_id, lot_id, delta AS on_hand FROM ({INSIDE_ENDS}) AS ends
        UNION ALL
        SELECT product_id, location_id, lot_id, 0 FROM inventory_stockbalance
        WHERE tenant_id = %(tenant)s
    ) AS parts
    GROUP BY product_id, location_id, lot_id
    ON CONFLICT (tenant_id, product_id, location_id, lot_id)
    DO UPDATE SET on_hand = EXCLUDED.on_hand, on_hand_version = known.on_hand_version + 1
    WHERE known.on_hand <> EXCLUDED.on_hand
"""  # noqa: S608 - constants only


def rebuild_balances() -> list[Difference]:
    """Set every balance to the sum of its movements and return the differences there were.

    A balance that would fall below what is promised stops the rebuild: ``IntegrityError``.
    """
    require(Permission.APPROVE)
    arguments = {"tenant": active_tenant_id()}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK_ALL, arguments)
        found = balances_equal_the_ledger()
        if found:
            with connection.cursor() as cursor:
                cursor.execute(REBUILD, arguments)
            audit.record(
                "balances.rebuilt",
                active_scope().tenant,
                differences=[str(difference) for difference in found[:100]],
                count=len(found),
            )
    return found
