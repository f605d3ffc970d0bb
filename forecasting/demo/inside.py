"""What is going on inside the warehouses of a simulated company besides its orders.

A delivery being counted in, another on the dock, counts, transfers and returns in every state.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from django.db.models import F, QuerySet

from inventory.models import (
    CountState,
    CycleCount,
    LocationKind,
    LotTracking,
    MovementReason,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    ReturnOutcome,
    SalesOrderLine,
    SalesOrderState,
    ShipmentLine,
    StockBalance,
    Supplier,
    Warehouse,
    WorkClaim,
    WorkKind,
)
from inventory.queries.counting import book_at
from inventory.queries.places import standard_locations
from inventory.queries.promisable import promisable
from inventory.services.adjustments import Adjustment, adjust_stock
from inventory.services.count_entry import CountEntry, enter_count, submit_count
from inventory.services.count_review import approve_count
from inventory.services.counting import request_count, start_count
from inventory.services.receiving import (
    Arrival,
    ReceiptLine,
    add_receipt_line,
    open_receipt,
    receive_order,
)
from inventory.services.returns import (
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    expect_return,
    inspect_return,
    receive_return,
)
from inventory.services.supplier_return_lines import ReturningLine
from inventory.services.supplier_returns import SupplierReturnFields, create_supplier_return
from inventory.services.transfers import (
    AskedLine,
    create_transfer,
    release_transfer,
    send_transfer,
)
from inventory.services.worklists import release_work

ONE = Decimal(1)
COUNTED, REQUESTED = 2, 3
RETURNS = 3
ENOUGH = 4
"""Units that must lie free where something is taken from."""
TRANSFERS = ("draft", "released", "sent")
DELIVERED_LINES = 4


def work_inside(warehouses: Sequence[Warehouse], today: dt.date) -> None:
    """Begin what is usually going on; what a small company has no goods for is left out."""
    for warehouse in warehouses:
        _deliver(warehouse, today)
        _take_back(warehouse)
        _damage(warehouse, today)
        _find(warehouse)
    for origin, target in zip(warehouses, [*warehouses[1:], warehouses[0]], strict=True):
        if origin != target:
            _transfer(origin, target, today)
    # last, so that nothing moves after it was counted
    for warehouse in warehouses:
        _count(warehouse, today)
    # whoever signs in finds the work free
    for claim in WorkClaim.objects.order_by("id"):
        release_work(kind=WorkKind(claim.kind), subject_id=claim.subject_id)


def _deliver(warehouse: Warehouse, today: dt.date) -> None:
    """Bring one order onto the dock, and leave another half counted."""
    orders = PurchaseOrder.objects.filter(warehouse=warehouse, state=PurchaseOrderState.PLACED)
    due = list(orders.order_by("id")[:2])
    for arrived in due[:1]:
        lines = list(arrived.lines.select_related("product").order_by("id")[:DELIVERED_LINES])
        receive_order(
            order_id=arrived.pk,
            lines=[ReceiptLine(line.pk, line.quantity, *_label(line, today)) for line in lines],
        )
    for order in due[1:]:
        receipt = open_receipt(order_id=order.pk, delivery_note=f"DN-{20_000 + order.pk}")
        line = order.lines.select_related("product").order_by("id")[0]
        code, expires_on = _label(line, today)
        arrival = Arrival(line.product_id, line.quantity, lot_code=code, expires_on=expires_on)
        add_receipt_line(receipt_id=receipt.pk, arrival=arrival)


def _label(line: PurchaseOrderLine, today: dt.date) -> tuple[str, dt.date | None]:
    """Return the lot on the label of what arrived, and until when it is good."""
    product = line.product
    if product.lot_tracking == LotTracking.NONE:
        return "", None
    good_for = product.shelf_life_days
    expires_on = today + dt.timedelta(days=good_for) if good_for else None
    return f"{today:%y%m%d}-{product.sku[-4:]}", expires_on


def _count(warehouse: Warehouse, today: dt.date) -> None:
    """Have some places counted: one as the book says, one with a difference to be reviewed."""
    rows = _free(warehouse, today).values_list("location_id", flat=True)
    chosen = list(dict.fromkeys(rows))[: COUNTED + REQUESTED]
    for number, place_id in enumerate(chosen):
        due_on = today + dt.timedelta(days=number // 2)
        count = request_count(location_id=place_id, due_on=due_on)
        if number == 0:
            _count_place(count, ONE)
        elif number < COUNTED:
            _count_place(count, Decimal(0))
            approve_count(cycle_count_id=count.pk, then_post=True)


def _count_place(count: CycleCount, missing: Decimal) -> None:
    """Count what the book has there, the first goods with some missing, as often as asked for."""
    there = [row for row in book_at(count).values() if row.on_hand > 0]
    entries = [CountEntry(row.product_id, row.on_hand, row.lot_id) for row in there]
    entries[0] = replace(entries[0], counted=entries[0].counted - missing)
    state = count.state
    while state in CountState.to_count():
        start_count(cycle_count_id=count.pk)
        enter_count(cycle_count_id=count.pk, entries=entries)
        state = submit_count(cycle_count_id=count.pk).state
        # only what differs is counted again
        entries = entries[:1]


def _take_back(warehouse: Warehouse) -> None:
    """Expect goods of shipped orders back: one is on its way, one waits, one is inspected."""
    shipped = SalesOrderState.SHIPPED
    lines = ShipmentLine.objects.filter(
        shipment__warehouse=warehouse, shipment__sales_order__state=shipped
    )
    orders: dict[int, ShipmentLine] = {}
    for line in lines.select_related("shipment").order_by("id"):
        orders.setdefault(line.shipment.sales_order_id, line)
    for number, (order_id, line) in enumerate(list(orders.items())[:RETURNS]):
        back = expect_return(sales_order_id=order_id, lines=[ExpectedLine(line.pk, ONE)])
        if number == 0:
            continue
        came = back.lines.order_by("id")[0]
        receive_return(customer_return_id=back.pk, goods=[ReturnedGoods(came.pk, ONE)])
        if number > 1:
            seen = InspectedGoods(came.pk, ReturnOutcome.RESTOCK, ONE)
            inspect_return(customer_return_id=back.pk, goods=[seen])


def _damage(warehouse: Warehouse, today: dt.date) -> None:
    """Put a damaged unit aside, and prepare to send it back to its supplier."""
    balance = _free(warehouse, today).first()
    if balance is None:
        return
    damaged = Adjustment(
        balance.product_id,
        balance.location_id,
        -ONE,
        MovementReason.DAMAGE,
        lot_id=balance.lot_id,
        note="Fell off the trolley",
    )
    adjust_stock(warehouse_id=warehouse.pk, adjustments=[damaged])
    supplier = Supplier.objects.filter(items__product_id=balance.product_id).order_by("id").first()
    aside = standard_locations(warehouse.pk)[LocationKind.DAMAGED]
    if supplier is not None:
        create_supplier_return(
            supplier_id=supplier.pk,
            warehouse_id=warehouse.pk,
            fields=SupplierReturnFields(reason="Damaged packaging"),
            lines=[ReturningLine(balance.product_id, aside.pk, ONE, balance.lot_id)],
        )


def _find(warehouse: Warehouse) -> None:
    """Find units of goods that an order waits for, so that stock can be promised to it."""
    waiting = (SalesOrderState.BACKORDERED, SalesOrderState.PARTIALLY_ALLOCATED)
    lines = SalesOrderLine.objects.filter(order__warehouse=warehouse, order__state__in=waiting)
    lay = StockBalance.objects.filter(
        product_id__in=lines.order_by("id").values("product_id")[:1],
        location__warehouse=warehouse,
        location__kind=LocationKind.STORAGE,
    )
    balance = lay.order_by("-id").first()
    if balance is not None:
        found = Adjustment(
            balance.product_id,
            balance.location_id,
            ONE,
            MovementReason.FOUND,
            lot_id=balance.lot_id,
            note="Stood behind the shelf",
        )
        adjust_stock(warehouse_id=warehouse.pk, adjustments=[found])


def _transfer(origin: Warehouse, target: Warehouse, today: dt.date) -> None:
    """Ask for goods of another warehouse: one asked for, one to be sent, one on its way."""
    balances = list(_free(origin, today)[: 2 * len(TRANSFERS)])
    for number, state in enumerate(TRANSFERS):
        asked = {row.product_id: AskedLine(row.product_id, ONE) for row in balances[number::3]}
        if not asked:
            return
        order = create_transfer(
            from_warehouse_id=origin.pk,
            to_warehouse_id=target.pk,
            lines=list(asked.values()),
            expected_on=today + dt.timedelta(days=2),
        )
        if state == "draft":
            continue
        release_transfer(transfer_order_id=order.pk)
        if state == "sent":
            send_transfer(transfer_order_id=order.pk)


def _free(warehouse: Warehouse, today: dt.date) -> QuerySet[StockBalance]:
    """Return what lies in storage and is promised to nobody, the most first."""
    rows = promisable(today).filter(
        location__warehouse=warehouse,
        location__kind=LocationKind.STORAGE,
        on_hand__gte=F("allocated") + ENOUGH,
    )
    return rows.order_by("-on_hand", "id")
