"""Expiry: lots by the days they have left, and what of them will not sell in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotStatus
from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

DEMAND_DAYS = 91

# Lots are sold in the order in which they expire, each only until it does. Up to lot i can be sold
# what lots 1 to i hold, less the largest excess that any of them had over the demand until it
# expired; so the chain of minima needs no loop.
BODY = """
    rates AS (
        SELECT d.product_id, d.warehouse_id, sum(d.quantity) AS demand
        FROM inventory_dailydemand d JOIN sites s USING (warehouse_id)
        WHERE d.tenant_id = %(tenant)s
            AND d.business_day BETWEEN s.today - %(demand_days)s AND s.today - 1
        GROUP BY 1, 2
    ), lots AS (
        SELECT b.product_id, p.warehouse_id, lot.id AS lot_id, lot.code AS lot, lot.status,
            lot.expires_on, lot.expires_on - s.today AS days_left, sum(b.on_hand) AS on_hand,
            coalesce(sum(b.on_hand) FILTER (
                WHERE p.is_promisable AND lot.status = 'available'), 0) AS sellable
        FROM inventory_stockbalance b JOIN places p USING (location_id)
        JOIN sites s USING (warehouse_id)
        JOIN inventory_lot lot ON lot.tenant_id = b.tenant_id AND lot.id = b.lot_id
        WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0 AND lot.expires_on IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), chain AS (
        SELECT t.*, coalesce(r.demand, 0) AS demand,
            coalesce(r.demand, 0) * greatest(t.days_left, 0) / %(demand_days)s AS can_sell,
            sum(t.sellable) OVER fefo AS so_far
        FROM lots t LEFT JOIN rates r USING (product_id, warehouse_id)
        WINDOW fefo AS (PARTITION BY product_id, warehouse_id ORDER BY t.expires_on, t.lot_id)
    ), sold AS (
        SELECT *, so_far + least(0, min(can_sell - so_far) OVER fefo) AS sold_so_far FROM chain
        WINDOW fefo AS (PARTITION BY product_id, warehouse_id ORDER BY expires_on, lot_id)
    ), left_over AS (
        SELECT *, on_hand - (sold_so_far - coalesce(lag(sold_so_far) OVER fefo, 0)) AS unsold
        FROM sold
        WINDOW fefo AS (PARTITION BY product_id, warehouse_id ORDER BY expires_on, lot_id)
    ), report AS (
        SELECT product_id, g.sku, g.name, g.category, g.base_unit, v.unit_value, warehouse_id,
            s.warehouse, t.lot_id, t.lot, t.status, t.expires_on, t.days_left, t.on_hand,
            t.demand / %(demand_days)s AS daily_demand, u.unsold,
            round(t.on_hand * v.unit_value, 6) AS value,
            round(u.unsold * v.unit_value, 6) AS value_at_risk
        FROM left_over t JOIN goods g USING (product_id) JOIN sites s USING (warehouse_id)
        JOIN inventory_product p ON p.tenant_id = %(tenant)s AND p.id = t.product_id
        CROSS JOIN LATERAL (SELECT CASE WHEN p.whole_units THEN ceil(round(t.unsold, 6))
            ELSE round(t.unsold, 6) END) AS u (unsold)
        LEFT JOIN worth w USING (product_id, warehouse_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(w.value / nullif(greatest(w.quantity, 0), 0), g.unit_cost, 0)
                AS unit_value) AS v
    )"""

BANDS = (
    gettext_lazy("expired"),
    gettext_lazy("0\u20137 days"),
    gettext_lazy("8\u201330 days"),
    gettext_lazy("31\u201391 days"),
    gettext_lazy("92\u2013182 days"),
    gettext_lazy("over 182 days"),
)
PICTURE = """
    SELECT b.band, coalesce(sum(r.value - r.value_at_risk), 0) AS sells,
        coalesce(sum(r.value_at_risk), 0) AS at_risk
    FROM generate_series(0, 5) AS b (band)
    LEFT JOIN (SELECT value, value_at_risk, width_bucket(days_left, ARRAY[0, 8, 31, 92, 183])
        AS band FROM report) r USING (band)
    GROUP BY b.band ORDER BY b.band
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw the value of the lots by the days they have left, and what of it is at risk."""
    soon = sum(point["at_risk"] for point in points[:3])
    said = _("Of what expires within 30 days, %(value)s %(currency)s will not sell in time.")
    if not soon:
        said = _("What expires within 30 days will sell in time.")
    return Picture(
        "bar",
        _("Value by days left"),
        {
            "labels": [str(label) for label in BANDS],
            "series": [
                parts.series(points, "sells", _("Sells in time"), "success"),
                parts.series(points, "at_risk", _("Will not sell"), "danger"),
            ],
            "unit": parts.currency(),
            "stacked": True,
        },
        said % {"value": f"{round(soon):,}", "currency": parts.currency()},
    )


REPORT = Report(
    name="expiry",
    title=gettext_lazy("Expiry"),
    purpose=gettext_lazy("Lots by the days they have left, and what will not sell in time."),
    icon="calendar",
    method=gettext_lazy(
        "The mean daily demand of the last 91 days is taken to go on. Each day sells the lot that "
        "expires first. What a lot still holds on its last day will not sell; nor does what is "
        "damaged, in quarantine, on hold or recalled. Stock without an expiry date is left out."
    ),
    filters=("q", "warehouse", "category", "within"),
    columns=(
        parts.SKU,
        parts.NAME,
        replace(parts.CATEGORY, is_on_page=False),
        parts.WAREHOUSE,
        Column("lot", gettext_lazy("Lot"), Kind.CODE),
        Column("status", gettext_lazy("Status"), Kind.CHOICE, choices=LotStatus),
        Column("expires_on", gettext_lazy("Expires"), Kind.DAY),
        Column("days_left", gettext_lazy("Left"), Kind.DAYS),
        Column("on_hand", gettext_lazy("On hand"), Kind.QUANTITY),
        Column("daily_demand", gettext_lazy("Demand a day"), Kind.RATE),
        Column("unsold", gettext_lazy("Will not sell"), Kind.QUANTITY),
        parts.UNIT,
        Column("value", gettext_lazy("Value"), Kind.MONEY),
        Column("value_at_risk", gettext_lazy("Value at risk"), Kind.MONEY),
        parts.PRODUCT_ID,
        parts.WAREHOUSE_ID,
        Column("lot_id", gettext_lazy("Lot"), Kind.ID),
    ),
    needs=(parts.GOODS, parts.PLACES, parts.WORTH),
    body=BODY,
    constants={"demand_days": DEMAND_DAYS},
    where="(%(within)s::int IS NULL OR days_left <= %(within)s::int)",
    key="product_id, warehouse_id, lot_id",
    order="expires_on, value_at_risk DESC",
    totals={
        "value": "coalesce(sum(value), 0)",
        "value_at_risk": "coalesce(sum(value_at_risk), 0)",
        "expired_value": "coalesce(sum(value) FILTER (WHERE days_left < 0), 0)",
        "lots": "count(*)",
        "without_cost": "count(DISTINCT product_id) FILTER (WHERE unit_value = 0)",
    },
    figures=(
        Figure(gettext_lazy("Lots"), Kind.COUNT, total("lots")),
        parts.VALUE_FIGURE,
        Figure(gettext_lazy("Value at risk"), Kind.MONEY, total("value_at_risk")),
        Figure(gettext_lazy("Expired"), Kind.MONEY, total("expired_value")),
    ),
    picture=PICTURE,
    draw=draw,
    notices=parts.without_cost,
)
