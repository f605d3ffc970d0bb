"""Goods that come back, from customers and to suppliers: rules of the floor machine."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    Lot,
    ReturnOutcome,
    ShipmentLine,
    StockBalance,
    StockMovement,
    SupplierReturn,
    SupplierReturnLine,
)
from inventory.services.returns import (
    BlindLine,
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    add_return_lines,
    add_shipped_lines,
    cancel_return,
    close_return,
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from inventory.services.supplier_returns import (
    ReturningLine,
    add_supplier_return_lines,
    call_back_supplier_return,
    cancel_supplier_return,
    close_supplier_return,
    create_supplier_return,
    remove_supplier_return_line,
    send_supplier_return,
)
from tests.properties.floor import Floor, choices, few, likely, nth

SEEN = (
    F("quantity_restocked")
    + F("quantity_quarantined")
    + F("quantity_scrapped")
    + F("quantity_to_supplier")
)


class Returns(Floor):
    def begin(self) -> None:
        """Have a part of what was shipped expected, and some of that in quarantine."""
        super().begin()
        self.expect_back(0, Decimal(2), elsewhere=False)
        self.take_in_return(0, Decimal(1), 0)
        self.plan_to_return(0, Decimal(1))

    # -- from customers -----------------------------------------------------------------------------
    @rule(n=choices, quantity=few, elsewhere=st.booleans())
    def expect_back(self, n: int, quantity: Decimal, elsewhere: bool) -> None:
        sent = ShipmentLine.objects.select_related("shipment")
        line = likely(sent, n, quantity__gt=F("quantity_returned"))
        if line is None:
            return
        place = self.other if elsewhere else self.site
        self.ask(
            "expect return",
            lambda: expect_return(
                sales_order_id=line.shipment.sales_order_id,
                warehouse_id=place.warehouse.pk,
                lines=[ExpectedLine(line.pk, quantity)],
            ),
        )

    def blind_line(self, n: int, quantity: Decimal) -> BlindLine:
        """Return goods of unknown origin, of a known lot or of one that is read later."""
        product = self.products[n % 3]
        lot = nth(Lot.objects.filter(product=product), n) if n % 2 else None
        return BlindLine(
            product.pk, Decimal(1) if n % 3 == 2 else quantity, lot.pk if lot else None
        )

    @rule(n=choices, quantity=few)
    def expect_unknown(self, n: int, quantity: Decimal) -> None:
        line, site = self.blind_line(n, quantity), self.site.warehouse.pk
        self.ask(
            "expect blind return", lambda: expect_blind_return(warehouse_id=site, lines=[line])
        )

    @rule(n=choices, quantity=few, shipped=st.booleans())
    def add_to_return(self, n: int, quantity: Decimal, shipped: bool) -> None:
        back = likely(CustomerReturn.objects.all(), n, state__in=["expected", "received"])
        if back is None:
            return
        sent = nth(ShipmentLine.objects.all(), n)
        if shipped and sent is not None:
            more = [ExpectedLine(sent.pk, quantity)]
            self.ask(
                "add shipped to return",
                lambda: add_shipped_lines(customer_return_id=back.pk, lines=more),
            )
            return
        lines = [self.blind_line(n, quantity)]
        self.ask("add to return", lambda: add_return_lines(customer_return_id=back.pk, lines=lines))

    @rule(n=choices, quantity=few, m=choices)
    def take_in_return(self, n: int, quantity: Decimal, m: int) -> None:
        known = CustomerReturnLine.objects.select_related("product")
        line = likely(known, n, quantity__gt=F("quantity_received"))
        if line is None:
            return
        tracking = line.product.lot_tracking
        codes = {"none": "", "lot": ("M1", "M9")[m % 2], "serial": f"S{m % 6}"}
        goods = ReturnedGoods(line.pk, quantity, "" if line.lot_id else codes[tracking])
        self.ask(
            "receive return",
            lambda: receive_return(customer_return_id=line.customer_return_id, goods=[goods]),
        )

    @rule(n=choices, quantity=few, outcome=st.sampled_from(ReturnOutcome), hold=st.booleans())
    def inspect(self, n: int, quantity: Decimal, outcome: ReturnOutcome, hold: bool) -> None:
        line = likely(CustomerReturnLine.objects.all(), n, quantity_received__gt=SEEN)
        if line is None:
            return
        goods = InspectedGoods(
            line.pk,
            outcome,
            quantity,
            note="looked at",
            supplier_id=self.supplier.pk if outcome == ReturnOutcome.TO_SUPPLIER else None,
            hold_lot=hold and line.lot_id is not None,
        )
        self.ask(
            f"inspect: {outcome}",
            lambda: inspect_return(customer_return_id=line.customer_return_id, goods=[goods]),
        )

    @rule(n=choices)
    def take_return_step_back(self, n: int) -> None:
        moves = StockMovement.objects.filter(document_kind="CustomerReturn", reverses=None)
        moved = nth(moves, n)
        if moved is not None:
            self.ask(
                "reverse return",
                lambda: reverse_return_movement(
                    customer_return_id=moved.document_id, movement_id=moved.pk, reason="mistake"
                ),
            )

    @rule(n=choices, done=st.booleans())
    def end_return(self, n: int, done: bool) -> None:
        back = likely(CustomerReturn.objects.all(), n, state="received" if done else "expected")
        if back is None:
            return
        if done:
            self.ask("close return", lambda: close_return(customer_return_id=back.pk))
        else:
            self.ask("cancel return", lambda: cancel_return(customer_return_id=back.pk))

    # -- to suppliers -------------------------------------------------------------------------------
    @rule(n=choices, quantity=few)
    def plan_to_return(self, n: int, quantity: Decimal) -> None:
        found = nth(StockBalance.objects.filter(on_hand__gt=0), n)
        if found is None:
            return
        line = ReturningLine(found.product_id, found.location_id, quantity, found.lot_id)
        draft = nth(SupplierReturn.objects.filter(state="draft"), n) if n % 2 else None
        if draft is not None:
            self.ask(
                "add to supplier return",
                lambda: add_supplier_return_lines(supplier_return_id=draft.pk, lines=[line]),
            )
            return
        self.ask(
            "plan supplier return",
            lambda: create_supplier_return(
                supplier_id=self.supplier.pk,
                warehouse_id=self.site.warehouse.pk,
                lines=[line],
            ),
        )

    @rule(n=choices)
    def keep_after_all(self, n: int) -> None:
        line = likely(SupplierReturnLine.objects.all(), n, supplier_return__state="draft")
        if line is not None:
            self.ask(
                "remove from supplier return",
                lambda: remove_supplier_return_line(
                    supplier_return_id=line.supplier_return_id, supplier_return_line_id=line.pk
                ),
            )

    @rule(n=choices)
    def send_back(self, n: int) -> None:
        back = likely(SupplierReturn.objects.all(), n, state="draft")
        if back is not None:
            self.ask(
                "send supplier return", lambda: send_supplier_return(supplier_return_id=back.pk)
            )

    @rule(n=choices)
    def call_back(self, n: int) -> None:
        back = likely(SupplierReturn.objects.all(), n, state="sent")
        if back is not None:
            self.ask(
                "call back supplier return",
                lambda: call_back_supplier_return(supplier_return_id=back.pk, reason="mistake"),
            )

    @rule(n=choices, done=st.booleans())
    def end_supplier_return(self, n: int, done: bool) -> None:
        back = likely(SupplierReturn.objects.all(), n, state="sent" if done else "draft")
        if back is None:
            return
        if done:
            self.ask(
                "close supplier return", lambda: close_supplier_return(supplier_return_id=back.pk)
            )
        else:
            self.ask(
                "cancel supplier return",
                lambda: cancel_supplier_return(supplier_return_id=back.pk),
            )
