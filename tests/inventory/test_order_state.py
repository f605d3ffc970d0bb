"""How far a sales order is, as a worked table, and that the database is told the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import SalesOrder, SalesOrderLine, SalesOrderState
from inventory.rules.order_state import LineSums, OrderFacts, OrderProgress, order_progress
from inventory.services.order_states import advance_orders, lock_orders
from tenancy.errors import NotFound
from tests.inventory.book import Site, make_product
from tests.inventory.selling import owing, state_of

TRIED = OrderFacts(was_tried=True)
PICKS = OrderFacts(open_picks=True, was_tried=True)
PACKED = OrderFacts(all_packed=True, was_tried=True)

#  what became of each line: (asked, allocated, picked, shipped)
TABLE: list[tuple[list[tuple[int, int, int, int]], OrderFacts, str]] = [
    ([(5, 0, 0, 0)], OrderFacts(), "confirmed"),
    ([(5, 0, 0, 0)], TRIED, "backordered"),
    ([(5, 2, 0, 0)], TRIED, "partially_allocated"),
    ([(5, 5, 0, 0), (3, 0, 0, 0)], TRIED, "partially_allocated"),
    ([(5, 5, 0, 0), (3, 3, 0, 0)], TRIED, "allocated"),
    ([(5, 5, 0, 0)], OrderFacts(), "allocated"),
    ([(5, 5, 0, 0)], PICKS, "picking"),
    ([(5, 3, 2, 0)], TRIED, "picking"),
    ([(5, 0, 5, 0)], TRIED, "picking"),  # picked, not packed
    ([(5, 0, 5, 0)], PACKED, "packed"),
    ([(5, 1, 4, 0)], PACKED, "picking"),  # one is still to be picked
    ([(5, 0, 4, 0)], OrderFacts(True, True, True), "picking"),  # a pick is open
    ([(5, 0, 4, 0)], PACKED, "packed"),  # one is backordered; the rest can leave
    ([(5, 0, 0, 5)], TRIED, "shipped"),
    ([(5, 0, 0, 5), (0, 0, 0, 0)], TRIED, "shipped"),  # a line given up counts as done
    # after a partial shipment what remains decides
    ([(5, 0, 0, 3)], TRIED, "backordered"),
    ([(5, 1, 0, 3)], TRIED, "partially_allocated"),
    ([(5, 2, 0, 3)], TRIED, "allocated"),
    ([(5, 0, 2, 3)], TRIED, "picking"),
    ([(5, 0, 2, 3)], PACKED, "packed"),
    ([(5, 0, 0, 5), (4, 4, 0, 0)], TRIED, "allocated"),
]


@pytest.mark.parametrize(("lines", "facts", "expected"), TABLE)
def test_the_lines_say_how_far_the_order_is(lines: Any, facts: OrderFacts, expected: str) -> None:
    sums = [LineSums(*(Decimal(number) for number in line)) for line in lines]
    assert order_progress(sums, facts) == expected


def test_an_order_without_lines_is_an_error() -> None:
    with pytest.raises(ValueError, match="without lines"):
        order_progress([], TRIED)


def test_every_state_the_rule_knows_is_a_state_of_an_order() -> None:
    assert {str(state) for state in OrderProgress} < set(SalesOrderState.values)
    decided = {"draft", "closed", "cancelled"}
    assert set(SalesOrderState.values) - {str(state) for state in OrderProgress} == decided


def test_orders_move_on_with_their_lines(site: Site) -> None:
    apple = make_product()
    fresh, served, gone, draft = (owing(site.warehouse, (apple, 5)) for _ in range(4))
    SalesOrder.objects.filter(pk=draft.pk).update(state="draft")
    SalesOrderLine.objects.filter(order=served).update(quantity_allocated=5)
    SalesOrderLine.objects.filter(order=gone).update(quantity_shipped=5)
    reached = advance_orders([fresh.pk, served.pk, gone.pk, draft.pk])
    assert reached == {
        fresh.pk: SalesOrderState.CONFIRMED,
        served.pk: SalesOrderState.ALLOCATED,
        gone.pk: SalesOrderState.SHIPPED,
    }
    assert [state_of(o) for o in (fresh, served, gone, draft)] == [
        "confirmed",
        "allocated",
        "shipped",
        "draft",
    ]
    gone.refresh_from_db()
    fresh.refresh_from_db()
    assert (gone.shipped_at is not None, gone.version, fresh.version) == (True, 2, 1)
    # what is not allocated any more was looked for once
    SalesOrderLine.objects.filter(order=served).update(quantity_allocated=0)
    assert advance_orders([served.pk]) == {served.pk: SalesOrderState.BACKORDERED}


def test_advancing_takes_as_many_statements_for_many_orders(
    site: Site, django_assert_num_queries: Any
) -> None:
    apple = make_product()
    orders = [owing(site.warehouse, (apple, 5), (apple, 1)) for _ in range(12)]
    ids = [order.pk for order in orders]
    with django_assert_num_queries(6):  # a savepoint and its release around four
        advance_orders(ids, tried=True)


def test_a_missing_order_cannot_be_locked(site: Site) -> None:
    order = owing(site.warehouse, (make_product(), 5))
    with pytest.raises(NotFound):
        lock_orders([order.pk, 2**62])
