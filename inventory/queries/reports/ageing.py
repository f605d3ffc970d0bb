"""Ageing: how long the stock has lain there, assuming that what came first left first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import (
    Column,
    Figure,
    Kind,
    Picture,
    Report,
    Row,
    Text,
    total,
)
from inventory.rules.ageing import AGE_BANDS, BAND_NAMES

LABELS = {
    "d0_30": gettext_lazy("0\u201330 days"),
    "d31_60": gettext_lazy("31\u201360 days"),
    "d61_90": gettext_lazy("61\u201390 days"),
    "d91_180": gettext_lazy("91\u2013180 days"),
    "d181_365": gettext_lazy("181\u2013365 days"),
    "d366": gettext_lazy("over 365 days"),
}

# What came in last is what is still there: arrivals are taken newest first until they make up the
# stock. Found and counted goods are no arrivals (they were there), nor is what was taken back.
BODY = """
    stock AS (
        SELECT h.product_id, p.warehouse_id, sum(h.quantity) AS on_hand
        FROM here h JOIN places p USING (location_id) JOIN goods g USING (product_id)
        GROUP BY 1, 2 HAVING sum(h.quantity) > 0
    ), arrivals AS (
        SELECT m.product_id, goal.warehouse_id, m.business_day, sum(m.quantity) AS quantity
        FROM inventory_stockmovement m
        JOIN places goal ON goal.location_id = m.to_location_id
        LEFT JOIN places origin ON origin.location_id = m.from_location_id
        JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = m.from_location_id
        WHERE m.tenant_id = %(tenant)s AND l.kind <> 'loss'
            AND origin.warehouse_id IS DISTINCT FROM goal.warehouse_id
            AND (%(on)s::date IS NULL OR m.business_day <= %(on)s) AND m.reverses_id IS NULL
            AND m.id NOT IN (
                SELECT r.reverses_id FROM inventory_stockmovement r
                WHERE r.tenant_id = %(tenant)s AND r.reverses_id IS NOT NULL
                    AND (%(on)s::date IS NULL OR r.business_day <= %(on)s))
        GROUP BY 1, 2, 3
    ), layers AS (
        SELECT product_id, warehouse_id, coalesce(%(on)s::date, s.today) - a.business_day AS age,
            least(a.quantity, t.on_hand - (sum(a.quantity) OVER newest - a.quantity)) AS lying
        FROM stock t JOIN arrivals a USING (product_id, warehouse_id)
        JOIN sites s USING (warehouse_id)
        WINDOW newest AS (PARTITION BY product_id, warehouse_id ORDER BY a.business_day DESC)
    ), aged AS (
        SELECT product_id, warehouse_id, greatest(age, 0) AS age, lying
        FROM layers WHERE lying > 0
        UNION ALL
        SELECT t.product_id, t.warehouse_id, NULL, t.on_hand - coalesce(sum(y.lying), 0)
        FROM stock t
        LEFT JOIN layers y ON y.product_id = t.product_id AND y.warehouse_id = t.warehouse_id
            AND y.lying > 0
        GROUP BY t.product_id, t.warehouse_id, t.on_hand
        HAVING t.on_hand > coalesce(sum(y.lying), 0)
    ), banded AS (
        SELECT product_id, warehouse_id, sum(lying) AS on_hand,
            sum(lying) FILTER (WHERE age IS NULL) AS unknown,
            sum(lying * age) / nullif(sum(lying) FILTER (WHERE age IS NOT NULL), 0)
                AS mean_age_days, max(age) AS oldest_days,
            coalesce(sum(lying) FILTER (WHERE band = 0), 0) AS d0_30,
            coalesce(sum(lying) FILTER (WHERE band = 1), 0) AS d31_60,
            coalesce(sum(lying) FILTER (WHERE band = 2), 0) AS d61_90,
            coalesce(sum(lying) FILTER (WHERE band = 3), 0) AS d91_180,
            coalesce(sum(lying) FILTER (WHERE band = 4), 0) AS d181_365,
            coalesce(sum(lying) FILTER (WHERE band = 5), 0) AS d366
        FROM (SELECT *, coalesce(width_bucket(age, %(band_starts)s::int[]), 5) AS band
            FROM aged) AS a
        GROUP BY 1, 2
    ), report AS (
        SELECT g.product_id, g.sku, g.name, g.category, g.base_unit, u.unit_value,
            s.warehouse_id, s.warehouse, b.on_hand, b.mean_age_days, b.oldest_days,
            round(b.on_hand * u.unit_value, 6) AS value,
            round(coalesce(b.unknown, 0) * u.unit_value, 6) AS unknown_value,
            b.d0_30, b.d31_60, b.d61_90, b.d91_180, b.d181_365, b.d366,
            round(b.d0_30 * u.unit_value, 6) AS v_d0_30,
            round(b.d31_60 * u.unit_value, 6) AS v_d31_60,
            round(b.d61_90 * u.unit_value, 6) AS v_d61_90,
            round(b.d91_180 * u.unit_value, 6) AS v_d91_180,
            round(b.d181_365 * u.unit_value, 6) AS v_d181_365,
            round(b.d366 * u.unit_value, 6) AS v_d366
        FROM banded b JOIN goods g USING (product_id) JOIN sites s USING (warehouse_id)
        LEFT JOIN worth w USING (product_id, warehouse_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(w.value / nullif(greatest(w.quantity, 0), 0), g.unit_cost, 0)
                AS unit_value) AS u
    )"""

PICTURE = """
    SELECT coalesce(sum(v_d0_30), 0) AS d0_30, coalesce(sum(v_d31_60), 0) AS d31_60,
        coalesce(sum(v_d61_90), 0) AS d61_90, coalesce(sum(v_d91_180), 0) AS d91_180,
        coalesce(sum(v_d181_365), 0) AS d181_365, coalesce(sum(v_d366), 0) AS d366
    FROM report
"""


def old_share(totals: Row) -> object:
    """Return which share of the value has lain for more than half a year."""
    return totals["old_value"] / totals["value"] if totals["value"] > 0 else None


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw the value of the stock by its age."""
    values = points[0]
    share = old_share(totals)
    said = parts.nothing_to_see()
    if share is not None:
        said = _("%(share)d%% of the value has lain for more than 180 days.") % {
            "share": round(share * 100)  # type: ignore[operator]
        }
    return Picture(
        "bar",
        _("Value by age"),
        {
            "labels": [str(LABELS[name]) for name in BAND_NAMES],
            "series": [
                {"label": _("Value"), "values": [values[name] for name in BAND_NAMES]},
            ],
            "unit": parts.currency(),
        },
        said,
    )


def notices(totals: Row, question: Question) -> list[Text]:
    """Say what has no known arrival, and what has no cost."""
    said: list[Text] = []
    if totals["unknown_value"]:
        said.append(
            _("Stock worth %(value)s %(currency)s has no recorded arrival; it counts as oldest.")
            % {"value": round(totals["unknown_value"]), "currency": parts.currency()}
        )
    return [*said, *parts.without_cost(totals, question)]


REPORT = Report(
    name="ageing",
    title=gettext_lazy("Ageing"),
    purpose=gettext_lazy("How long the stock has lain there, in quantity and value."),
    icon="history",
    method=gettext_lazy(
        "What came first is taken to have left first. So the stock is what came in last: arrivals "
        "in the warehouse are counted back from the newest until they make up the stock. Goods "
        "found or counted are no arrivals, and what was reversed never came."
    ),
    filters=("q", "warehouse", "category", "by", "on"),
    by=(("", gettext_lazy("In value")), ("quantity", gettext_lazy("In quantity"))),
    columns=(
        parts.SKU,
        parts.NAME,
        replace(parts.CATEGORY, is_on_page=False),
        parts.WAREHOUSE,
        Column("on_hand", gettext_lazy("On hand"), Kind.QUANTITY),
        parts.UNIT,
        Column("mean_age_days", gettext_lazy("Mean age"), Kind.DAYS, is_optional=True),
        Column(
            "oldest_days", gettext_lazy("Oldest"), Kind.DAYS, is_optional=True, is_on_page=False
        ),
        *(Column(n, LABELS[n], Kind.QUANTITY, by=("quantity",)) for n in BAND_NAMES),
        *(Column(f"v_{n}", LABELS[n], Kind.MONEY, by=("",)) for n in BAND_NAMES),
        Column("value", gettext_lazy("Value"), Kind.MONEY),
        parts.PRODUCT_ID,
        parts.WAREHOUSE_ID,
    ),
    needs=(parts.GOODS, parts.PLACES, parts.HERE, parts.WORTH),
    body=BODY,
    constants={"band_starts": [start for _name, start in AGE_BANDS[1:]]},
    key="product_id, warehouse_id",
    order="v_d366 DESC, v_d181_365 DESC, v_d91_180 DESC, value DESC",
    totals={
        "value": "coalesce(sum(value), 0)",
        "old_value": "coalesce(sum(v_d181_365 + v_d366), 0)",
        "unknown_value": "coalesce(sum(unknown_value), 0)",
        "value_days": "coalesce(sum(value * mean_age_days), 0)",
        "aged_value": "coalesce(sum(value) FILTER (WHERE mean_age_days IS NOT NULL), 0)",
        "without_cost": "count(DISTINCT product_id) FILTER (WHERE unit_value = 0)",
        **{f"v_{n}": f"coalesce(sum(v_{n}), 0)" for n in BAND_NAMES},
    },
    figures=(
        parts.VALUE_FIGURE,
        Figure(
            gettext_lazy("Mean age"),
            Kind.DAYS,
            lambda totals: totals["value_days"] / (totals["aged_value"] or 1),
            lambda _totals, _question: gettext_lazy("weighted by value"),
        ),
        Figure(gettext_lazy("Over 180 days"), Kind.MONEY, total("old_value")),
        Figure(gettext_lazy("Share over 180 days"), Kind.RATIO, old_share),
    ),
    picture=PICTURE,
    draw=draw,
    notices=notices,
)
