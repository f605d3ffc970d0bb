"""Shipped goods that come back, for tests of returns. Open inside a tenant scope."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    Lot,
    Product,
    ReturnOutcome,
    Shipment,
    ShipmentLine,
    Supplier,
)
from inventory.services.returns import (
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    expect_return,
    inspect_return,
    receive_return,
)
from inventory.services.shipping import ship_order
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer
from tests.inventory.outbound_world import Floor, make_floor


@dataclass(frozen=True)
class Counter:
    """Where customers bring things back to."""

    floor: Floor

    def at(self, kind: str) -> int:
        """Return the id of the location of that kind."""
        return self.floor.site.at(kind)

    def shipped(self, product: Product, quantity: Any, lot: Lot | None = None) -> Shipment:
        """Sell and ship so much of a product."""
        order = self.floor.ready(product, quantity, lot=lot)
        self.floor.picked(order)
        return ship_order(sales_order_id=order.pk, pack_all=True)

    def expected(self, shipment: Shipment, quantity: Any, **more: Any) -> CustomerReturn:
        """Expect so much of the only line of a shipment back."""
        line = ShipmentLine.objects.get(shipment=shipment)
        return expect_return(
            sales_order_id=shipment.sales_order_id,
            lines=[ExpectedLine(line.pk, Decimal(str(quantity)))],
            **more,
        )

    def received(self, shipment: Shipment, quantity: Any) -> CustomerReturn:
        """Have so much of a shipment back in quarantine."""
        return self.take(self.expected(shipment, quantity), quantity)

    def take(self, back: CustomerReturn, quantity: Any, **more: Any) -> CustomerReturn:
        """Receive so much of the only line of a return."""
        part = ReturnedGoods(line_of(back).pk, Decimal(str(quantity)), **more)
        return receive_return(customer_return_id=back.pk, goods=[part])

    def inspect(
        self, back: CustomerReturn, *outcomes: tuple[str, Any], **more: Any
    ) -> CustomerReturn:
        """Decide what becomes of the only line of a return."""
        goods = [
            InspectedGoods(line_of(back).pk, ReturnOutcome(outcome), Decimal(str(quantity)), **more)
            for outcome, quantity in outcomes
        ]
        return inspect_return(customer_return_id=back.pk, goods=goods)


def make_counter() -> Counter:
    """Create a warehouse to sell from and to return to."""
    return Counter(make_floor())


def line_of(back: CustomerReturn) -> CustomerReturnLine:
    """Return the only line of a return, as the database has it."""
    return CustomerReturnLine.objects.get(customer_return=back)


def fresh(back: CustomerReturn) -> CustomerReturn:
    """Return the return as the database has it."""
    return CustomerReturn.objects.get(pk=back.pk)


def returned(shipment: Shipment) -> Decimal:
    """Return how much of a shipment's only line is expected or back."""
    return ShipmentLine.objects.get(shipment=shipment).quantity_returned


def outcomes(back: CustomerReturn) -> tuple[int, int, int, int]:
    """Return restocked, quarantined, scrapped and handed on of the only line."""
    line = line_of(back)
    return (
        int(line.quantity_restocked),
        int(line.quantity_quarantined),
        int(line.quantity_scrapped),
        int(line.quantity_to_supplier),
    )


def supplied_by(code: str, *products: Product, **offer: Any) -> Supplier:
    """Create a supplier that offers these products at 2.50."""
    supplier = create_supplier(fields=SupplierFields(code=code, name=code.title()))
    for product in products:
        set_offer(
            supplier_id=supplier.pk,
            product_id=product.pk,
            offer=Offer(**({"price": Decimal("2.5")} | offer)),
        )
    return supplier
