"""Inbound performance: whether suppliers deliver on time, in full, undamaged, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

# Order lines that were due, or have come: by the promised day, without one by the day the last of
# it came. Lines received before receipts were documents have none, and are left out.
BODY = """
    ordered AS (
        SELECT line.id AS line_id, o.supplier_id, line.product_id, o.warehouse_id, line.quantity,
            line.unit_price, line.promised_on, line.quantity_received, o.state, s.time_zone,
            s.today, (o.placed_at AT TIME ZONE s.time_zone)::date AS placed_on
        FROM inventory_purchaseorderline line
        JOIN inventory_purchaseorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        JOIN sites s ON s.warehouse_id = o.warehouse_id
        JOIN goods g ON g.product_id = line.product_id
        WHERE line.tenant_id = %(tenant)s AND o.placed_at IS NOT NULL AND o.state <> 'cancelled'
            AND (%(supplier)s::bigint IS NULL OR o.supplier_id = %(supplier)s)
    ), arrived AS (
        SELECT t.line_id, (r.completed_at AT TIME ZONE t.time_zone)::date AS day, rl.quantity,
            rl.damaged, sum(rl.quantity) OVER (
                PARTITION BY t.line_id ORDER BY r.completed_at, rl.id) AS so_far
        FROM ordered t
        JOIN inventory_receiptline rl
            ON rl.tenant_id = %(tenant)s AND rl.order_line_id = t.line_id
        JOIN inventory_receipt r ON r.tenant_id = rl.tenant_id AND r.id = rl.receipt_id
        WHERE r.state = 'completed' AND rl.reversed_at IS NULL AND rl.quantity > 0
    ), followed AS (
        SELECT t.line_id, t.supplier_id, t.product_id, t.quantity, t.unit_price, t.promised_on,
            t.placed_on, t.state, t.today, coalesce(sum(a.quantity), 0) AS received,
            coalesce(sum(a.damaged), 0) AS damaged,
            coalesce(sum(a.quantity) FILTER (WHERE a.day <= t.promised_on), 0) AS in_time,
            min(a.day) FILTER (WHERE a.so_far >= t.quantity) AS completed_on,
            coalesce(t.promised_on, max(a.day)) AS counted_on
        FROM ordered t LEFT JOIN arrived a USING (line_id)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, t.quantity_received
        HAVING t.quantity_received = 0 OR count(a.line_id) > 0
    ), judged AS (
        SELECT *, completed_on IS NOT NULL AS is_full,
            CASE WHEN promised_on IS NOT NULL THEN in_time >= quantity END AS is_on_time,
            received > quantity AS is_over, received < quantity AS is_short
        FROM followed
        WHERE counted_on BETWEEN %(first)s AND %(last)s
            AND (completed_on IS NOT NULL OR promised_on < today OR state = 'closed')
    ), report AS (
        SELECT CASE WHEN %(by)s = '' THEN j.supplier_id END AS supplier_id,
            CASE WHEN %(by)s = 'product' THEN j.product_id END AS product_id,
            max(CASE WHEN %(by)s = '' THEN u.name END) AS supplier,
            max(CASE WHEN %(by)s = 'product' THEN g.sku END) AS sku,
            max(CASE WHEN %(by)s = 'product' THEN g.name END) AS name,
            count(*) AS lines, sum(j.quantity * j.unit_price) AS ordered_value,
            count(j.is_on_time) AS promised_lines,
            count(*) FILTER (WHERE j.is_on_time) AS on_time_lines,
            count(*) FILTER (WHERE j.is_full) AS full_lines,
            (count(*) FILTER (WHERE j.is_on_time))::numeric / nullif(count(j.is_on_time), 0)
                AS on_time,
            (count(*) FILTER (WHERE j.is_full))::numeric / count(*) AS in_full,
            avg(j.promised_on - j.placed_on) AS promised_days,
            avg(j.completed_on - j.placed_on) AS measured_days,
            count(j.completed_on) AS completed_lines,
            (count(*) FILTER (WHERE j.is_over))::numeric / count(*) AS over_share,
            (count(*) FILTER (WHERE j.is_short))::numeric / count(*) AS short_share,
            sum(j.damaged * j.unit_price) AS damaged_value,
            sum(j.received * j.unit_price) AS received_value,
            sum(j.damaged * j.unit_price) / nullif(sum(j.received * j.unit_price), 0)
                AS damaged_share
        FROM judged j JOIN goods g ON g.product_id = j.product_id
        JOIN inventory_supplier u ON u.tenant_id = %(tenant)s AND u.id = j.supplier_id
        GROUP BY 1, 2
    )"""

PICTURE = """
    SELECT (%(first)s::date + b.step * %(step)s)::date AS day,
        count(*) FILTER (WHERE j.is_on_time) AS on_time,
        count(*) FILTER (WHERE NOT j.is_on_time) AS late,
        count(*) FILTER (WHERE j.line_id IS NOT NULL AND j.is_on_time IS NULL) AS unpromised
    FROM generate_series(0, (%(days)s - 1) / %(step)s) AS b (step)
    LEFT JOIN judged j ON (j.counted_on - %(first)s::date) / %(step)s = b.step
    GROUP BY b.step ORDER BY b.step
"""


def share_of(part: str, whole: str) -> Any:
    """Return how to work out a share of two totals."""
    return lambda totals: totals[part] / totals[whole] if totals[whole] else None


def lead_time_hint(totals: Row, question: Question) -> str:
    """Return what was promised, beside what was measured."""
    if totals["promised_days"] is None:
        return ""
    return _("promised: %(days)s") % {"days": f"{totals['promised_days']:.1f}"}


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw how many order lines came on time and late, by the day they were due."""
    said = parts.nothing_to_see()
    if totals["promised_lines"]:
        said = _("%(on_time)d of %(all)d promised order lines came on time and in full.") % {
            "on_time": totals["on_time_lines"],
            "all": totals["promised_lines"],
        }
    return Picture(
        "bar",
        _("Order lines by the day they were due"),
        {
            "labels": [point["day"] for point in points],
            "series": [
                parts.series(points, "on_time", _("On time"), "success"),
                parts.series(points, "late", _("Late or short"), "danger"),
                parts.series(points, "unpromised", _("Without a promise"), "neutral"),
            ],
            "unit": _("lines"),
            "stacked": True,
        },
        said,
    )


SUPPLIER = ("",)
PRODUCT = ("product",)
REPORT = Report(
    name="inbound",
    title=gettext_lazy("Inbound performance"),
    purpose=gettext_lazy("Whether suppliers deliver on time, in full, undamaged, and how fast."),
    icon="inbound",
    method=gettext_lazy(
        "Counted are lines of placed purchase orders that were due in the period, or came in it "
        "when no day was promised. On time is a line of which all had come by the promised day; in "
        "full one of which all has come by now. The lead time runs from placed to the receipt that "
        "completed the line. Over and short are shares of the lines; damaged is the share of the "
        "value received. Receipts that were taken back do not count."
    ),
    filters=("q", "supplier", "warehouse", "category", "by", "period"),
    by=(("", gettext_lazy("By supplier")), ("product", gettext_lazy("By product"))),
    columns=(
        Column("supplier", gettext_lazy("Supplier"), by=SUPPLIER, is_optional=True),
        Column("sku", gettext_lazy("SKU"), Kind.CODE, by=PRODUCT, is_optional=True),
        Column("name", gettext_lazy("Product"), by=PRODUCT, is_optional=True),
        Column("lines", gettext_lazy("Lines"), Kind.COUNT),
        Column("on_time", gettext_lazy("On time"), Kind.RATIO, is_optional=True),
        Column("in_full", gettext_lazy("In full"), Kind.RATIO),
        Column("promised_days", gettext_lazy("Promised"), Kind.DAYS, is_optional=True),
        Column("measured_days", gettext_lazy("Measured"), Kind.DAYS, is_optional=True),
        Column("over_share", gettext_lazy("Over"), Kind.RATIO),
        Column("short_share", gettext_lazy("Short"), Kind.RATIO),
        Column("damaged_share", gettext_lazy("Damaged"), Kind.RATIO, is_optional=True),
        Column("ordered_value", gettext_lazy("Ordered"), Kind.MONEY),
        Column("supplier_id", gettext_lazy("Supplier"), Kind.ID, is_optional=True),
        replace(parts.PRODUCT_ID, is_optional=True),
    ),
    needs=(parts.GOODS, parts.PLACES),
    body=BODY,
    key="supplier_id, product_id",
    order="on_time NULLS LAST, ordered_value DESC",
    totals={
        "lines": "coalesce(sum(lines), 0)",
        "promised_lines": "coalesce(sum(promised_lines), 0)",
        "on_time_lines": "coalesce(sum(on_time_lines), 0)",
        "full_lines": "coalesce(sum(full_lines), 0)",
        "completed_lines": "coalesce(sum(completed_lines), 0)",
        "measured": "coalesce(sum(measured_days * completed_lines), 0)",
        "promised_days": "sum(promised_days * promised_lines) / nullif(sum(promised_lines), 0)",
        "damaged_value": "coalesce(sum(damaged_value), 0)",
        "received_value": "coalesce(sum(received_value), 0)",
        "ordered_value": "coalesce(sum(ordered_value), 0)",
    },
    figures=(
        Figure(gettext_lazy("Order lines"), Kind.COUNT, total("lines")),
        Figure(
            gettext_lazy("On time and in full"),
            Kind.RATIO,
            share_of("on_time_lines", "promised_lines"),
        ),
        Figure(
            gettext_lazy("Lead time"),
            Kind.DAYS,
            share_of("measured", "completed_lines"),
            lead_time_hint,
        ),
        Figure(gettext_lazy("Damaged"), Kind.RATIO, share_of("damaged_value", "received_value")),
    ),
    picture=PICTURE,
    draw=draw,
)
