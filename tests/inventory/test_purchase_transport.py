"""How a purchase order comes: from its offers, said by hand, and followed by what it taught."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from inventory.models import LeadTimeObservation, PurchaseOrder
from inventory.services.purchase_transport import set_transport
from inventory.services.purchasing import (
    OrderLine,
    WrongOrderState,
    cancel_order,
    create_draft_order,
    place_order,
)
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer
from tenancy.errors import Invalid, StaleVersion
from tenancy.permissions import PermissionRefused
from tests.api.calls import by_key
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site


def drafted(site: Site, *modes: str) -> PurchaseOrder:
    """Return a draft with a product for each mode, as its offer says it comes."""
    supplier = create_supplier(fields=SupplierFields(code="SEA", name="Sea", lead_time_days=7))
    products = [make_product(f"P{number}") for number in range(len(modes))]
    for product, mode in zip(products, modes, strict=True):
        offer = Offer(price=Decimal(2), transport_mode=mode)
        set_offer(supplier_id=supplier.pk, product_id=product.pk, offer=offer)
    lines = [OrderLine(product.pk, Decimal(10)) for product in products]
    return create_draft_order(supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=lines)


def received(order: PurchaseOrder) -> None:
    lines = [ReceiptLine(line.pk, line.quantity) for line in order.lines.all()]
    receive_order(order_id=order.pk, lines=lines)


@pytest.mark.parametrize(
    ("modes", "mode"), [(("ocean", "ocean"), "ocean"), (("ocean", "air"), ""), (("",), "")]
)
def test_a_placed_order_comes_as_all_its_offers_do_or_nobody_has_said(
    site: Site, modes: tuple[str, ...], mode: str
) -> None:
    order = drafted(site, *modes)
    assert order.transport_mode == ""
    assert place_order(order_id=order.pk).transport_mode == mode


def test_what_was_learned_follows_a_mode_that_was_noted_wrongly(site: Site) -> None:
    order = place_order(order_id=drafted(site, "ocean").pk)
    received(order)
    assert [row.transport_mode for row in LeadTimeObservation.objects.all()] == ["ocean"]
    order = set_transport(order_id=order.pk, transport_mode="air", transport_cost=Decimal("120.5"))
    assert (order.transport_mode, order.transport_cost) == ("air", Decimal("120.5"))
    assert [row.transport_mode for row in LeadTimeObservation.objects.all()] == ["air"]


def test_what_is_no_transport_is_refused_and_nothing_changes(site: Site, north: House) -> None:
    order = drafted(site, "truck")
    for mode, cost, field in (
        ("mule", None, "transport_mode"),
        ("air", Decimal(-1), "transport_cost"),
        ("air", Decimal("NaN"), "transport_cost"),
    ):
        with pytest.raises(Invalid) as refusal:
            set_transport(order_id=order.pk, transport_mode=mode, transport_cost=cost)
        assert refusal.value.problems[0].field == field
    with pytest.raises(Invalid):
        create_draft_order(
            supplier_id=order.supplier_id, warehouse_id=order.warehouse_id, transport_mode="mule"
        )
    with pytest.raises(StaleVersion):
        set_transport(order_id=order.pk, transport_mode="air", transport_cost=None, version=7)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        set_transport(order_id=order.pk, transport_mode="air", transport_cost=None)
    order.refresh_from_db()
    assert (order.transport_mode, order.transport_cost, order.version) == ("", None, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        PurchaseOrder.objects.update(transport_mode="mule")
    cancel_order(order_id=order.pk)
    with pytest.raises(WrongOrderState):
        set_transport(order_id=order.pk, transport_mode="air", transport_cost=None)


def test_transport_is_noted_on_its_page_and_by_the_api(north: House) -> None:
    with north.scope():
        order = place_order(order_id=drafted(make_site(), "ocean").pk)
    client = north.client("planner")
    page = north.path(f"purchase-orders/{order.pk}/transport/")
    assert b"Ocean" in client.get(page).content
    body = {
        "transport_mode": "truck",
        "transport_cost": "-5",
        "version": order.version,
        "idempotency_key": uuid4().hex,
    }
    assert client.post(page, body).status_code == 422
    body |= {"transport_cost": "44.5", "idempotency_key": uuid4().hex}
    assert client.post(page, body).status_code == 302
    shown = client.get(page.removesuffix("transport/")).content
    assert b"Truck" in shown
    assert b"44.50" in shown
    caller = by_key(north, role="planner")
    read = caller.get(f"purchase-orders/{order.pk}").json()
    assert (read["transport_mode"], read["transport_cost"]) == ("truck", "44.5")
    answer = caller.post(
        f"purchase-orders/{order.pk}/transport",
        {"transport_mode": "air", "transport_cost": None},
        If_Match=f'"{read["version"]}"',
    )
    assert answer.status_code == 200, answer.content
    assert (answer.json()["transport_mode"], answer.json()["transport_cost"]) == ("air", None)
