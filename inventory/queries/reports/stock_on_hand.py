"""Stock on hand: what lies in each warehouse, now or at the end of a past day."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

# "good": the lot is neither held nor expired on that day
BODY = """
    placed AS (
        SELECT h.*, p.kind, p.warehouse_id, p.is_promisable, lot.code AS lot, lot.expires_on,
            lot.id IS NULL OR (lot.status = 'available' AND (lot.expires_on IS NULL
                OR lot.expires_on >= coalesce(%(on)s::date, s.today))) AS good
        FROM here h JOIN places p USING (location_id) JOIN sites s USING (warehouse_id)
        LEFT JOIN inventory_lot lot ON lot.tenant_id = %(tenant)s AND lot.id = h.lot_id
    ), summed AS (
        SELECT product_id, warehouse_id,
            CASE WHEN %(by)s = 'lot' THEN lot_id END AS lot_id,
            min(CASE WHEN %(by)s = 'lot' THEN lot END) AS lot,
            min(CASE WHEN %(by)s = 'lot' THEN expires_on END) AS expires_on,
            coalesce(sum(quantity) FILTER (WHERE kind <> 'in_transit'), 0) AS on_hand,
            CASE WHEN %(on)s::date IS NULL THEN sum(allocated) END AS allocated,
            CASE WHEN %(on)s::date IS NULL THEN
                coalesce(sum(quantity - allocated) FILTER (WHERE is_promisable AND good), 0)
            END AS available,
            coalesce(sum(quantity) FILTER (WHERE kind IN ('quarantine', 'damaged')
                OR (kind <> 'in_transit' AND NOT good)), 0) AS unusable,
            coalesce(sum(quantity) FILTER (WHERE kind = 'in_transit'), 0) AS in_transit
        FROM placed GROUP BY 1, 2, 3
    ), report AS (
        SELECT g.product_id, g.sku, g.name, g.category, g.base_unit, u.unit_value,
            t.warehouse_id, s.warehouse, t.lot_id, t.lot, t.expires_on,
            t.on_hand, t.allocated, t.available, t.unusable, t.in_transit,
            round((t.on_hand + t.in_transit) * u.unit_value, 6) AS value,
            round(t.unusable * u.unit_value, 6) AS unusable_value,
            round(t.in_transit * u.unit_value, 6) AS in_transit_value
        FROM summed t JOIN goods g USING (product_id) JOIN sites s USING (warehouse_id)
        LEFT JOIN worth w USING (product_id, warehouse_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(w.value / nullif(greatest(w.quantity, 0), 0), g.unit_cost, 0)
                AS unit_value) AS u
        WHERE t.on_hand <> 0 OR t.in_transit <> 0
    )"""

PICTURE = """
    SELECT warehouse AS label, sum(value - unusable_value - in_transit_value) AS usable,
        sum(unusable_value) AS unusable, sum(in_transit_value) AS in_transit
    FROM report GROUP BY warehouse_id, warehouse ORDER BY sum(value) DESC, warehouse_id LIMIT 15
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw the value of each warehouse's stock by whether it can be used."""
    where = parts.largest(points, "label", "usable")
    said = _("Most of the usable value lies in %(where)s.") % {"where": where}
    return Picture(
        "bar",
        _("Value by warehouse"),
        {
            "labels": [point["label"] for point in points],
            "series": [
                parts.series(points, "usable", _("Usable"), "success"),
                parts.series(points, "unusable", _("Damaged, held or expired"), "danger"),
                parts.series(points, "in_transit", _("In transit"), "info"),
            ],
            "unit": parts.currency(),
            "stacked": True,
            "horizontal": True,
        },
        said if where else parts.nothing_to_see(),
    )


REPORT = Report(
    name="stock-on-hand",
    title=gettext_lazy("Stock on hand"),
    purpose=gettext_lazy("What lies in each warehouse, now or at the end of a past day."),
    icon="layers",
    method=gettext_lazy(
        "On hand is what is physically there. Available is what may still be promised: in storage, "
        "packing or shipping, of lots neither held nor expired, and not allocated. Unusable is "
        "damaged, in quarantine, held or expired. The value counts goods in transit as well. For a "
        "past day all movements since are taken back; what was allocated then is not recorded."
    ),
    filters=("q", "warehouse", "category", "by", "on"),
    by=(("", gettext_lazy("By product")), ("lot", gettext_lazy("By lot"))),
    columns=(
        parts.SKU,
        parts.NAME,
        parts.CATEGORY,
        parts.WAREHOUSE,
        Column("lot", gettext_lazy("Lot"), Kind.CODE, by=("lot",), is_optional=True),
        Column("expires_on", gettext_lazy("Expires"), Kind.DAY, by=("lot",), is_optional=True),
        Column("on_hand", gettext_lazy("On hand"), Kind.QUANTITY),
        Column("allocated", gettext_lazy("Allocated"), Kind.QUANTITY, is_optional=True),
        Column("available", gettext_lazy("Available"), Kind.QUANTITY, is_optional=True),
        Column("unusable", gettext_lazy("Unusable"), Kind.QUANTITY),
        Column("in_transit", gettext_lazy("In transit"), Kind.QUANTITY),
        parts.UNIT,
        Column("value", gettext_lazy("Value"), Kind.MONEY),
        parts.PRODUCT_ID,
        parts.WAREHOUSE_ID,
        Column("lot_id", gettext_lazy("Lot"), Kind.ID, is_optional=True),
    ),
    needs=(parts.GOODS, parts.PLACES, parts.HERE, parts.WORTH),
    body=BODY,
    key="product_id, warehouse_id, lot_id",
    order="sku, warehouse",
    totals={
        "products": "count(DISTINCT product_id)",
        "value": "coalesce(sum(value), 0)",
        "unusable_value": "coalesce(sum(unusable_value), 0)",
        "in_transit_value": "coalesce(sum(in_transit_value), 0)",
        "without_cost": "count(DISTINCT product_id) FILTER (WHERE unit_value = 0)",
    },
    figures=(
        Figure(gettext_lazy("Products"), Kind.COUNT, total("products")),
        parts.VALUE_FIGURE,
        Figure(gettext_lazy("Unusable"), Kind.MONEY, total("unusable_value")),
        Figure(gettext_lazy("In transit"), Kind.MONEY, total("in_transit_value")),
    ),
    picture=PICTURE,
    draw=draw,
    notices=parts.without_cost,
)
