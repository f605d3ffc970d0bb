"""A warehouse with one of every document in hand, and a look whether a refusal left a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from inventory.models import (
    CustomerReturn,
    CycleCount,
    InventorySettings,
    Lot,
    MovementReason,
    Packaging,
    PickTask,
    Product,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    SalesOrder,
    Shipment,
    ShipmentLine,
    StockBalance,
    Supplier,
    SupplierReturn,
    TransferOrder,
    TransferPiece,
)
from inventory.queries.waves import WaveRequest
from inventory.services.count_entry import CountEntry, enter_count, submit_count
from inventory.services.counting import request_count, start_count
from inventory.services.picking import Pick, pick
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receipt_lines import Arrival, add_receipt_line
from inventory.services.receiving import complete_receipt, open_receipt
from inventory.services.returns import (
    ExpectedLine,
    ReturnedGoods,
    expect_return,
    receive_return,
)
from inventory.services.shipping import ship_order
from inventory.services.supplier_returns import ReturningLine, create_supplier_return
from inventory.services.suppliers import SupplierFields, create_supplier
from inventory.services.transfers import (
    AskedLine,
    create_transfer,
    release_transfer,
    send_transfer,
)
from inventory.services.waves import release_waves
from tenancy.errors import Refused
from tenancy.permissions import PermissionRefused
from tenancy.scope import Actor, active_scope, tenant_scope
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.selling import confirmed, draft
from tests.properties.floor_book import Fingerprint

ONE = Decimal(1)
D = Decimal
Act = Callable[[], Any]
Cases = dict[str, tuple[str, Act]]
MOVE = MovementReason.MOVE
NOBODY = 2**62


@dataclass
class Desk:
    """Everything in the middle of its way. Open inside a tenant scope."""

    site: Site
    other: Site
    flour: Product
    milk: Product
    drill: Product
    good: Lot
    expired: Lot
    recalled: Lot
    serial: Lot
    case: Packaging
    supplier: Supplier
    order: PurchaseOrder
    drafted_order: PurchaseOrder
    drafts: list[Receipt]
    receipt: Receipt
    sale: SalesOrder
    drafted_sale: SalesOrder
    promised_sale: SalesOrder
    picked_sale: SalesOrder
    shipment: Shipment
    task: PickTask
    transfer: TransferOrder
    drafted_transfer: TransferOrder
    count: CycleCount
    counted: CycleCount
    returning: CustomerReturn
    returned: CustomerReturn
    going_back: SupplierReturn
    fingerprint: Fingerprint

    @property
    def here(self) -> int:
        """Return the id of the warehouse."""
        return self.site.warehouse.pk

    @property
    def storage(self) -> int:
        """Return the id of its storage place."""
        return self.site.at("storage")

    @property
    def shipped_line(self) -> ShipmentLine:
        """Return the shipped line of flour."""
        return ShipmentLine.objects.get(shipment=self.shipment)

    @property
    def piece(self) -> TransferPiece:
        """Return what is on the way."""
        return TransferPiece.objects.get(line__order=self.transfer)

    @property
    def received_line(self) -> ReceiptLine:
        """Return the line of the completed receipt."""
        return ReceiptLine.objects.get(receipt=self.receipt)

    def on_dock(self) -> StockBalance:
        """Return the flour that waits to be put away."""
        return StockBalance.objects.get(product=self.flour, location_id=self.site.at("receiving"))

    def answer(self, act: Callable[[], Any]) -> str:
        """Do it; return the code of its refusal and of its problems, or what is wrong with that."""
        before = self.fingerprint.take()
        done = transaction.savepoint()
        try:
            act()
        except Refused as refusal:
            problems = sorted({p.code for p in getattr(refusal, "problems", ())})
            said = ":".join([refusal.code, *problems])
        except PermissionRefused as refusal:
            said = f"may_not:{refusal.permission}"
        else:
            transaction.savepoint_rollback(done)
            return "done"
        after = self.fingerprint.take()
        changed = [table for table, digest in after.items() if digest != before[table]]
        return f"{said} but changed {changed}" if changed else said


def make_desk() -> Desk:
    """Bring one of every document on its way."""
    site, other = make_site(), make_site("OTHER")
    today = datetime.now(UTC).date()
    flour, milk = make_product("FLOUR", unit_cost=2), make_product("MILK", lot_tracking="lot")
    drill = make_product("DRILL", lot_tracking="serial", unit_cost=90)
    good, recalled = make_lot(milk, "GOOD"), make_lot(milk, "RECALLED")
    expired, serial = make_lot(milk, "EXPIRED", expires_on=today - timedelta(3)), make_lot(drill)
    InventorySettings.objects.create(tenant=active_scope().tenant, count_tolerance_percent=10)
    site.receive(flour, 40)
    for lot in (good, recalled, expired):
        site.receive(milk, 10, lot_id=lot.pk)
    site.receive(drill, 1, lot_id=serial.pk)
    supplier = create_supplier(fields=SupplierFields(code="ACME", name="Acme"))
    order = ordered(supplier, site, (flour, 10))
    place_order(order_id=order.pk)
    receipt = opened(order, flour, 4)
    complete_receipt(receipt_id=receipt.pk, accept_differences=True)
    sale, picked_sale = picked(site, flour, 5), picked(site, flour, 2)
    shipment = ship_order(sales_order_id=sale.pk, pack_all=True)
    promised_sale = confirmed(site.warehouse, (flour, 3))
    [wave] = release_waves(request=WaveRequest(site.warehouse.pk))
    transfer = moving(site, other, flour)
    release_transfer(transfer_order_id=transfer.pk)
    send_transfer(transfer_order_id=transfer.pk)
    returned = expected(shipment, 2)
    line = returned.lines.get()
    receive_return(customer_return_id=returned.pk, goods=[ReturnedGoods(line.pk, ONE)])
    Lot.objects.filter(pk=recalled.pk).update(status="recalled")
    return Desk(
        site=site,
        other=other,
        flour=flour,
        milk=milk,
        drill=drill,
        good=good,
        expired=expired,
        recalled=recalled,
        serial=serial,
        case=Packaging.objects.create(product=flour, name="case", units=6),
        supplier=supplier,
        order=order,
        drafted_order=ordered(supplier, site),
        drafts=[opened(order, flour, 4), opened(order, flour, 6)],
        receipt=receipt,
        sale=sale,
        drafted_sale=draft(site.warehouse),
        promised_sale=promised_sale,
        picked_sale=picked_sale,
        shipment=shipment,
        task=wave.tasks.get(),
        transfer=transfer,
        drafted_transfer=moving(site, other, flour),
        count=counting(site, flour),
        counted=submitted(counting(site, milk), milk, good),
        returning=expected(shipment, 1),
        returned=returned,
        going_back=create_supplier_return(
            supplier_id=supplier.pk,
            warehouse_id=site.warehouse.pk,
            lines=[ReturningLine(flour.pk, site.at("storage"), Decimal(2))],
        ),
        fingerprint=Fingerprint(),
    )


def ordered(supplier: Supplier, site: Site, *asked: tuple[Product, int]) -> PurchaseOrder:
    """Return a draft that buys these."""
    lines = [OrderLine(product.pk, Decimal(n), unit_price=ONE) for product, n in asked]
    return create_draft_order(supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=lines)


def opened(order: PurchaseOrder, product: Product, quantity: int) -> Receipt:
    """Return an open receipt of the order with one line."""
    receipt = open_receipt(order_id=order.pk)
    add_receipt_line(receipt_id=receipt.pk, arrival=Arrival(product.pk, Decimal(quantity)))
    return receipt


def picked(site: Site, product: Product, quantity: int) -> SalesOrder:
    """Sell and pick so many."""
    sale = confirmed(site.warehouse, (product, quantity))
    [wave] = release_waves(request=WaveRequest(site.warehouse.pk))
    task = wave.tasks.get()
    pick(wave_id=wave.pk, picks=[Pick(task.pk, task.location_id, task.product_id, None)])
    return sale


def moving(site: Site, other: Site, product: Product) -> TransferOrder:
    """Return a draft that moves four."""
    return create_transfer(
        from_warehouse_id=site.warehouse.pk,
        to_warehouse_id=other.warehouse.pk,
        lines=[AskedLine(product.pk, Decimal(4))],
    )


def expected(shipment: Shipment, quantity: int) -> CustomerReturn:
    """Return a return that expects some of a shipment back."""
    line = ShipmentLine.objects.get(shipment=shipment)
    return expect_return(
        sales_order_id=shipment.sales_order_id, lines=[ExpectedLine(line.pk, Decimal(quantity))]
    )


def counting(site: Site, product: Product) -> CycleCount:
    """Return a count of the product in storage that has begun."""
    count = request_count(location_id=site.at("storage"), product_id=product.pk)
    return start_count(cycle_count_id=count.pk)


def submitted(count: CycleCount, product: Product, lot: Lot) -> CycleCount:
    """Count far too little, twice, so that it waits for approval."""
    entry = CountEntry(product.pk, ONE, lot.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry])
    submit_count(cycle_count_id=count.pk, uncounted_are_zero=True)
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry])
    return submit_count(cycle_count_id=count.pk, uncounted_are_zero=True)


def last_month() -> date:
    """Return a day well before everything here happened."""
    return datetime.now(UTC).date() - timedelta(days=30)


def acting(role: str, act: Act) -> Any:
    """Do it as another person of that role."""
    person = Actor(kind="user", id=424_242, label=role, role=role)
    with tenant_scope(active_scope().tenant, actor=person):
        return act()


def wrong_answers(desk: Desk, cases: Cases) -> dict[str, str]:
    """Return the cases that were answered otherwise than they should be."""
    answers = {words: (code, desk.answer(act)) for words, (code, act) in cases.items()}
    return {words: answer for words, (code, answer) in answers.items() if answer != code}
