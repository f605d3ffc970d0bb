"""The way of a lot: from the supplier to every place and customer, and back again."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pytest

from inventory.models import (
    Channel,
    Customer,
    CustomerReturn,
    Lot,
    LotTracking,
    MovementReason,
    PurchaseOrder,
    SalesOrder,
    Shipment,
    StockBalance,
    Supplier,
    SupplierReturn,
)
from inventory.queries.traceability import Edge, holders, lots_of_document, trace_lot
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.places import create_location
from tenancy.errors import NotFound
from tests.api.calls import by_session
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site

START = datetime.fromisoformat("2026-03-01T08:00:00+01:00")
SENT = datetime.fromisoformat("2026-03-10T08:00:00+01:00")


@dataclass
class Story:
    """A lot of milk: 100 bought, 60 sold to two customers, some back, some lost; see ``told``."""

    house: House
    site: Site
    lot: Lot
    order: PurchaseOrder
    shipments: dict[str, Shipment]
    shelf_id: int

    def move(self, quantity: int, start: str, end: str, reason: MovementReason, **more) -> int:
        places = {"shelf": self.shelf_id}
        line = MovementLine(
            self.lot.product_id,
            places.get(start) or self.site.at(start),
            places.get(end) or self.site.at(end),
            Decimal(quantity),
            reason,
            lot_id=self.lot.pk,
        )
        [movement_id] = post_movements(lines=[line], **more)
        return movement_id


def sold(story_site: Site, customer: Customer | None, number: str, **fields) -> Shipment:
    channel, _made = Channel.objects.get_or_create(code="WEB", defaults={"name": "Web"})
    order = SalesOrder.objects.create(
        number=f"SO-{number}",
        warehouse=story_site.warehouse,
        channel=channel,
        customer=customer,
        **fields,
    )
    return Shipment.objects.create(
        number=f"SH-{number}", sales_order=order, warehouse=story_site.warehouse, shipped_at=SENT
    )


@pytest.fixture
def story(north: House) -> Story:
    """Tell the story up to the goods on the shelf: 100 received against an order."""
    with north.scope():
        site = make_site()
        milk = make_product("MILK", lot_tracking=LotTracking.LOT)
        lot = make_lot(milk, "L7", expires_on=date(2026, 12, 31))
        dairy = Supplier.objects.create(code="DAIRY", name="Northern Dairy")
        order = PurchaseOrder.objects.create(
            number="PO-000001", supplier=dairy, warehouse=site.warehouse
        )
        shelf = create_location(warehouse_id=site.warehouse.pk, code="A-01")
        anna = Customer.objects.create(code="ANNA", name="Anna's Café")
        berta = Customer.objects.create(code="BERTA", name="Berta & Sons")
        shipments = {
            "anna": sold(site, anna, "000001", ship_to_name="Café", ship_to_address="Hafenstr. 7"),
            "berta": sold(site, berta, "000002"),
        }
        told = Story(north, site, lot, order, shipments, shelf.pk)
        told.move(
            100, "supplier", "receiving", MovementReason.RECEIPT, document=order, effective_at=START
        )
        told.move(100, "receiving", "shelf", MovementReason.PUT_AWAY, effective_at=START)
    return told


def tell(story: Story) -> None:
    """40 to Anna, 20 to Berta; Anna sends 5 back, 2 of them are scrapped, 1 goes to the supplier."""
    site = story.site
    customer = Customer.objects.get(code="ANNA")
    back = CustomerReturn.objects.create(
        number="CR-000001", warehouse=site.warehouse, customer=customer
    )
    to_dairy = SupplierReturn.objects.create(
        number="SR-000001", supplier=story.order.supplier, warehouse=site.warehouse
    )
    ship = MovementReason.SHIPMENT
    story.move(40, "shelf", "customer", ship, document=story.shipments["anna"], effective_at=SENT)
    story.move(20, "shelf", "customer", ship, document=story.shipments["berta"], effective_at=SENT)
    story.move(5, "customer", "quarantine", MovementReason.CUSTOMER_RETURN, document=back)
    story.move(2, "quarantine", "loss", MovementReason.SCRAP)
    story.move(1, "quarantine", "supplier", MovementReason.SUPPLIER_RETURN, document=to_dairy)


def test_all_of_a_lot_is_accounted_for(story: Story) -> None:
    """100 received + 5 returned = 60 shipped + 2 scrapped + 1 sent back + 42 on hand."""
    with story.house.scope():
        tell(story)
        trace = trace_lot(story.lot.pk)
        assert (trace.total(Edge.RECEIVED), trace.total(Edge.RETURNED)) == (100, 5)
        assert (trace.total(Edge.SHIPPED), trace.total(Edge.LOST)) == (60, 2)
        assert trace.total(Edge.SENT_BACK) == 1
        # 100 + 5 - 60 - 2 - 1 = 42: 40 on the shelf, 2 in quarantine
        assert (trace.on_hand, trace.unaccounted) == (42, 0)
        on_hand = {stay.location.code: stay.on_hand for stay in trace.stays}
    assert on_hand["A-01"] == 40
    assert sorted(on_hand.values()) == [0, 2, 40]


def test_every_way_names_its_document_and_who_stands_behind_it(story: Story) -> None:
    with story.house.scope():
        tell(story)
        trace = trace_lot(story.lot.pk)
    told = {
        (c.edge, c.party.number, c.party.name, c.party.related): c.quantity for c in trace.crossings
    }
    assert told == {
        (Edge.RECEIVED, "PO-000001", "Northern Dairy", ""): 100,
        (Edge.SHIPPED, "SH-000001", "Anna's Café", "SO-000001"): 40,
        (Edge.SHIPPED, "SH-000002", "Berta & Sons", "SO-000002"): 20,
        (Edge.RETURNED, "CR-000001", "Anna's Café", ""): 5,
        (Edge.LOST, "", "", ""): 2,
        (Edge.SENT_BACK, "SR-000001", "Northern Dairy", ""): 1,
    }
    assert trace.over(Edge.RECEIVED)[0].first_at == START


def test_customers_to_call_have_what_was_shipped_less_what_came_back(story: Story) -> None:
    with story.house.scope():
        tell(story)
        found = holders(trace_lot(story.lot.pk))
    assert [(h.name, h.shipped, h.returned, h.still_there) for h in found] == [
        ("Anna's Café", 40, 5, 35),
        ("Berta & Sons", 20, 0, 20),
    ]
    assert found[0].address == "Café, Hafenstr. 7"


def test_what_was_taken_back_does_not_count(story: Story) -> None:
    with story.house.scope():
        shipment = story.shipments["berta"]
        sent = story.move(20, "shelf", "customer", MovementReason.SHIPMENT, document=shipment)
        reverse_movement(movement_id=sent, by_document=True)
        wrong = story.move(3, "supplier", "receiving", MovementReason.RECEIPT, document=story.order)
        reverse_movement(movement_id=wrong)
        trace = trace_lot(story.lot.pk)
        [received] = trace.over(Edge.RECEIVED)
        [shipped] = trace.over(Edge.SHIPPED)
        assert (received.quantity, received.was_taken_back) == (100, True)
        assert (shipped.quantity, shipped.was_taken_back) == (0, True)
        # a receipt taken back is no return to the supplier, a shipment taken back no return
        assert trace.total(Edge.SENT_BACK, Edge.RETURNED) == 0
        assert (trace.on_hand, trace.unaccounted) == (100, 0)
        assert holders(trace) == []


def test_goods_sold_without_a_document_are_shown_as_that(story: Story) -> None:
    with story.house.scope():
        story.move(7, "shelf", "customer", MovementReason.SHIPMENT)
        [holder] = holders(trace_lot(story.lot.pk))
    assert (holder.name, holder.still_there) == ("", 7)


def test_control_a_balance_that_differs_from_the_ledger_is_told(story: Story) -> None:
    with story.house.scope():
        StockBalance.objects.filter(lot=story.lot, location_id=story.shelf_id).update(on_hand=98)
        trace = trace_lot(story.lot.pk)
    assert trace.unaccounted == 2
    page = story.house.client().get(story.house.path(f"lots/{story.lot.pk}/")).content.decode()
    assert "The book does not add up" in page


def test_a_transfer_on_its_way_is_on_hand_in_transit(story: Story) -> None:
    with story.house.scope():
        other = make_site("SOUTH")
        transit = other.at("in_transit")
        line = MovementLine(
            story.lot.product_id,
            story.shelf_id,
            transit,
            Decimal(30),
            MovementReason.TRANSFER_OUT,
            lot_id=story.lot.pk,
        )
        post_movements(lines=[line])
        trace = trace_lot(story.lot.pk)
    assert (trace.on_hand, trace.in_transit, trace.unaccounted) == (100, 30, 0)


def test_from_a_document_to_its_lots(story: Story) -> None:
    with story.house.scope():
        tell(story)
        [came] = lots_of_document("PurchaseOrder", story.order.pk)
        [left] = lots_of_document("Shipment", story.shipments["anna"].pk)
        nothing = lots_of_document("Wave", 1)
    assert (came.lot.pk, came.edge, came.quantity) == (story.lot.pk, Edge.RECEIVED, 100)
    assert (left.lot.pk, left.edge, left.quantity) == (story.lot.pk, Edge.SHIPPED, 40)
    assert nothing == []


def test_the_trace_costs_the_same_for_a_long_way(
    story: Story, django_assert_max_num_queries
) -> None:
    with story.house.scope():
        tell(story)
        for number in range(25):
            shipment = sold(story.site, None, f"1{number:05}", ship_to_name=f"Customer {number}")
            story.move(1, "shelf", "customer", MovementReason.SHIPMENT, document=shipment)
        # lot, crossings, stays, one per kind of document (4), places, balances, and the reach
        with django_assert_max_num_queries(11):
            trace = trace_lot(story.lot.pk)
        assert len(holders(trace)) == 27
    assert (trace.on_hand, trace.unaccounted) == (17, 0)


def test_a_member_of_one_warehouse_sees_the_rest_summed_up(story: Story) -> None:
    from inventory.models import WarehouseAccess
    from tenancy.models import Membership

    house = story.house
    with house.scope():
        other = make_site("SOUTH")
        for quantity, start, end in ((30, story.shelf_id, "in_transit"), (30, None, "storage")):
            line = MovementLine(
                story.lot.product_id,
                start or other.at("in_transit"),
                other.at(end),
                Decimal(quantity),
                MovementReason.TRANSFER_OUT if start else MovementReason.TRANSFER_IN,
                lot_id=story.lot.pk,
            )
            post_movements(lines=[line])
        member = Membership.objects.get(user=house.members["viewer"])
        WarehouseAccess.objects.create(membership=member, warehouse=other.warehouse)
    with house.scope("viewer"):
        trace = trace_lot(story.lot.pk)
        assert trace.is_partial
        # 30 came from a warehouse out of reach and lie here: nothing else is told
        assert [(c.edge, c.quantity, c.party.number) for c in trace.crossings] == [
            (Edge.ARRIVED, 30, "")
        ]
        assert {stay.location.warehouse_id for stay in trace.stays} == {other.warehouse.pk}
        assert (trace.on_hand, trace.unaccounted) == (30, 0)
        assert lots_of_document("PurchaseOrder", story.order.pk) == []


def test_another_tenant_traces_nothing(story: Story, south: House) -> None:
    with south.scope(), pytest.raises(NotFound):
        trace_lot(story.lot.pk)


# -- pages and API --------------------------------------------------------------------------------
def test_the_page_of_a_lot_says_that_it_adds_up(story: Story) -> None:
    with story.house.scope():
        tell(story)
    page = story.house.client("viewer").get(story.house.path(f"lots/{story.lot.pk}/"))
    text = page.content.decode()
    assert "Adds up" in text
    assert text.index("Northern Dairy") < text.index("Anna&#x27;s Café")
    assert story.house.path(f"purchase-orders/{story.order.pk}/") in text
    # one line each for what was received, returned, shipped, sent back and lost, and three places
    assert text.count('class="trace-lane"') == 8


def test_the_recall_page_warns_while_the_lot_still_leaves(story: Story) -> None:
    house = story.house
    with house.scope():
        tell(story)
    client = house.client("manager")
    path = house.path(f"lots/{story.lot.pk}/")
    text = client.get(f"{path}recall/").content.decode()
    assert "This lot still leaves" in text
    assert "Hafenstr. 7" in text
    client.post(f"{path}status/", {"status": "recalled", "back": "recall"})
    assert "This lot still leaves" not in client.get(f"{path}recall/").content.decode()


def test_the_trace_as_csv_has_every_line_and_no_formula(story: Story) -> None:
    house = story.house
    with house.scope():
        Customer.objects.filter(code="ANNA").update(name="=HYPERLINK(1)")
        tell(story)
    answer = house.client().get(house.path(f"lots/{story.lot.pk}/trace.csv"))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 6 + 3  # crossings and places
    anna = next(row for row in rows if row["number"] == "SH-000001")
    assert anna["party"] == "'=HYPERLINK(1)"
    assert (anna["quantity_out"], anna["order"]) == ("40", "SO-000001")
    shelf = next(row for row in rows if row["location"] == "A-01")
    assert (shelf["quantity_in"], shelf["quantity_out"], shelf["on_hand"]) == ("100", "60", "40")


def test_the_lots_of_a_document_are_found_by_its_number(story: Story) -> None:
    house = story.house
    with house.scope():
        tell(story)
    client = house.client()
    text = client.get(house.path("lots/of-a-document/?number=sh-000001")).content.decode()
    assert house.path(f"lots/{story.lot.pk}/") in text
    unknown = client.get(house.path("lots/of-a-document/?number=SH-999999"))
    assert unknown.status_code == 422
    assert "Nothing here has the code" in unknown.content.decode()
    no_document = client.get(house.path("lots/of-a-document/?number=MILK"))
    assert "Scan a document." in no_document.content.decode()


def test_a_lot_that_never_moved_says_so(north: House) -> None:
    with north.scope():
        lot = make_lot(make_product("MILK", lot_tracking=LotTracking.LOT), "NEW")
    text = north.client().get(north.path(f"lots/{lot.pk}/")).content.decode()
    assert "This lot has never moved" in text


def test_the_api_traces_both_ways(story: Story) -> None:
    with story.house.scope():
        tell(story)
    api = by_session(story.house, "viewer")
    trace = api.get(f"lots/{story.lot.pk}/trace").json()
    assert (trace["came_in"], trace["went_out"], trace["on_hand"]) == ("105", "63", "42")
    assert trace["unaccounted"] == "0"
    shipped = [c for c in trace["crossings"] if c["way"] == "shipped"]
    assert {c["number"] for c in shipped} == {"SH-000001", "SH-000002"}
    back = api.get(
        "document-lots", document_kind="Shipment", document_id=story.shipments["anna"].pk
    ).json()["items"]
    assert [(row["lot_id"], row["way"], row["quantity"]) for row in back] == [
        (story.lot.pk, "shipped", "40")
    ]
