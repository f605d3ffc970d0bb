"""ABC/XYZ: products by what they stand for and by how steady their demand is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _, gettext_lazy

from inventory.queries.reports import parts
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Figure, Kind, Picture, Report, Row, total
from inventory.rules.abc_xyz import ABC_CLASSES, XYZ_CLASSES

WEEKS = 52


class AbcClass(TextChoices):
    A = "A", "A"
    B = "B", "B"
    C = "C", "C"


class XyzClass(TextChoices):
    X = "X", "X"
    Y = "Y", "Y"
    Z = "Z", "Z"


# The last 52 whole weeks, ending yesterday; a week without demand counts as zero.
BODY = """
    weekly AS (
        SELECT d.product_id, (%(today)s::date - 1 - d.business_day) / 7 AS week,
            sum(d.quantity) AS quantity
        FROM inventory_dailydemand d JOIN sites s USING (warehouse_id)
        WHERE d.tenant_id = %(tenant)s
            AND d.business_day BETWEEN %(today)s::date - 7 * %(weeks)s AND %(today)s::date - 1
        GROUP BY 1, 2
    ), asked AS (
        SELECT product_id, sum(quantity) AS demand, sum(quantity) / %(weeks)s AS weekly_demand,
            sqrt(greatest(sum(quantity * quantity) / %(weeks)s
                - (sum(quantity) / %(weeks)s) * (sum(quantity) / %(weeks)s), 0)) AS deviation
        FROM weekly GROUP BY 1 HAVING sum(quantity) > 0
    ), carried AS (
        SELECT w.product_id, sum(w.value) / sum(w.quantity) AS unit_value
        FROM worth w JOIN sites s USING (warehouse_id) WHERE w.quantity > 0 GROUP BY 1
    ), valued AS (
        SELECT g.product_id, g.sku, g.name, g.category, g.base_unit,
            coalesce(c.unit_value, g.unit_cost, 0) AS unit_value,
            coalesce(a.demand, 0) AS demand, coalesce(a.weekly_demand, 0) AS weekly_demand,
            a.deviation / a.weekly_demand AS variation,
            round(coalesce(a.demand, 0) * coalesce(c.unit_value, g.unit_cost, 0), 6)
                AS yearly_value
        FROM goods g LEFT JOIN asked a USING (product_id)
        LEFT JOIN carried c USING (product_id)
        WHERE (g.is_active OR a.demand > 0) AND EXISTS (SELECT FROM sites)
    ), ranked AS (
        SELECT *, sum(yearly_value) OVER (ORDER BY yearly_value DESC, product_id
            ROWS UNBOUNDED PRECEDING) AS value_so_far, sum(yearly_value) OVER () AS everything
        FROM valued
    ), report AS (
        SELECT product_id, sku, name, category, base_unit, unit_value, demand, weekly_demand,
            variation, yearly_value, yearly_value / nullif(everything, 0) AS share,
            value_so_far / nullif(everything, 0) AS cumulated_share,
            CASE WHEN yearly_value = 0 THEN 'C'
                WHEN 100 * (value_so_far - yearly_value) < %(a_to)s * everything THEN 'A'
                WHEN 100 * (value_so_far - yearly_value) < %(b_to)s * everything THEN 'B'
                ELSE 'C' END AS abc_class,
            CASE WHEN variation <= %(x_to)s THEN 'X' WHEN variation <= %(y_to)s THEN 'Y'
                ELSE 'Z' END AS xyz_class
        FROM ranked
    )"""

PICTURE = """
    SELECT abc_class, xyz_class, count(*) AS products, sum(yearly_value) AS value,
        sum(sum(yearly_value)) OVER () AS everything
    FROM report GROUP BY 1, 2
"""


def draw(points: Sequence[Row], totals: Row, question: Question) -> Picture:
    """Draw the yearly value of each class, split by how steady its demand is."""
    found = {(point["abc_class"], point["xyz_class"]): point for point in points}
    count = sum(point["products"] for point in points if point["abc_class"] == "A")
    everything = sum(point["products"] for point in points)
    said = parts.nothing_to_see()
    if totals["everything"]:
        said = _("%(count)d of %(all)d products make up the first %(cut)s%% of the value.") % {
            "count": count,
            "all": everything,
            "cut": f"{question.cuts.a.normalize():f}",
        }
    tones = dict(zip(XYZ_CLASSES, ("success", "warning", "danger"), strict=True))
    return Picture(
        "bar",
        _("Yearly value by class"),
        {
            "labels": list(ABC_CLASSES),
            "series": [
                {
                    "label": xyz,
                    "values": [found.get((abc, xyz), {}).get("value", 0) for abc in ABC_CLASSES],
                    "tone": tones[xyz],
                }
                for xyz in XYZ_CLASSES
            ],
            "unit": parts.currency(),
            "stacked": True,
        },
        said,
    )


def matrix(points: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the nine classes as three rows of three cells."""
    found = {(point["abc_class"], point["xyz_class"]): point for point in points}
    nothing: Row = {"products": 0, "value": 0, "everything": 0}

    def cell(abc: str, xyz: str) -> dict[str, Any]:
        point = found.get((abc, xyz), nothing)
        everything = point["everything"]
        share = point["value"] / everything if everything else None
        return {"abc": abc, "xyz": xyz, **point, "share": share}

    return [{"abc": abc, "cells": [cell(abc, xyz) for xyz in XYZ_CLASSES]} for abc in ABC_CLASSES]


REPORT = Report(
    name="abc-xyz",
    title=gettext_lazy("ABC/XYZ"),
    purpose=gettext_lazy("Products by what they stand for, and by how steady their demand is."),
    icon="compass",
    method=gettext_lazy(
        "The demand of the last 52 weeks, at what a unit in stock is worth, largest first: A is up "
        "to the first limit of the cumulated value (80%), B up to the second (95%), C the rest. "
        "The product that crosses a limit still belongs to the class before it. X, Y and Z follow "
        "the coefficient of variation of the weekly demand: its standard deviation over its mean, "
        "weeks without demand counted as zero; X up to 0.5, Y up to 1, Z above. Without demand it "
        "is C and Z."
    ),
    filters=("q", "warehouse", "category", "abc", "xyz", "a_to", "b_to", "x_to", "y_to"),
    columns=(
        parts.SKU,
        parts.NAME,
        parts.CATEGORY,
        Column("abc_class", gettext_lazy("ABC"), Kind.CHOICE, choices=AbcClass),
        Column("xyz_class", gettext_lazy("XYZ"), Kind.CHOICE, choices=XyzClass),
        Column("demand", gettext_lazy("Demand a year"), Kind.QUANTITY),
        Column("weekly_demand", gettext_lazy("Demand a week"), Kind.RATE),
        parts.UNIT,
        Column("variation", gettext_lazy("Variation"), Kind.NUMBER, is_optional=True),
        Column("yearly_value", gettext_lazy("Yearly value"), Kind.MONEY),
        Column("share", gettext_lazy("Share"), Kind.RATIO, is_optional=True),
        Column("cumulated_share", gettext_lazy("Cumulated"), Kind.RATIO, is_optional=True),
        parts.PRODUCT_ID,
    ),
    needs=(parts.GOODS, parts.PLACES, parts.WORTH),
    body=BODY,
    constants={"weeks": WEEKS},
    where="(%(abc)s = '' OR abc_class = %(abc)s) AND (%(xyz)s = '' OR xyz_class = %(xyz)s)",
    key="product_id",
    order="yearly_value DESC",
    totals={
        "products": "count(*)",
        "yearly_value": "coalesce(sum(yearly_value), 0)",
        "everything": "(SELECT coalesce(sum(yearly_value), 0) FROM report)",
        "without_demand": "count(*) FILTER (WHERE demand = 0)",
        "without_cost": "count(*) FILTER (WHERE unit_value = 0)",
    },
    figures=(
        Figure(gettext_lazy("Products"), Kind.COUNT, total("products")),
        Figure(gettext_lazy("Yearly value"), Kind.MONEY, total("yearly_value")),
        Figure(
            gettext_lazy("Share of all value"),
            Kind.RATIO,
            lambda t: t["yearly_value"] / t["everything"] if t["everything"] else None,
        ),
        Figure(gettext_lazy("Without demand"), Kind.COUNT, total("without_demand")),
    ),
    picture=PICTURE,
    draw=draw,
    matrix=matrix,
    notices=parts.without_cost,
)
