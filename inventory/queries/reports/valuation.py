"""Valuation: what the stock is worth, by product and warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import ValuationMethod
from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total

BODY = """
    report AS (
        SELECT g.product_id, g.sku, g.name, g.category, g.base_unit, s.warehouse_id, s.warehouse,
            w.quantity AS on_hand, w.value / nullif(w.quantity, 0) AS unit_value, w.value,
            w.value / nullif(sum(w.value) OVER (), 0) AS share, w.method
        FROM worth w JOIN goods g USING (product_id) JOIN sites s USING (warehouse_id)
        WHERE w.quantity <> 0 OR w.value <> 0
    )"""

PICTURE = """
    SELECT label, sum(value) AS value FROM (
        SELECT CASE WHEN rank() OVER (ORDER BY sum(value) DESC, category) > 10 THEN ''
            ELSE coalesce(nullif(category, ''), '-') END AS label, sum(value) AS value
        FROM report GROUP BY category
    ) AS c GROUP BY label ORDER BY label = '', sum(value) DESC
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw the value of the ten categories that hold most of it, and of the rest."""
    words = {"": _("All others"), "-": _("No category")}
    said = parts.nothing_to_see()
    if totals["value"]:
        share = round(points[0]["value"] * 100 / totals["value"])
        said = _("%(category)s holds %(share)d%% of the value.") % {
            "category": words.get(points[0]["label"], points[0]["label"]),
            "share": share,
        }
    return Picture(
        "bar",
        _("Value by category"),
        {
            "labels": [words.get(point["label"], point["label"]) for point in points],
            "series": [parts.series(points, "value", _("Value"))],
            "unit": parts.currency(),
            "horizontal": True,
        },
        said,
    )


REPORT = Report(
    name="valuation",
    title=gettext_lazy("Valuation"),
    purpose=gettext_lazy("What the stock is worth, now or at the end of a past day."),
    icon="tag",
    method=gettext_lazy(
        "Everything inside the warehouses counts, goods in transit, damaged or in quarantine as "
        "well, at the value the ledger carries it with: by moving average or first in, first out. "
        "For a past day what changed it since is taken back, by the day on which it happened."
    ),
    filters=("q", "warehouse", "category", "on"),
    columns=(
        parts.SKU,
        parts.NAME,
        parts.CATEGORY,
        parts.WAREHOUSE,
        Column("on_hand", gettext_lazy("Quantity"), Kind.QUANTITY),
        parts.UNIT,
        Column("unit_value", gettext_lazy("Value a unit"), Kind.MONEY, is_optional=True),
        Column("value", gettext_lazy("Value"), Kind.MONEY),
        Column(
            "method",
            gettext_lazy("Method"),
            Kind.CHOICE,
            choices=ValuationMethod,
            is_optional=True,
        ),
        Column("share", gettext_lazy("Share"), Kind.RATIO, is_optional=True),
        parts.PRODUCT_ID,
        parts.WAREHOUSE_ID,
    ),
    needs=(parts.GOODS, parts.PLACES, parts.WORTH),
    body=BODY,
    key="product_id, warehouse_id",
    order="value DESC",
    totals={
        "products": "count(DISTINCT product_id)",
        "value": "coalesce(sum(value), 0)",
        "largest": "max(value)",
        "without_cost": "count(DISTINCT product_id) FILTER (WHERE value = 0)",
    },
    figures=(
        parts.VALUE_FIGURE,
        Figure(gettext_lazy("Products"), Kind.COUNT, total("products")),
        Figure(gettext_lazy("Largest item"), Kind.MONEY, total("largest")),
    ),
    picture=PICTURE,
    draw=draw,
    notices=parts.without_cost,
)
