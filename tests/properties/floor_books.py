"""Lots, closed periods, values and reversals: rules of the floor machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from inventory.models import (
    InventorySettings,
    Lot,
    LotStatus,
    StockMovement,
    ValuationMethod,
)
from inventory.services.adjustments import take_back_movement
from inventory.services.lots import set_lot_status
from inventory.services.periods import close_period, reopen_period
from inventory.services.valuation import Revaluation, change_valuation_method, revalue_stock
from tests.properties.floor import Floor, choices, nth

days = st.integers(min_value=0, max_value=40)


class Books(Floor):
    def begin(self) -> None:
        super().begin()
        self.close_books(35)

    @rule(n=choices, status=st.sampled_from(LotStatus))
    def judge_lot(self, n: int, status: LotStatus) -> None:
        lot = nth(Lot.objects.exclude(status=status), n)
        if lot is not None:
            self.ask(f"lot: {status}", lambda: set_lot_status(lot_id=lot.pk, status=status))

    @rule(ago=days)
    def close_books(self, ago: int) -> None:
        through = datetime.now(UTC).date() - timedelta(days=ago)
        self.ask("close period", lambda: close_period(through=through))

    @rule(ago=days, all_of_it=st.booleans())
    def open_books(self, ago: int, all_of_it: bool) -> None:
        day = None if all_of_it else datetime.now(UTC).date() - timedelta(days=ago)
        self.ask(
            "reopen period", lambda: reopen_period(closed_through=day, reason="a late invoice")
        )

    @rule(method=st.sampled_from(ValuationMethod), other=st.booleans())
    def value_by(self, method: ValuationMethod, other: bool) -> None:
        if other and InventorySettings.objects.get().valuation_method == method:
            method = next(one for one in ValuationMethod if one != method)
        self.ask(f"value by {method}", lambda: change_valuation_method(method=method))

    @rule(n=choices, value=st.integers(min_value=0, max_value=99).map(Decimal))
    def revalue(self, n: int, value: Decimal) -> None:
        site = (self.site, self.other)[n % 2].warehouse.pk
        change = Revaluation(self.products[n % 3].pk, site, value, "market price")
        self.ask("revalue", lambda: revalue_stock(revaluation=change))

    @rule(n=choices, back=days, operator=st.booleans())
    def reverse(self, n: int, back: int, operator: bool) -> None:
        """Take any movement back, whoever made it and whatever it belongs to."""
        found = nth(StockMovement.objects.all(), n)
        if found is None:
            return
        when = datetime.now(UTC) - timedelta(days=back) if back % 3 == 0 else None

        def undo() -> object:
            return take_back_movement(movement_id=found.pk, effective_at=when)

        role = "operator" if operator else "manager"
        self.ask("reverse", lambda: self.acting_as(role, undo))
