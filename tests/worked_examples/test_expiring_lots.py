"""What of a lot will not sell before it expires, with the arithmetic written out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import LotStatus, LotTracking, Product
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask, business_today
from inventory.queries.reports.running import ReportPage, report_page
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import post_movements
from tests.inventory.book import Site, make_lot, make_product


def report(**values: Any) -> ReportPage:
    return report_page(REPORTS["expiry"], ask(values, default_days=91))


def unsold(**values: Any) -> dict[str, Decimal]:
    return {row["lot"]: row["unsold"] for row in report(**values).rows}


@pytest.fixture
def milk(site: Site) -> Product:
    """Milk at 3.00 that sells two a day: 182 in the last 91 days."""
    product = make_product("MILK", unit_cost=Decimal(3), lot_tracking=LotTracking.LOT)
    yesterday = business_today() - dt.timedelta(days=1)
    record_demand(lines=[DemandLine(product.pk, site.warehouse.pk, yesterday, Decimal(182))])
    return product


def lay(site: Site, milk: Product, code: str, quantity: int, days: int, **more: Any) -> None:
    """Put a lot with so many days left into storage."""
    expires_on = business_today() + dt.timedelta(days=days)
    lot = make_lot(milk, code, expires_on=expires_on)
    site.receive(milk, quantity, lot_id=lot.pk)
    for name, value in more.items():
        setattr(lot, name, value)
    lot.save()


def test_a_lot_that_sells_in_time_is_at_no_risk(site: Site, milk: Product) -> None:
    lay(site, milk, "A", 20, days=10)
    assert unsold() == {"A": 0}


def test_what_two_a_day_cannot_sell_in_ten_days_is_left_over(site: Site, milk: Product) -> None:
    lay(site, milk, "A", 26, days=10)
    found = report()
    [row] = found.rows
    assert (row["daily_demand"], row["days_left"]) == (2, 10)
    assert (row["unsold"], row["value_at_risk"]) == (26 - 2 * 10, 18)
    assert (found.totals["value"], found.totals["value_at_risk"]) == (78, 18)


def test_the_second_lot_sells_only_what_the_first_left_of_the_demand(
    site: Site, milk: Product
) -> None:
    """A takes 20 of the 40 that 20 days ask for, so B of 30 sells 20 and keeps 10."""
    lay(site, milk, "A", 20, days=10)
    lay(site, milk, "B", 30, days=20)
    assert unsold() == {"A": 0, "B": 10}


def test_demand_that_an_expired_lot_could_not_serve_goes_to_the_next(
    site: Site, milk: Product
) -> None:
    """A of 50 sells 20 in its 10 days and leaves 30; B then has 10 more days for its 20."""
    lay(site, milk, "A", 50, days=10)
    lay(site, milk, "B", 20, days=20)
    lay(site, milk, "C", 15, days=25)
    # C: 5 more days sell 10 of its 15
    assert unsold() == {"A": 30, "B": 0, "C": 5}


def test_expired_and_held_lots_sell_nothing_and_take_no_demand(site: Site, milk: Product) -> None:
    lay(site, milk, "GONE", 7, days=-1)
    lay(site, milk, "HELD", 9, days=5, status=LotStatus.ON_HOLD)
    lay(site, milk, "GOOD", 20, days=10)
    assert unsold() == {"GONE": 7, "HELD": 9, "GOOD": 0}
    assert report().totals["expired_value"] == 21


def test_damaged_units_of_a_lot_do_not_sell(site: Site, milk: Product) -> None:
    lay(site, milk, "A", 20, days=10)
    [row] = report().rows
    post_movements(lines=[site.line(milk, 4, "storage", "damaged", lot_id=row["lot_id"])])
    assert unsold() == {"A": 4}


def test_whole_units_are_left_over_whole(site: Site) -> None:
    """One in three days: 30.33 of the last 91 days; in 10 days 3.33 sell, so 17 of 20 stay."""
    tea = make_product("TEA", lot_tracking=LotTracking.LOT)
    yesterday = business_today() - dt.timedelta(days=1)
    record_demand(lines=[DemandLine(tea.pk, site.warehouse.pk, yesterday, Decimal(30))])
    lay(site, tea, "T", 20, days=10)
    assert 20 - Decimal(300) / 91 > 16
    assert unsold() == {"T": 17}


def test_lots_are_chosen_by_the_days_they_have_left(site: Site, milk: Product) -> None:
    for code, days in (("A", -3), ("B", 7), ("C", 8)):
        lay(site, milk, code, 1, days=days)
    assert set(unsold(within=-1)) == {"A"}
    assert set(unsold(within=7)) == {"A", "B"}
    assert set(unsold()) == {"A", "B", "C"}
