"""How far sales orders are: locked in one order, and moved on by what became of their lines.

Whoever changes lines, allocations or pick tasks of orders holds the locks of the orders first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import SalesOrder, SalesOrderState
from inventory.queries.access import in_allowed
from inventory.rules.order_state import LineSums, OrderFacts, order_progress
from inventory.services.rows import LARGEST_ID, check_version
from tenancy.errors import Conflict, NotFound
from tenancy.scope import active_tenant_id

NEVER_TRIED = (SalesOrderState.DRAFT, SalesOrderState.CONFIRMED)
FOLLOW_THEIR_LINES = (*SalesOrderState.owing(), SalesOrderState.SHIPPED)


class WrongSalesOrderState(Conflict):
    """The sales order is not in a state in which this can be done."""

    code = "wrong_sales_order_state"

    def __init__(self, order: SalesOrder, *allowed: SalesOrderState) -> None:
        message = _("Order %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": order.number,
            "state": SalesOrderState(order.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=order.number, state=order.state, allowed=names)


LOCK_ORDERS = """
    SELECT id, state FROM inventory_salesorder WHERE tenant_id = %s AND id = ANY(%s::bigint[])
    ORDER BY id FOR UPDATE
"""
LINES = """
    SELECT order_id, quantity, quantity_allocated, quantity_picked, quantity_shipped
    FROM inventory_salesorderline WHERE tenant_id = %s AND order_id = ANY(%s::bigint[])
    ORDER BY order_id, id
"""
# a package holds picked goods of its order only, so equal sums mean that all of them are packed
PROGRESS_FACTS = """
    SELECT o.id,
        EXISTS (
            SELECT FROM inventory_picktask task
            WHERE task.tenant_id = o.tenant_id AND task.sales_order_id = o.id
                AND task.state = 'open'
        ),
        coalesce((
            SELECT sum(line.quantity_picked) FROM inventory_salesorderline line
            WHERE line.tenant_id = o.tenant_id AND line.order_id = o.id
        ), 0) <= coalesce((
            SELECT sum(packed.quantity)
            FROM inventory_package package
            JOIN inventory_packageline packed
                ON packed.tenant_id = package.tenant_id AND packed.package_id = package.id
            WHERE package.tenant_id = o.tenant_id AND package.sales_order_id = o.id
                AND package.state = 'closed'
        ), 0)
    FROM inventory_salesorder o WHERE o.tenant_id = %s AND o.id = ANY(%s::bigint[])
"""
MOVE_ON = """
    UPDATE inventory_salesorder o
    SET state = moved.state, version = o.version + 1,
        shipped_at = CASE WHEN moved.state = 'shipped' THEN statement_timestamp() END
    FROM unnest(%s::bigint[], %s::text[]) AS moved (id, state)
    WHERE o.tenant_id = %s AND o.id = moved.id
"""


def lock_orders(order_ids: Collection[int]) -> dict[int, SalesOrder]:
    """Lock the orders, sorted by id, and return them by id; raise ``NotFound`` for a missing one.

    An order of a warehouse in which the actor does not work answers like a missing one.

    Take them before balances, allocations or tasks, in every service: then nothing deadlocks.
    """
    known = {order_id for order_id in order_ids if 0 < order_id <= LARGEST_ID}
    rows = in_allowed(SalesOrder.objects.filter(pk__in=known), "warehouse_id")
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    found: dict[int, SalesOrder] = {order.pk: order for order in locked}
    for order_id in order_ids:
        if order_id not in found:
            raise NotFound("sales order", order_id)
    return found


def lock_order(order_id: int, version: int | None = None) -> SalesOrder:
    """Lock one order and return it. Raises ``NotFound``, ``StaleVersion``."""
    order = lock_orders([order_id])[order_id]
    check_version(order, version)
    return order


def advance_orders(
    order_ids: Collection[int], *, tried: bool = False
) -> dict[int, SalesOrderState]:
    """Bring the states of confirmed orders up to date with their lines; return their states.

    ``tried``: stock was looked for, so what has none is backordered from now on. Every service that
    changes lines, allocations, picks or packages calls this at its end: five statements, however
    many orders. Drafts, closed and cancelled orders stay as they are and are not returned.
    """
    tenant_id, ids = active_tenant_id(), sorted(set(order_ids))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_ORDERS, [tenant_id, ids])
        states = {pk: state for pk, state in cursor.fetchall() if state in FOLLOW_THEIR_LINES}
        cursor.execute(LINES, [tenant_id, list(states)])
        lines: dict[int, list[LineSums]] = defaultdict(list)
        for order_id, *sums in cursor.fetchall():
            lines[order_id].append(LineSums(*sums))
        cursor.execute(PROGRESS_FACTS, [tenant_id, list(states)])
        facts = {row[0]: row[1:] for row in cursor.fetchall()}
        reached: dict[int, SalesOrderState] = {}
        for order_id, state in states.items():
            open_picks, all_packed = facts[order_id]
            known = OrderFacts(open_picks, all_packed, tried or state not in NEVER_TRIED)
            reached[order_id] = SalesOrderState(order_progress(lines[order_id], known))
        moved = {pk: str(state) for pk, state in reached.items() if state != states[pk]}
        if moved:
            cursor.execute(MOVE_ON, [list(moved), list(moved.values()), tenant_id])
    return reached
