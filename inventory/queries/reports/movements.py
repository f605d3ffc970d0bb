"""Movements: everything that moved in a period, and how much came in and went out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import MovementReason
from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

# direction: 1 came into the warehouses asked for, -1 left them, 0 moved within them. Two warehouses
# may write one movement on two days.
BODY = """
    valued AS (
        SELECT e.movement_id, max(abs(e.value_change)) AS value FROM inventory_valueentry e
        WHERE e.tenant_id = %(tenant)s
            AND e.business_day BETWEEN %(first)s::date - 1 AND %(last)s::date + 1
        GROUP BY 1
    ), report AS (
        SELECT m.id AS movement_id, m.product_id, m.business_day, m.effective_at, m.reason,
            m.quantity, way.direction, g.base_unit,
            coalesce(v.value, CASE WHEN way.direction <> 0 THEN
                round(m.quantity * coalesce(m.unit_cost, g.unit_cost, 0), 6) END) AS value
        FROM inventory_stockmovement m JOIN goods g USING (product_id)
        LEFT JOIN places origin ON origin.location_id = m.from_location_id
        LEFT JOIN places goal ON goal.location_id = m.to_location_id
        LEFT JOIN valued v ON v.movement_id = m.id
        CROSS JOIN LATERAL (SELECT (goal.location_id IS NOT NULL)::int
            - (origin.location_id IS NOT NULL)::int AS direction) AS way
        WHERE m.tenant_id = %(tenant)s AND m.business_day BETWEEN %(first)s AND %(last)s
            AND (%(reason)s::int IS NULL OR m.reason = %(reason)s)
            AND (%(actor)s = '' OR m.actor_label ILIKE %(actor_contains)s)
            AND (goal.location_id IS NOT NULL OR origin.location_id IS NOT NULL)
    )"""

NAMES = """
    LEFT JOIN inventory_stockmovement m ON m.tenant_id = %(tenant)s AND m.id = page.movement_id
    LEFT JOIN goods g ON g.product_id = page.product_id
    LEFT JOIN inventory_location origin
        ON origin.tenant_id = %(tenant)s AND origin.id = m.from_location_id
    LEFT JOIN inventory_location goal ON goal.tenant_id = %(tenant)s AND goal.id = m.to_location_id
    LEFT JOIN inventory_warehouse site
        ON site.tenant_id = %(tenant)s AND site.id = CASE WHEN goal.kind = ANY(%(outside)s)
            THEN origin.warehouse_id ELSE goal.warehouse_id END
    LEFT JOIN inventory_lot lot ON lot.tenant_id = %(tenant)s AND lot.id = m.lot_id"""

PICTURE = """
    SELECT (%(first)s::date + b.step * %(step)s)::date AS day,
        coalesce(sum(r.quantity) FILTER (WHERE r.direction = 1), 0) AS quantity_in,
        coalesce(-sum(r.quantity) FILTER (WHERE r.direction = -1), 0) AS quantity_out,
        coalesce(sum(r.value) FILTER (WHERE r.direction = 1), 0) AS value_in,
        coalesce(-sum(r.value) FILTER (WHERE r.direction = -1), 0) AS value_out
    FROM generate_series(0, (%(days)s - 1) / %(step)s) AS b (step)
    LEFT JOIN report r ON (r.business_day - %(first)s::date) / %(step)s = b.step
    GROUP BY b.step ORDER BY b.step
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw what came in and went out: in units where all have the same one, else at cost."""
    unit = totals["unit"] if totals["units"] == 1 else ""
    measure = "quantity" if unit else "value"
    said = parts.nothing_to_see()
    if totals["listed_rows"]:
        busiest = max(points, key=lambda p: p[f"{measure}_in"] - p[f"{measure}_out"])
        said = _("Busiest: %(when)s.") % {"when": parts.span_from(busiest["day"], question.step)}
    return Picture(
        "bar",
        _("In and out") if unit else _("In and out at cost"),
        {
            "labels": [point["day"] for point in points],
            "series": [
                parts.series(points, f"{measure}_in", _("In"), "success"),
                parts.series(points, f"{measure}_out", _("Out"), "info"),
            ],
            "unit": unit or parts.currency(),
            "stacked": True,
        },
        said,
    )


def named(name: str, label: object, kind: Kind = Kind.TEXT) -> Column:
    """Return a column that only the rows shown have."""
    return Column(name, label, kind, is_optional=True, is_sortable=False)  # type: ignore[arg-type]


REPORT = Report(
    name="movements",
    title=gettext_lazy("Movements"),
    purpose=gettext_lazy("Everything that moved in a period, and how much came in and went out."),
    icon="movements",
    method=gettext_lazy(
        "Each line of the ledger whose business day lies in the period, newest first. In is what "
        "came into the warehouses chosen, out is what left them; moves within them are neither. "
        "The value is what the ledger put on or took off the stock; a move within a warehouse "
        "changes none."
    ),
    filters=("q", "warehouse", "category", "reason", "actor", "period"),
    default_days=28,
    columns=(
        named("sku", gettext_lazy("SKU"), Kind.CODE),
        named("name", gettext_lazy("Product")),
        Column("effective_at", gettext_lazy("When"), Kind.MOMENT),
        Column("business_day", gettext_lazy("Business day"), Kind.DAY, is_on_page=False),
        Column("reason", gettext_lazy("Reason"), Kind.CHOICE, choices=MovementReason),
        named("warehouse", gettext_lazy("Warehouse")),
        named("from_location", gettext_lazy("From"), Kind.CODE),
        named("to_location", gettext_lazy("To"), Kind.CODE),
        named("lot", gettext_lazy("Lot"), Kind.CODE),
        Column("quantity", gettext_lazy("Quantity"), Kind.QUANTITY),
        Column("base_unit", gettext_lazy("Unit"), Kind.CODE),
        Column("value", gettext_lazy("Value"), Kind.MONEY, is_optional=True),
        named("actor", gettext_lazy("By")),
        replace(named("note", gettext_lazy("Note")), is_on_page=False),
        Column("movement_id", gettext_lazy("Movement"), Kind.ID),
        parts.PRODUCT_ID,
    ),
    needs=(parts.GOODS, parts.PLACES),
    body=BODY,
    joins=NAMES,
    select="page.*, g.sku, g.name, site.name AS warehouse, origin.code AS from_location,"
    " goal.code AS to_location, lot.code AS lot, m.actor_label AS actor, m.note",
    key="movement_id DESC",
    order="effective_at DESC",
    totals={
        "value_in": "coalesce(sum(value) FILTER (WHERE direction = 1), 0)",
        "value_out": "coalesce(sum(value) FILTER (WHERE direction = -1), 0)",
        "products": "count(DISTINCT product_id)",
        "units": "count(DISTINCT base_unit)",
        "unit": "max(base_unit)",
    },
    figures=(
        Figure(gettext_lazy("Movements"), Kind.COUNT, total("listed_rows")),
        Figure(gettext_lazy("In"), Kind.MONEY, total("value_in")),
        Figure(gettext_lazy("Out"), Kind.MONEY, total("value_out")),
        Figure(gettext_lazy("Products"), Kind.COUNT, total("products")),
    ),
    picture=PICTURE,
    draw=draw,
)
