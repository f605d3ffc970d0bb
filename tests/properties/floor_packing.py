"""Packing, staging, shipping: rules of the floor machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import Package, PackageLine
from inventory.services.pack_items import PackItem
from inventory.services.packing import (
    close_package,
    discard_package,
    open_package,
    pack,
    pack_rest,
    reopen_package,
    unpack,
)
from inventory.services.shipping import ship_order
from inventory.services.staging import stage_order
from inventory.services.stock import SaleLine, ship_sale
from tests.properties.floor import choices, few, likely, nth, quantities
from tests.properties.floor_outbound import Outbound

PICKED = {"lines__quantity_picked__gt": 0}
PACKED = {"packages__state": "closed"}


class Packing(Outbound):
    def begin(self) -> None:
        """Ship one order, so that something can come back, and pack a part of another."""
        super().begin()
        for _wave in range(2):
            self.pick_a_wave(0)
        self.pack(0)
        self.ship(0, everything=True)
        self.pack_a_part(0, Decimal(1))

    @rule(n=choices)
    def pack(self, n: int) -> None:
        if (order := self.order(n, **PICKED)) is None:
            return

        def fill() -> Any:
            package = open_package(sales_order_id=order.pk)
            pack_rest(package_id=package.pk)
            return close_package(package_id=package.pk)

        self.ask("pack", fill)

    @rule(n=choices, quantity=few)
    def pack_a_part(self, n: int, quantity: Decimal) -> None:
        if (order := self.order(n, **PICKED)) is None:
            return
        line = nth(order.lines.filter(quantity_picked__gt=0), n)
        found = nth(line.allocations.filter(state="picked"), n) if line else None
        if found is None:
            return
        item = PackItem(found.product_id, quantity, found.lot_id)

        def fill() -> Any:
            package = open_package(sales_order_id=order.pk)
            return pack(package_id=package.pk, items=[item])

        self.ask("pack a part", fill)

    @rule(n=choices, quantity=few)
    def take_out(self, n: int, quantity: Decimal) -> None:
        line = likely(PackageLine.objects.all(), n, package__state="open")
        if line is None:
            return
        found = line.allocation
        item = PackItem(found.product_id, quantity, found.lot_id)
        self.ask("unpack", lambda: unpack(package_id=line.package_id, items=[item]))

    @rule(n=choices)
    def close_a_package(self, n: int) -> None:
        package = likely(Package.objects.all(), n, state="open")
        if package is not None:
            self.ask("close package", lambda: close_package(package_id=package.pk))

    @rule(n=choices, away=st.booleans())
    def open_again(self, n: int, away: bool) -> None:
        package = likely(Package.objects.all(), n, state="open" if away else "closed")
        if package is None:
            return
        if away:
            self.ask("discard package", lambda: discard_package(package_id=package.pk))
        else:
            self.ask("reopen package", lambda: reopen_package(package_id=package.pk))

    @rule(n=choices)
    def stage(self, n: int) -> None:
        if (order := self.order(n, **PACKED)) is not None:
            self.ask("stage", lambda: stage_order(sales_order_id=order.pk))

    @rule(n=choices, everything=st.booleans())
    def ship(self, n: int, everything: bool) -> None:
        if (order := self.order(n, **(PICKED if everything else PACKED))) is not None:
            self.ask("ship", lambda: ship_order(sales_order_id=order.pk, pack_all=everything))

    @rule(n=choices)
    def ship_a_package(self, n: int) -> None:
        package = likely(Package.objects.all(), n, state="closed")
        if package is not None:
            self.ask(
                "ship package",
                lambda: ship_order(sales_order_id=package.sales_order_id, package_ids=[package.pk]),
            )

    @rule(n=choices, quantity=quantities, short=st.booleans())
    def sell_over_the_counter(self, n: int, quantity: Decimal, short: bool) -> None:
        line = SaleLine(self.products[n % 3].pk, quantity, Decimal(4), self.channel.pk)
        site = self.site.warehouse.pk
        self.ask(
            "counter sale",
            lambda: ship_sale(warehouse_id=site, lines=[line], allow_short=short),
        )
