"""ABC by cumulated yearly value, XYZ by variation of the weekly demand: by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from inventory.models import Product
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask, business_today
from inventory.queries.reports.running import ReportPage, report_page
from inventory.services.demand import DemandLine, record_demand
from tenancy.errors import Invalid
from tests.inventory.book import Site, make_product


def report(**values: Any) -> ReportPage:
    return report_page(REPORTS["abc-xyz"], ask(values, default_days=91))


def sell(site: Site, sku: str, weeks: Sequence[int], cost: str = "1") -> Product:
    """Record demand of the last weeks (the latest last) of a new product."""
    product = make_product(sku, unit_cost=Decimal(cost))
    yesterday = business_today() - dt.timedelta(days=1)
    lines = [
        DemandLine(
            product.pk,
            site.warehouse.pk,
            yesterday - dt.timedelta(weeks=back),
            Decimal(quantity),
        )
        for back, quantity in enumerate(reversed(weeks))
        if quantity
    ]
    record_demand(lines=lines)
    return product


def classes(**values: Any) -> dict[str, str]:
    return {row["sku"]: row["abc_class"] + row["xyz_class"] for row in report(**values).rows}


def test_a_reaches_to_the_product_that_crosses_four_fifths(site: Site) -> None:
    """Values 60, 25, 10, 3, 2: cumulated before each 0, 60, 85, 95, 98 percent of 100."""
    for sku, value in (("P60", 60), ("P25", 25), ("P10", 10), ("P3", 3), ("P2", 2)):
        sell(site, sku, [value])
    found = {row["sku"]: row["abc_class"] for row in report().rows}
    assert found == {"P60": "A", "P25": "A", "P10": "B", "P3": "C", "P2": "C"}
    shares = {row["sku"]: row["cumulated_share"] for row in report().rows}
    assert shares["P25"] == Decimal("0.85")
    assert shares["P2"] == 1


def test_the_limits_can_be_moved(site: Site) -> None:
    for sku, value in (("P60", 60), ("P25", 25), ("P10", 10), ("P5", 5)):
        sell(site, sku, [value])
    found = {r["sku"]: r["abc_class"] for r in report(a_to=Decimal(50), b_to=Decimal(86)).rows}
    assert found == {"P60": "A", "P25": "B", "P10": "B", "P5": "C"}


@pytest.mark.parametrize(
    "limits",
    [{"a_to": Decimal(96)}, {"a_to": Decimal(0)}, {"b_to": Decimal(100)}, {"x_to": Decimal(2)}],
)
def test_limits_out_of_order_are_refused(site: Site, limits: dict[str, Decimal]) -> None:
    with pytest.raises(Invalid) as refused:
        report(**limits)
    assert [problem.code for problem in refused.value.problems] == ["out_of_order"]


def test_the_value_is_quantity_times_cost_not_quantity(site: Site) -> None:
    sell(site, "MANY", [1000], cost="0.01")
    sell(site, "DEAR", [9], cost="10")
    found = report()
    assert [row["sku"] for row in found.rows] == ["DEAR", "MANY"]
    assert found.totals["yearly_value"] == 90 + 10


def test_steady_varying_and_erratic_demand(site: Site) -> None:
    """Over 52 weeks; the coefficient of variation is the deviation over the mean.

    ten every week: 0. Fifteen and five by turns: 5 / 10 = 0.5, still X. Twenty and nothing by
    turns: 10 / 10 = 1, still Y. All 520 in one week: sqrt(52 - 1) = 7.1, Z.
    """
    sell(site, "STEADY", [10] * 52)
    sell(site, "WAVES", [15, 5] * 26)
    sell(site, "TURNS", [20, 0] * 26)
    sell(site, "ONCE", [0] * 51 + [520])
    rows = {row["sku"]: row for row in report().rows}
    assert {sku: row["xyz_class"] for sku, row in rows.items()} == {
        "STEADY": "X",
        "WAVES": "X",
        "TURNS": "Y",
        "ONCE": "Z",
    }
    assert rows["WAVES"]["variation"] == Decimal("0.5")
    assert abs(Fraction(rows["ONCE"]["variation"]) ** 2 - 51) < Fraction(1, 10**6)


def test_a_product_without_demand_is_c_and_z_and_an_inactive_one_is_left_out(site: Site) -> None:
    make_product("ASLEEP", unit_cost=Decimal(1))
    make_product("GONE", unit_cost=Decimal(1), is_active=False)
    sell(site, "SOLD", [5])
    assert classes() == {"SOLD": "AZ", "ASLEEP": "CZ"}
    assert report().totals["without_demand"] == 1


def test_the_nine_cells_count_every_product_whatever_cell_is_listed(site: Site) -> None:
    sell(site, "STEADY", [10] * 52)
    sell(site, "ONCE", [0] * 51 + [5])
    found = report(abc="A", xyz="X")
    assert [row["sku"] for row in found.rows] == ["STEADY"]
    cells = {
        (cell["abc"], cell["xyz"]): (cell["products"], cell["value"])
        for row in REPORTS["abc-xyz"].matrix(found.points)  # type: ignore[misc]
        for cell in row["cells"]
    }
    assert len(cells) == 9
    assert cells["A", "X"] == (1, 520)
    # before it stand 520 of 525, more than the 95 percent of B
    assert cells["C", "Z"] == (1, 5)
    assert sum(count for count, _value in cells.values()) == 2


def test_demand_older_than_52_weeks_does_not_count(site: Site) -> None:
    product = make_product("OLD", unit_cost=Decimal(1))
    today = business_today()
    days = [today - dt.timedelta(days=365), today - dt.timedelta(days=364), today]
    record_demand(
        lines=[DemandLine(product.pk, site.warehouse.pk, day, Decimal(10**n))
               for n, day in enumerate(days)]
    )  # fmt: skip
    [row] = report().rows
    assert row["demand"] == 10  # the first of the 364 days; neither the day before nor today
