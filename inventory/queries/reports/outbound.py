"""Outbound performance: whether orders leave on time and complete, how fast; how picking goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total
from inventory.queries.reports.inbound import share_of

# Orders by the promised day, without one by the day the last of it left. An hour of picking is an
# hour of the clock in which a person picked at all.
BODY = """
    confirmed AS (
        SELECT o.id AS order_id, o.warehouse_id, o.channel_id, o.customer_id, o.promised_on,
            o.state, o.confirmed_at, s.time_zone, s.today
        FROM inventory_salesorder o JOIN sites s USING (warehouse_id)
        WHERE o.tenant_id = %(tenant)s AND o.confirmed_at IS NOT NULL AND o.state <> 'cancelled'
    ), filled AS (
        SELECT line.order_id, count(*) AS lines,
            count(*) FILTER (WHERE line.quantity_shipped >= line.quantity) AS filled_lines
        FROM inventory_salesorderline line JOIN confirmed c USING (order_id)
        WHERE line.tenant_id = %(tenant)s AND line.quantity > 0 GROUP BY 1
    ), sent AS (
        SELECT p.sales_order_id AS order_id, max(p.shipped_at) AS left_at
        FROM inventory_shipment p JOIN confirmed c ON c.order_id = p.sales_order_id
        WHERE p.tenant_id = %(tenant)s GROUP BY 1
    ), followed AS (
        SELECT c.order_id, c.warehouse_id, c.channel_id, c.customer_id, c.promised_on, c.state,
            c.today, f.lines, f.filled_lines, c.confirmed_at,
            CASE WHEN f.filled_lines = f.lines THEN t.left_at END AS shipped_at,
            (CASE WHEN f.filled_lines = f.lines THEN t.left_at END
                AT TIME ZONE c.time_zone)::date AS shipped_on,
            coalesce(c.promised_on, (t.left_at AT TIME ZONE c.time_zone)::date) AS counted_on
        FROM confirmed c JOIN filled f USING (order_id) LEFT JOIN sent t USING (order_id)
    ), judged AS (
        SELECT *, CASE WHEN promised_on IS NOT NULL THEN
                coalesce(shipped_on <= promised_on, false) END AS is_on_time,
            extract(epoch FROM shipped_at - confirmed_at) / 3600 AS hours
        FROM followed
        WHERE counted_on BETWEEN %(first)s AND %(last)s
            AND (shipped_at IS NOT NULL OR promised_on < today OR state = 'closed')
    ), picks AS (
        SELECT v.warehouse_id, o.channel_id, o.customer_id, k.picked_by_label AS person,
            k.state = 'short' AS is_short, date_trunc('hour', k.picked_at) AS hour
        FROM inventory_picktask k
        JOIN inventory_wave v ON v.tenant_id = k.tenant_id AND v.id = k.wave_id
        JOIN sites s ON s.warehouse_id = v.warehouse_id
        LEFT JOIN inventory_salesorder o ON o.tenant_id = k.tenant_id AND o.id = k.sales_order_id
        WHERE k.tenant_id = %(tenant)s AND k.state IN ('picked', 'short')
            AND (k.picked_at AT TIME ZONE s.time_zone)::date BETWEEN %(first)s AND %(last)s
    ), facts AS (
        SELECT warehouse_id, channel_id, customer_id, NULL AS person, 1 AS orders,
            (is_on_time IS NOT NULL)::int AS promised_orders, is_on_time::int AS on_time_orders,
            (shipped_at IS NOT NULL)::int AS shipped_orders, lines, filled_lines, hours,
            0 AS picks, 0 AS short_picks, NULL::timestamptz AS hour
        FROM judged WHERE %(by)s <> 'person'
        UNION ALL
        SELECT warehouse_id, channel_id, customer_id, person, 0, 0, 0, 0, 0, 0, NULL, 1,
            is_short::int, hour
        FROM picks
    ), grouped AS (
        SELECT CASE WHEN %(by)s = '' THEN warehouse_id END AS warehouse_id,
            CASE WHEN %(by)s = 'channel' THEN coalesce(channel_id, 0) END AS channel_id,
            CASE WHEN %(by)s = 'customer' THEN coalesce(customer_id, 0) END AS customer_id,
            CASE WHEN %(by)s = 'person' THEN person END AS person,
            sum(orders) AS orders, sum(promised_orders) AS promised_orders,
            coalesce(sum(on_time_orders), 0) AS on_time_orders,
            sum(shipped_orders) AS shipped_orders, sum(lines) AS lines,
            sum(filled_lines) AS filled_lines, sum(hours) AS hours, sum(picks) AS picks,
            sum(short_picks) AS short_picks, count(DISTINCT (person, hour)) FILTER (
                WHERE hour IS NOT NULL) AS picking_hours
        FROM facts GROUP BY 1, 2, 3, 4
    ), report AS (
        SELECT r.warehouse_id, nullif(r.channel_id, 0) AS channel_id,
            nullif(r.customer_id, 0) AS customer_id, r.person, s.warehouse, c.name AS channel,
            u.name AS customer, r.orders, r.promised_orders, r.on_time_orders, r.shipped_orders,
            r.lines, r.filled_lines, r.hours, r.picks, r.short_picks, r.picking_hours,
            r.on_time_orders::numeric / nullif(r.promised_orders, 0) AS on_time,
            r.filled_lines::numeric / nullif(r.lines, 0) AS line_fill_rate,
            r.hours / nullif(r.shipped_orders, 0) AS cycle_hours,
            r.picks::numeric / nullif(r.picking_hours, 0) AS picks_per_hour,
            r.short_picks::numeric / nullif(r.picks, 0) AS short_share
        FROM grouped r LEFT JOIN sites s USING (warehouse_id)
        LEFT JOIN inventory_channel c ON c.tenant_id = %(tenant)s AND c.id = r.channel_id
        LEFT JOIN inventory_customer u ON u.tenant_id = %(tenant)s AND u.id = r.customer_id
    )"""

PICTURE = """
    SELECT (%(first)s::date + b.step * %(step)s)::date AS day,
        count(*) FILTER (WHERE j.is_on_time) AS on_time,
        count(*) FILTER (WHERE NOT j.is_on_time) AS late,
        count(*) FILTER (WHERE j.order_id IS NOT NULL AND j.is_on_time IS NULL) AS unpromised
    FROM generate_series(0, (%(days)s - 1) / %(step)s) AS b (step)
    LEFT JOIN judged j ON (j.counted_on - %(first)s::date) / %(step)s = b.step
    GROUP BY b.step ORDER BY b.step
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw how many orders left on time and late, by the day they were due."""
    promised = sum(point["on_time"] + point["late"] for point in points)
    said = parts.nothing_to_see()
    if promised:
        said = _("%(on_time)d of %(all)d promised orders left complete by the promised day.") % {
            "on_time": sum(point["on_time"] for point in points),
            "all": promised,
        }
    return Picture(
        "bar",
        _("Orders by the day they were due"),
        {
            "labels": [point["day"] for point in points],
            "series": [
                parts.series(points, "on_time", _("On time"), "success"),
                parts.series(points, "late", _("Late or not complete"), "danger"),
                parts.series(points, "unpromised", _("Without a promise"), "neutral"),
            ],
            "unit": _("orders"),
            "stacked": True,
        },
        said,
    )


ORDERS = ("", "channel", "customer")
REPORT = Report(
    name="outbound",
    title=gettext_lazy("Outbound performance"),
    purpose=gettext_lazy(
        "Whether orders leave on time and complete, how fast, and how picking goes."
    ),
    icon="outbound",
    method=gettext_lazy(
        "Counted are confirmed orders that were due in the period, or left in it when no day was "
        "promised; cancelled ones are not. On time is an order that had left complete by the "
        "promised day. The line fill rate is the share of order lines that were shipped in full; "
        "lines given up by an amendment are left out. The cycle runs from confirmed to the "
        "shipment that completed the order. Picks an hour are over the hours of the clock in which "
        "a person picked."
    ),
    filters=("warehouse", "by", "period"),
    default_days=28,
    by=(
        ("", gettext_lazy("By warehouse")),
        ("channel", gettext_lazy("By channel")),
        ("customer", gettext_lazy("By customer")),
        ("person", gettext_lazy("By person")),
    ),
    columns=(
        Column("warehouse", gettext_lazy("Warehouse"), by=("",), is_optional=True),
        Column("channel", gettext_lazy("Channel"), by=("channel",), is_optional=True),
        Column("customer", gettext_lazy("Customer"), by=("customer",), is_optional=True),
        Column("person", gettext_lazy("Person"), by=("person",), is_optional=True),
        Column("orders", gettext_lazy("Orders"), Kind.COUNT, by=ORDERS),
        Column("on_time", gettext_lazy("On time"), Kind.RATIO, by=ORDERS, is_optional=True),
        Column("lines", gettext_lazy("Lines"), Kind.COUNT, by=ORDERS),
        Column(
            "line_fill_rate",
            gettext_lazy("Line fill rate"),
            Kind.RATIO,
            by=ORDERS,
            is_optional=True,
        ),
        Column("cycle_hours", gettext_lazy("Cycle"), Kind.HOURS, by=ORDERS, is_optional=True),
        Column("picks", gettext_lazy("Picks"), Kind.COUNT),
        Column("picks_per_hour", gettext_lazy("Picks an hour"), Kind.NUMBER, is_optional=True),
        Column("short_share", gettext_lazy("Short picks"), Kind.RATIO, is_optional=True),
        replace(parts.WAREHOUSE_ID, is_optional=True),
        Column("channel_id", gettext_lazy("Channel"), Kind.ID, is_optional=True),
        Column("customer_id", gettext_lazy("Customer"), Kind.ID, is_optional=True),
    ),
    needs=(parts.PLACES,),
    body=BODY,
    key="warehouse_id, channel_id, customer_id, person",
    order="on_time NULLS LAST, orders DESC, picks DESC",
    # of all orders and picks: by person, the rows know nothing of orders
    totals={
        "promised_orders": "(SELECT count(is_on_time) FROM judged)",
        "on_time_orders": "(SELECT count(*) FILTER (WHERE is_on_time) FROM judged)",
        "shipped_orders": "(SELECT count(shipped_at) FROM judged)",
        "lines": "(SELECT coalesce(sum(lines), 0) FROM judged)",
        "filled_lines": "(SELECT coalesce(sum(filled_lines), 0) FROM judged)",
        "hours": "(SELECT coalesce(sum(hours), 0) FROM judged)",
        "picks": "(SELECT count(*) FROM picks)",
        "short_picks": "(SELECT count(*) FILTER (WHERE is_short) FROM picks)",
    },
    figures=(
        Figure(gettext_lazy("On time"), Kind.RATIO, share_of("on_time_orders", "promised_orders")),
        Figure(gettext_lazy("Line fill rate"), Kind.RATIO, share_of("filled_lines", "lines")),
        Figure(gettext_lazy("Order cycle"), Kind.HOURS, share_of("hours", "shipped_orders")),
        Figure(gettext_lazy("Picks"), Kind.COUNT, total("picks")),
        Figure(gettext_lazy("Short picks"), Kind.RATIO, share_of("short_picks", "picks")),
    ),
    picture=PICTURE,
    draw=draw,
)
