"""Channels, the stock kept for and from each, and what a channel may still be promised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from inventory.models import Channel, ChannelStock
from inventory.queries.access import in_allowed, require_warehouse
from inventory.rules.channel_share import ChannelRule, may_take
from tenancy.errors import NotFound
from tenancy.scope import active_tenant_id

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ChannelAvailability:
    """What a channel may be promised of a product in a warehouse, in base units.

    ``free``: of anybody; ``kept_for_others`` and ``buffer`` are not the channel's.
    """

    product_id: int
    sku: str
    available: Decimal
    free: Decimal
    kept_for_others: Decimal
    buffer: Decimal


def channels() -> QuerySet[Channel]:
    """Return every channel by code."""
    return Channel.objects.order_by("code", "id")


def search_channels(*, text: str = "", is_active: bool | None = None) -> QuerySet[Channel]:
    """Return channels whose code starts with, or whose name contains, ``text``."""
    rows = channels()
    if text:
        rows = rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))
    return rows if is_active is None else rows.filter(is_active=is_active)


def get_channel(channel_id: int) -> Channel:
    """Return the channel; raise ``NotFound``."""
    found = Channel.objects.filter(pk=channel_id).first()
    if found is None:
        raise NotFound("channel", channel_id)
    return found


def channel_stocks() -> QuerySet[ChannelStock]:
    """Return what is kept for and from channels, with channel, product and warehouse."""
    rows = ChannelStock.objects.select_related("channel", "product", "warehouse")
    return in_allowed(rows, "warehouse_id").order_by("id")


def get_channel_stock(channel_stock_id: int) -> ChannelStock:
    """Return the row; raise ``NotFound``."""
    found = channel_stocks().filter(pk=channel_stock_id).first()
    if found is None:
        raise NotFound("channel stock", channel_stock_id)
    return found


# as allocation sees it: storage in use, lots neither held nor expired on the warehouse's day
FREE_IN_STORAGE = """
    SELECT p.id, p.sku, coalesce(stock.free, 0)
    FROM inventory_product p
    LEFT JOIN (
        SELECT b.product_id, sum(b.on_hand - b.allocated) AS free
        FROM inventory_stockbalance b
        JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
        JOIN inventory_warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id
        LEFT JOIN inventory_lot lot ON lot.tenant_id = b.tenant_id AND lot.id = b.lot_id
        WHERE b.tenant_id = %(tenant)s AND l.warehouse_id = %(warehouse)s
            AND b.product_id = ANY(%(products)s::bigint[]) AND b.on_hand > b.allocated
            AND l.kind = 'storage' AND l.is_active
            AND (lot.id IS NULL OR (lot.status = 'available' AND (lot.expires_on IS NULL
                OR lot.expires_on >= (statement_timestamp() AT TIME ZONE w.time_zone)::date)))
        GROUP BY b.product_id
    ) AS stock ON stock.product_id = p.id
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(%(products)s::bigint[])
    ORDER BY p.id
"""
RULES = """
    SELECT rule.product_id, rule.channel_id, rule.ring_fenced, rule.buffer, coalesce((
        SELECT sum(a.quantity)
        FROM inventory_allocation a
        JOIN inventory_salesorderline line
            ON line.tenant_id = a.tenant_id AND line.id = a.order_line_id
        JOIN inventory_salesorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        WHERE a.tenant_id = rule.tenant_id AND a.product_id = rule.product_id
            AND a.state IN ('allocated', 'picked') AND o.channel_id = rule.channel_id
            AND o.warehouse_id = rule.warehouse_id
    ), 0)
    FROM inventory_channelstock rule
    WHERE rule.tenant_id = %(tenant)s AND rule.warehouse_id = %(warehouse)s
        AND rule.product_id = ANY(%(products)s::bigint[])
"""


def promisable_for_channel(
    *, product_ids: Iterable[int], warehouse_id: int, channel_id: int
) -> list[ChannelAvailability]:
    """Return what a channel may be promised of each product now: two statements for any number.

    Unknown products are left out. Raises ``NotFound`` for the channel or the warehouse.
    """
    get_channel(channel_id)
    require_warehouse(warehouse_id)
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "warehouse": warehouse_id,
        "products": list(product_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(FREE_IN_STORAGE, arguments)
        stock: Sequence[tuple[int, str, Decimal]] = cursor.fetchall()
        cursor.execute(RULES, arguments)
        rules: dict[int, dict[int, ChannelRule]] = {}
        for product_id, channel, *numbers in cursor.fetchall():
            rules.setdefault(product_id, {})[channel] = ChannelRule(*numbers)
    return [
        _availability(product_id, sku, free, rules.get(product_id, {}), channel_id)
        for product_id, sku, free in stock
    ]


def _availability(
    product_id: int, sku: str, free: Decimal, rules: dict[int, ChannelRule], channel_id: int
) -> ChannelAvailability:
    others = (rule.still_kept for other, rule in rules.items() if other != channel_id)
    return ChannelAvailability(
        product_id=product_id,
        sku=sku,
        available=may_take(channel_id, free, rules),
        free=free,
        kept_for_others=sum(others, NOTHING),
        buffer=rules[channel_id].buffer if channel_id in rules else NOTHING,
    )
