"""Turnover: how often a year the stock is sold, and how long it lasts; the slowest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

# The mean of the stock at the end of each day, without walking the days: stock then is stock now
# less what changed it since, so a change lowers as many of the days as lie before it.
BODY = """
    changed AS (
        SELECT e.product_id, e.warehouse_id,
            sum(e.quantity_change * least(e.business_day - %(first)s::date, %(days)s))
                AS quantity_days,
            sum(e.value_change * least(e.business_day - %(first)s::date, %(days)s)) AS value_days,
            coalesce(sum(e.value_change) FILTER (WHERE e.business_day > %(last)s), 0)
                AS value_since,
            sum(abs(e.value_change)) / nullif(sum(abs(e.quantity_change)), 0) AS unit_value
        FROM inventory_valueentry e
        WHERE e.tenant_id = %(tenant)s AND e.business_day >= %(first)s GROUP BY 1, 2
    ), asked AS (
        SELECT d.product_id, d.warehouse_id, sum(d.quantity) AS demand
        FROM inventory_dailydemand d JOIN sites s USING (warehouse_id)
        WHERE d.tenant_id = %(tenant)s AND d.business_day BETWEEN %(first)s AND %(last)s
        GROUP BY 1, 2
    ), held AS (
        SELECT product_id, warehouse_id, coalesce(a.demand, 0) AS demand,
            coalesce(w.value / nullif(greatest(w.quantity, 0), 0), c.unit_value) AS unit_value,
            coalesce(w.quantity, 0) - coalesce(c.quantity_days, 0) / %(days)s AS mean_on_hand,
            coalesce(w.value, 0) - coalesce(c.value_days, 0) / %(days)s AS mean_value,
            coalesce(w.value, 0) - coalesce(c.value_since, 0) AS value
        FROM worth w FULL JOIN changed c USING (product_id, warehouse_id)
        FULL JOIN asked a USING (product_id, warehouse_id)
    ), grouped AS (
        SELECT CASE WHEN %(by)s = '' THEN g.product_id END AS product_id,
            CASE WHEN %(by)s = 'category' THEN coalesce(g.category_id, 0) END AS category_id,
            CASE WHEN %(by)s = 'warehouse' THEN h.warehouse_id END AS warehouse_id,
            sum(h.demand) AS demand, sum(h.mean_on_hand) AS mean_on_hand,
            sum(h.demand * coalesce(h.unit_value, g.unit_cost, 0)) AS demand_cost,
            sum(h.mean_value) AS mean_value, sum(h.value) AS value,
            count(DISTINCT g.product_id) FILTER (
                WHERE coalesce(h.unit_value, g.unit_cost, 0) = 0) AS without_cost
        FROM held h JOIN goods g USING (product_id)
        JOIN sites s USING (warehouse_id)
        WHERE h.demand <> 0 OR h.mean_on_hand <> 0 OR h.value <> 0
        GROUP BY 1, 2, 3
    ), report AS (
        SELECT r.product_id, r.category_id, r.warehouse_id, g.sku, g.name, g.base_unit,
            coalesce(g.category, c.name, '') AS category, s.warehouse, r.demand, r.mean_on_hand,
            r.demand_cost, r.mean_value, r.value, r.without_cost,
            CASE WHEN r.mean_value > 0 THEN r.demand_cost * 365 / %(days)s / r.mean_value
            END AS turnover_per_year,
            CASE WHEN r.demand_cost > 0 THEN greatest(r.value, 0) * %(days)s / r.demand_cost
            END AS cover_days
        FROM grouped r
        LEFT JOIN goods g ON g.product_id = r.product_id
        LEFT JOIN inventory_category c ON c.tenant_id = %(tenant)s AND c.id = r.category_id
        LEFT JOIN sites s ON s.warehouse_id = r.warehouse_id
    )"""

BANDS = (
    gettext_lazy("none"),
    gettext_lazy("under 1"),
    gettext_lazy("1 to 2"),
    gettext_lazy("2 to 4"),
    gettext_lazy("4 to 8"),
    gettext_lazy("8 to 12"),
    gettext_lazy("12 and more"),
)
SLOW_BANDS = 2
PICTURE = """
    SELECT b.band, coalesce(sum(r.mean_value), 0) AS mean_value, count(r.band) AS groups
    FROM generate_series(0, 6) AS b (band)
    LEFT JOIN (
        SELECT mean_value, CASE WHEN turnover_per_year = 0 THEN 0
            ELSE 1 + width_bucket(turnover_per_year, ARRAY[1, 2, 4, 8, 12]::numeric[]) END AS band
        FROM report WHERE turnover_per_year IS NOT NULL
    ) r USING (band)
    GROUP BY b.band ORDER BY b.band
"""


def turnover_of(totals: Row) -> object:
    """Return the turnover of everything listed."""
    cost, value, days = totals["demand_cost"], totals["mean_value"], totals["days"]
    return cost * 365 / days / value if value > 0 else None


def cover_of(totals: Row) -> object:
    """Return how many days everything listed lasts at the demand of the period."""
    cost, value, days = totals["demand_cost"], totals["value"], totals["days"]
    return max(value, 0) * days / cost if cost > 0 else None


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw how much value lies in stock that turns slowly."""
    slow = sum(point["mean_value"] for point in points[:SLOW_BANDS])
    everything = sum(point["mean_value"] for point in points)
    said = parts.nothing_to_see()
    if everything > 0:
        said = _("%(share)d%% of the mean stock value turns less than once a year.") % {
            "share": round(slow * 100 / everything)
        }
    return Picture(
        "bar",
        _("Mean stock value by turnover a year"),
        {
            "labels": [str(label) for label in BANDS],
            "series": [parts.series(points, "mean_value", _("Mean stock value"))],
            "unit": parts.currency(),
        },
        said,
    )


PRODUCT = ("",)
REPORT = Report(
    name="turnover",
    title=gettext_lazy("Turnover"),
    purpose=gettext_lazy("How often a year the stock is sold, the slowest first."),
    icon="refresh",
    method=gettext_lazy(
        "Turnover is the cost of a year's demand over the mean stock value: the demand of the "
        "period, times 365 over its days, at what a unit in stock is worth, over the mean of the "
        "value at the end of each of its days. Cover is how many days the stock at the end of the "
        "period lasts at the demand of the period."
    ),
    filters=("q", "warehouse", "category", "by", "period"),
    default_days=365,
    by=(
        ("", gettext_lazy("By product")),
        ("category", gettext_lazy("By category")),
        ("warehouse", gettext_lazy("By warehouse")),
    ),
    columns=(
        Column("sku", gettext_lazy("SKU"), Kind.CODE, by=PRODUCT, is_optional=True),
        Column("name", gettext_lazy("Product"), by=PRODUCT, is_optional=True),
        Column("category", gettext_lazy("Category"), by=("", "category")),
        Column("warehouse", gettext_lazy("Warehouse"), by=("warehouse",), is_optional=True),
        Column("demand", gettext_lazy("Demand"), Kind.QUANTITY, by=PRODUCT),
        Column("mean_on_hand", gettext_lazy("Mean stock"), Kind.RATE, by=PRODUCT),
        Column("base_unit", gettext_lazy("Unit"), Kind.CODE, by=PRODUCT, is_optional=True),
        Column("demand_cost", gettext_lazy("Demand at cost"), Kind.MONEY),
        Column("mean_value", gettext_lazy("Mean stock value"), Kind.MONEY),
        Column(
            "turnover_per_year",
            gettext_lazy("Turnover a year"),
            Kind.NUMBER,
            is_optional=True,
        ),
        Column("cover_days", gettext_lazy("Cover"), Kind.DAYS, is_optional=True),
        replace(parts.PRODUCT_ID, is_optional=True),
        replace(parts.WAREHOUSE_ID, is_optional=True),
    ),
    needs=(parts.GOODS, parts.PLACES, parts.WORTH),
    body=BODY,
    key="product_id, category_id, warehouse_id",
    order="turnover_per_year NULLS LAST, mean_value DESC",
    totals={
        "demand_cost": "coalesce(sum(demand_cost), 0)",
        "mean_value": "coalesce(sum(mean_value), 0)",
        "value": "coalesce(sum(value), 0)",
        "days": "%(days)s::int",
        "without_cost": "coalesce(sum(without_cost), 0)",
    },
    figures=(
        Figure(gettext_lazy("Turnover a year"), Kind.NUMBER, turnover_of),
        Figure(gettext_lazy("Cover"), Kind.DAYS, cover_of),
        Figure(gettext_lazy("Demand at cost"), Kind.MONEY, total("demand_cost")),
        Figure(gettext_lazy("Mean stock value"), Kind.MONEY, total("mean_value")),
    ),
    picture=PICTURE,
    draw=draw,
    notices=parts.without_cost,
)
