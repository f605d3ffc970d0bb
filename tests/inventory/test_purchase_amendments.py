"""Amending a placed order, and what a supplier may not deliver as it is ordered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import PurchaseOrder, PurchaseOrderState
from inventory.queries.integrity import check_book
from inventory.queries.purchasing import quantity_hints
from inventory.rules.order_quantity import quantity_hint
from inventory.services.purchase_amendments import Amendment, BelowReceived, amend_order_line
from inventory.services.purchasing import (
    OrderLine,
    WrongOrderState,
    close_order,
    create_draft_order,
)
from inventory.services.suppliers import Offer, set_offer
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, on_hand
from tests.inventory.inbound import placed_order, receive


def amend(order: PurchaseOrder, reason: str = "agreed by mail", **changes: Any) -> PurchaseOrder:
    version = changes.pop("version", None)
    return amend_order_line(
        order_id=order.pk,
        line_id=changes.pop("line_id", order.lines.order_by("id").first().pk),
        amendment=Amendment(**changes),
        reason=reason,
        version=version,
    )


def test_quantity_price_and_day_are_amended_and_audited(site: Site) -> None:
    order = placed_order(site, make_product())
    day = date(2026, 6, 30)
    changed = amend(order, quantity=Decimal(12), unit_price=Decimal("2.4"), promised_on=day)
    line = order.lines.get()
    assert (line.quantity, line.unit_price, line.promised_on) == (12, Decimal("2.4"), day)
    assert changed.expected_on == day
    assert changed.version == order.version + 1
    event = AuditEvent.objects.get(action="purchase_order.line_amended")
    assert event.data["reason"] == "agreed by mail"
    assert Decimal(event.data["before"]["quantity"]) == 10
    assert Decimal(event.data["after"]["quantity"]) == 12
    assert event.data["before"]["promised_on"] == "2026-05-11"  # placed on the 4th, seven days


def test_a_line_amended_to_what_has_come_completes_the_order(site: Site) -> None:
    order = receive(placed_order(site, make_product()), 6)
    assert amend(order, quantity=Decimal(6)).state == PurchaseOrderState.RECEIVED
    assert check_book() == []


def test_more_is_received_after_the_line_was_amended(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    amend(order, quantity=Decimal(15))
    assert receive(order, 15).state == PurchaseOrderState.RECEIVED
    assert on_hand(apple) == 15


def test_less_than_has_come_is_refused_with_the_numbers(site: Site) -> None:
    order = receive(placed_order(site, make_product()), 6)
    with pytest.raises(BelowReceived) as refusal:
        amend(order, quantity=Decimal(5))
    assert (refusal.value.data["received"], refusal.value.data["quantity"]) == ("6", "5")
    assert order.lines.get().quantity == 10


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": Decimal(0)}, "not_positive"),
        ({"quantity": Decimal(-1)}, "not_positive"),
        ({"quantity": Decimal("1e400")}, "too_large"),
        ({"quantity": Decimal("10.5")}, "not_whole"),
        ({"unit_price": Decimal(-1)}, "not_an_amount"),
        ({"unit_price": Decimal("NaN")}, "not_an_amount"),
        ({"quantity": Decimal(10)}, "unchanged"),
        ({}, "unchanged"),
        ({"quantity": Decimal(11), "reason": " "}, "required"),
    ],
)
def test_absurd_amendments_are_refused_by_name(
    site: Site, changes: dict[str, Any], code: str
) -> None:
    order = placed_order(site, make_product())
    with pytest.raises(Invalid) as refusal:
        amend(order, **changes)
    assert [problem.code for problem in refusal.value.problems] == [code]
    line = order.lines.get()
    assert (line.quantity, line.unit_price) == (10, Decimal("2.5"))
    assert not AuditEvent.objects.filter(action="purchase_order.line_amended").exists()


def test_only_a_placed_order_is_amended_and_only_its_own_lines(site: Site) -> None:
    apple = make_product()
    order, other = placed_order(site, apple), placed_order(site, apple)
    with pytest.raises(NotFound):
        amend(order, line_id=other.lines.get().pk, quantity=Decimal(11))
    with pytest.raises(StaleVersion):
        amend(order, version=1, quantity=Decimal(11))
    receive(order, 5)
    close_order(order_id=order.pk)
    with pytest.raises(WrongOrderState):
        amend(order, quantity=Decimal(11))
    draft = create_draft_order(
        supplier_id=order.supplier_id,
        warehouse_id=site.warehouse.pk,
        lines=[OrderLine(apple.pk, Decimal(1), Decimal(1))],
    )
    with pytest.raises(WrongOrderState):
        amend(draft, quantity=Decimal(11))


def test_an_operator_amends_nothing(north: House, site: Site) -> None:
    order = placed_order(site, make_product())
    with north.scope("operator"), pytest.raises(PermissionRefused):
        amend(order, quantity=Decimal(11))


# -- what the supplier delivers -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("quantity", "minimum", "multiple", "suggested"),
    [
        ("24", "12", "12", None),
        ("10", "12", "1", "12"),  # below the minimum
        ("30", "12", "12", "36"),  # between two cases
        ("7", "10", "4", "12"),  # the minimum itself is no multiple: 3 x 4
        ("0.3", "0.1", "0.1", None),  # exact where binary fractions are not
    ],
)
def test_the_hint_is_the_next_quantity_the_supplier_delivers(
    quantity: str, minimum: str, multiple: str, suggested: str | None
) -> None:
    hint = quantity_hint(Decimal(quantity), Decimal(minimum), Decimal(multiple))
    assert (hint and hint.suggested) == (Decimal(suggested) if suggested else None)


def test_lines_below_the_minimum_or_off_the_multiple_are_named(site: Site) -> None:
    apple, pear, plum = make_product(), make_product("PEAR"), make_product("PLUM")
    order = placed_order(site, plum)
    for product, offer in (
        (apple, Offer(price=Decimal(1), minimum_order_quantity=Decimal(20))),
        (pear, Offer(price=Decimal(1), order_multiple=Decimal(6))),
    ):
        set_offer(supplier_id=order.supplier_id, product_id=product.pk, offer=offer)
    draft = create_draft_order(
        supplier_id=order.supplier_id,
        warehouse_id=site.warehouse.pk,
        lines=[
            OrderLine(apple.pk, Decimal(12)),
            OrderLine(pear.pk, Decimal(10)),
            OrderLine(plum.pk, Decimal(1), Decimal(1)),
        ],
    )
    lines = {line.product_id: line.pk for line in draft.lines.all()}
    hints = quantity_hints(draft)
    assert hints.keys() == {lines[apple.pk], lines[pear.pk]}
    assert hints[lines[apple.pk]].is_below_minimum
    assert hints[lines[pear.pk]].suggested == 12
