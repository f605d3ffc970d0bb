"""What several reports are put together from: pieces of SQL, columns and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Row, Text, total
from tenancy.scope import active_scope

# Products asked for: a category with all below it, the start of a SKU or a part of the name.
GOODS = """
    branch AS (
        SELECT c.id FROM inventory_category c
        WHERE c.tenant_id = %(tenant)s AND c.id = %(category)s
        UNION
        SELECT c.id FROM inventory_category c JOIN branch ON c.parent_id = branch.id
        WHERE c.tenant_id = %(tenant)s
    ), goods AS (
        SELECT p.id AS product_id, p.sku, p.name, p.base_unit, p.category_id, p.is_active,
            coalesce(c.name, '') AS category, p.unit_cost
        FROM inventory_product p
        LEFT JOIN inventory_category c ON c.tenant_id = p.tenant_id AND c.id = p.category_id
        WHERE p.tenant_id = %(tenant)s
            AND (%(category)s::bigint IS NULL OR p.category_id IN (SELECT id FROM branch))
            AND (%(text)s = '' OR p.sku ILIKE %(begins)s OR p.name ILIKE %(contains)s)
    )"""

# Warehouses asked for, with the day it is there, and what lies inside them.
PLACES = """
    sites AS (
        SELECT w.id AS warehouse_id, w.name AS warehouse, w.time_zone,
            (statement_timestamp() AT TIME ZONE w.time_zone)::date AS today
        FROM inventory_warehouse w
        WHERE w.tenant_id = %(tenant)s
            AND (%(warehouses)s::bigint[] IS NULL OR w.id = ANY(%(warehouses)s::bigint[]))
    ), places AS (
        SELECT l.id AS location_id, l.kind, l.code AS location, s.warehouse_id,
            l.is_active AND l.kind = ANY(%(promisable)s) AS is_promisable
        FROM inventory_location l JOIN sites s USING (warehouse_id)
        WHERE l.tenant_id = %(tenant)s AND l.kind <> ALL(%(outside)s)
    )"""

# What lies where: the balances, and for a past day less all that has moved since.
HERE = """
    here AS (
        SELECT b.product_id, b.location_id, b.lot_id, b.on_hand AS quantity, b.allocated
        FROM inventory_stockbalance b WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0
        UNION ALL
        SELECT m.product_id, side.location_id, m.lot_id, side.sign * m.quantity, 0
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, 1), (m.to_location_id, -1))
            AS side (location_id, sign)
        WHERE m.tenant_id = %(tenant)s AND m.business_day > %(on)s
    )"""

# What the stock of each product and warehouse is worth: its value now, and for a past day less what
# changed it since. Stock that was never valued counts at the unit cost of the product.
WORTH = """
    worth AS (
        SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value,
            max(method) AS method
        FROM (
            SELECT v.product_id, v.warehouse_id, v.quantity, v.value, v.method
            FROM inventory_stockvalue v WHERE v.tenant_id = %(tenant)s
            UNION ALL
            SELECT e.product_id, e.warehouse_id, -e.quantity_change, -e.value_change, NULL
            FROM inventory_valueentry e
            WHERE e.tenant_id = %(tenant)s AND e.business_day > %(on)s
            UNION ALL
            SELECT b.product_id, p.warehouse_id, b.on_hand, b.on_hand * coalesce(g.unit_cost, 0),
                NULL
            FROM inventory_stockbalance b JOIN places p USING (location_id)
            JOIN goods g USING (product_id)
            WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0 AND NOT EXISTS (
                SELECT FROM inventory_stockvalue v WHERE v.tenant_id = b.tenant_id
                    AND v.product_id = b.product_id AND v.warehouse_id = p.warehouse_id)
        ) AS parts
        GROUP BY 1, 2
    )"""

SKU = Column("sku", gettext_lazy("SKU"), Kind.CODE)
NAME = Column("name", gettext_lazy("Product"))
CATEGORY = Column("category", gettext_lazy("Category"))
WAREHOUSE = Column("warehouse", gettext_lazy("Warehouse"))
UNIT = Column("base_unit", gettext_lazy("Unit"), Kind.CODE)
PRODUCT_ID = Column("product_id", gettext_lazy("Product"), Kind.ID)
WAREHOUSE_ID = Column("warehouse_id", gettext_lazy("Warehouse"), Kind.ID)

VALUE_FIGURE = Figure(gettext_lazy("Value"), Kind.MONEY, total("value"))


def currency() -> str:
    """Return the tenant's currency, in which every value of a report is."""
    return active_scope().tenant.currency


def without_cost(totals: Row, question: Question) -> list[Text]:
    """Say how many of the products listed count as worth nothing, for want of a cost."""
    count = totals.get("without_cost") or 0
    if not count:
        return []
    sentence = ngettext(
        "%(count)d product counts as worth nothing: nobody said what it costs.",
        "%(count)d products count as worth nothing: nobody said what they cost.",
        count,
    )
    return [sentence % {"count": count}]


def series(points: Sequence[Row], name: str, label: str, tone: str = "") -> dict[str, Any]:
    """Return one series of a chart."""
    return {"label": label, "values": [point[name] for point in points], "tone": tone}


def largest(points: Sequence[Row], name: str, value: str) -> str:
    """Return the name of the point with the largest value, or an empty text."""
    known = [point for point in points if point[value]]
    return str(max(known, key=lambda point: point[value])[name]) if known else ""


def nothing_to_see() -> str:
    """Return what a picture without points says."""
    return _("There is nothing to show for these filters.")


def span_from(day: str, step: int) -> str:
    """Return what the bar of a picture over time that begins on ``day`` stands for, in words."""
    written = date_format(date.fromisoformat(day), "j M Y")
    if step == 1:
        return written
    weeks = step // 7
    words = ngettext("the week from %(day)s", "the %(weeks)d weeks from %(day)s", weeks)
    return words % {"day": written, "weeks": weeks}
