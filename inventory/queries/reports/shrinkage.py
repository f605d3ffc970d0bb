"""Shrinkage: what went to the loss location less what came back from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import MovementReason
from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

BODY = """
    outside AS (
        SELECT l.id AS location_id, l.kind, l.warehouse_id
        FROM inventory_location l JOIN sites s USING (warehouse_id)
        WHERE l.tenant_id = %(tenant)s AND l.kind IN ('loss', 'customer')
    ), crossed AS (
        SELECT m.product_id, o.warehouse_id, o.kind, m.reason, m.business_day, way.sign,
            m.quantity, coalesce(abs(e.value_change),
                round(m.quantity * coalesce(m.unit_cost, g.unit_cost, 0), 6)) AS value
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.to_location_id, 1), (m.from_location_id, -1))
            AS way (location_id, sign)
        JOIN outside o USING (location_id) JOIN goods g USING (product_id)
        LEFT JOIN inventory_valueentry e ON e.tenant_id = m.tenant_id AND e.movement_id = m.id
            AND e.warehouse_id = o.warehouse_id
        WHERE m.tenant_id = %(tenant)s AND m.business_day BETWEEN %(first)s AND %(last)s
    ), losses AS (
        SELECT product_id, warehouse_id, reason, business_day,
            CASE WHEN sign = 1 THEN quantity ELSE 0 END AS lost,
            CASE WHEN sign = 1 THEN value ELSE 0 END AS lost_value,
            CASE WHEN sign = -1 THEN quantity ELSE 0 END AS found,
            CASE WHEN sign = -1 THEN value ELSE 0 END AS found_value
        FROM crossed
        WHERE kind = 'loss' AND (%(reason)s::int IS NULL OR reason = %(reason)s)
    ), shipped AS (
        SELECT CASE WHEN %(by)s = '' THEN product_id ELSE 0 END AS product_key,
            CASE WHEN %(by)s = 'reason' THEN 0 ELSE warehouse_id END AS warehouse_key,
            sum(value) AS throughput
        FROM crossed WHERE kind = 'customer' AND sign = 1 GROUP BY 1, 2
    ), grouped AS (
        SELECT CASE WHEN %(by)s = '' THEN product_id ELSE 0 END AS product_key,
            CASE WHEN %(by)s = 'reason' THEN 0 ELSE warehouse_id END AS warehouse_key,
            CASE WHEN %(by)s = 'warehouse' THEN 0 ELSE reason END AS reason_key,
            sum(lost) AS lost, sum(found) AS found, sum(lost - found) AS shrinkage,
            sum(lost_value) AS lost_value, sum(found_value) AS found_value,
            sum(lost_value - found_value) AS shrinkage_value
        FROM losses GROUP BY 1, 2, 3
    ), report AS (
        SELECT nullif(product_key, 0) AS product_id, nullif(warehouse_key, 0) AS warehouse_id,
            nullif(r.reason_key, 0) AS reason, g.sku, g.name, g.category, g.base_unit,
            s.warehouse, r.lost, r.found, r.shrinkage, r.lost_value,
            r.found_value, r.shrinkage_value, t.throughput,
            r.shrinkage_value / nullif(t.throughput, 0) AS share
        FROM grouped r LEFT JOIN shipped t USING (product_key, warehouse_key)
        LEFT JOIN goods g ON g.product_id = r.product_key
        LEFT JOIN sites s ON s.warehouse_id = r.warehouse_key
    )"""

PICTURE = """
    SELECT (%(first)s::date + b.step * %(step)s)::date AS day,
        coalesce(sum(l.lost_value), 0) AS lost,
        coalesce(-sum(l.found_value), 0) AS found
    FROM generate_series(0, (%(days)s - 1) / %(step)s) AS b (step)
    LEFT JOIN losses l ON (l.business_day - %(first)s::date) / %(step)s = b.step
    GROUP BY b.step ORDER BY b.step
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw what was lost and found over the period."""
    said = parts.nothing_to_see()
    if totals["lost_value"] or totals["found_value"]:
        peak = max(points, key=lambda point: point["lost"])
        said = _("Most was lost: %(when)s.") % {"when": parts.span_from(peak["day"], question.step)}
    return Picture(
        "bar",
        _("Lost and found at cost"),
        {
            "labels": [point["day"] for point in points],
            "series": [
                parts.series(points, "lost", _("Lost"), "danger"),
                parts.series(points, "found", _("Found"), "success"),
            ],
            "unit": parts.currency(),
            "stacked": True,
        },
        said,
    )


PRODUCT = ("",)
PLACE = ("", "warehouse")
CAUSE = ("", "reason")
REPORT = Report(
    name="shrinkage",
    title=gettext_lazy("Shrinkage"),
    purpose=gettext_lazy("What was lost less what was found again, and its share of what shipped."),
    icon="minus-circle",
    method=gettext_lazy(
        "Shrinkage is what moved to the loss location less what came back from it: count "
        "variances, damage, scrap, expired and found goods, at what the ledger took off or put on "
        "the value of the stock. Its share is that value over the value shipped to "
        "customers in the same period."
    ),
    filters=("q", "warehouse", "category", "reason", "by", "period"),
    by=(
        ("", gettext_lazy("By product")),
        ("reason", gettext_lazy("By reason")),
        ("warehouse", gettext_lazy("By warehouse")),
    ),
    columns=(
        Column("sku", gettext_lazy("SKU"), Kind.CODE, by=PRODUCT, is_optional=True),
        Column("name", gettext_lazy("Product"), by=PRODUCT, is_optional=True),
        Column(
            "category", gettext_lazy("Category"), by=PRODUCT, is_optional=True, is_on_page=False
        ),
        Column("warehouse", gettext_lazy("Warehouse"), by=PLACE, is_optional=True),
        Column(
            "reason",
            gettext_lazy("Reason"),
            Kind.CHOICE,
            by=CAUSE,
            choices=MovementReason,
            is_optional=True,
        ),
        Column("lost", gettext_lazy("Lost"), Kind.QUANTITY, by=PRODUCT),
        Column("found", gettext_lazy("Found"), Kind.QUANTITY, by=PRODUCT),
        Column("shrinkage", gettext_lazy("Shrinkage"), Kind.QUANTITY, by=PRODUCT),
        Column("base_unit", gettext_lazy("Unit"), Kind.CODE, by=PRODUCT, is_optional=True),
        Column("lost_value", gettext_lazy("Lost at cost"), Kind.MONEY),
        Column("found_value", gettext_lazy("Found at cost"), Kind.MONEY),
        Column("shrinkage_value", gettext_lazy("Shrinkage at cost"), Kind.MONEY),
        Column("share", gettext_lazy("Of what shipped"), Kind.RATIO, is_optional=True),
        replace(parts.PRODUCT_ID, is_optional=True),
        replace(parts.WAREHOUSE_ID, is_optional=True),
    ),
    needs=(parts.GOODS, parts.PLACES),
    body=BODY,
    key="product_id, warehouse_id, reason",
    order="shrinkage_value DESC",
    totals={
        "lost_value": "coalesce(sum(lost_value), 0)",
        "found_value": "coalesce(sum(found_value), 0)",
        "shrinkage_value": "coalesce(sum(shrinkage_value), 0)",
        "throughput": "(SELECT coalesce(sum(throughput), 0) FROM shipped)",
        "without_cost": "count(DISTINCT product_id) FILTER (WHERE lost_value + found_value = 0)",
    },
    figures=(
        Figure(gettext_lazy("Shrinkage"), Kind.MONEY, total("shrinkage_value")),
        Figure(
            gettext_lazy("Of what shipped"),
            Kind.RATIO,
            lambda t: t["shrinkage_value"] / t["throughput"] if t["throughput"] else None,
        ),
        Figure(gettext_lazy("Lost"), Kind.MONEY, total("lost_value")),
        Figure(gettext_lazy("Found"), Kind.MONEY, total("found_value")),
    ),
    picture=PICTURE,
    draw=draw,
    notices=parts.without_cost,
)
