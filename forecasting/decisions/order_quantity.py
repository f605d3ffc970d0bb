"""From a need to a quantity that can be ordered: limits, MOQ, order multiple, price breaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property

from forecasting.decisions.reorder_inputs import Number, SupplyTerms
from forecasting.decisions.reorder_reasons import Reason, ReasonPart

Quantity = int | Decimal
_SLACK = Decimal("1e-9")
"""Sums of floats end in 144.0000000003; that is no reason to order another case."""


@dataclass(frozen=True)
class Limit:
    """An order may not be larger than this, and why; `blocked` says so when the MOQ is larger."""

    reason: Reason
    blocked: Reason
    quantity: float
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class HoldingCost:
    """What a larger order costs later: yearly rate on value, demand per day, cost of one order."""

    rate_per_year: float
    mean_daily: float
    fixed_order_cost: float = 0.0


@dataclass(frozen=True)
class FittedQuantity:
    """A quantity the supplier sells and how it came about; 0 where `blocked` says why none fits."""

    quantity: Quantity
    parts: tuple[ReasonPart, ...]
    blocked: ReasonPart | None = None


@dataclass(frozen=True)
class OrderLattice:
    """The quantities a supplier sells: multiples of one number, from a least one on."""

    minimum: Decimal
    multiple: Decimal
    whole: bool

    @cached_property
    def least(self) -> Decimal:
        """The smallest quantity that is both a multiple and at least the minimum."""
        return max(self._steps(self.minimum, ROUND_CEILING), Decimal(1)) * self.multiple

    def up(self, quantity: float) -> Decimal:
        """Return the smallest quantity sold that is at least this one."""
        return max(
            self._steps(_decimal(quantity) - _SLACK, ROUND_CEILING) * self.multiple, self.least
        )

    def down(self, quantity: float) -> Decimal:
        """Return the largest quantity sold that is at most this one; 0 where there is none."""
        below = self._steps(_decimal(quantity) + _SLACK, ROUND_FLOOR) * self.multiple
        return below if below >= self.least else Decimal(0)

    def exact(self, quantity: Decimal) -> Quantity:
        """Return whole units as int, anything else as Decimal."""
        return int(quantity) if self.whole else quantity

    def _steps(self, quantity: Decimal, rounding: str) -> Decimal:
        return (quantity / self.multiple).to_integral_value(rounding=rounding)


def order_lattice(terms: SupplyTerms, *, whole_units: bool) -> OrderLattice:
    """Return the quantities that terms allow; MOQ and multiple must have been checked."""
    return OrderLattice(
        _decimal(terms.minimum_order_quantity), _decimal(terms.order_multiple), whole_units
    )


def fit_quantity(
    need: float,
    terms: SupplyTerms,
    limits: Sequence[Limit],
    holding: HoldingCost,
    *,
    whole_units: bool,
) -> FittedQuantity:
    """Return the quantity to order for a need: limited, rounded, raised to a price that pays.

    Rounds up where the limits allow it, else down. Nothing fits: quantity 0 and the reason.
    """
    lattice = order_lattice(terms, whole_units=whole_units)
    steps = _Steps(need)
    tightest = min(limits, key=lambda one: one.quantity, default=None)
    cap = tightest.quantity if tightest else math.inf
    if tightest and cap < need:
        steps.move_to(cap, tightest.reason, **tightest.data)
    if tightest and float(lattice.least) > cap + float(_SLACK):
        return FittedQuantity(0, tuple(steps.parts), _blocked(tightest, terms, cap))
    if steps.quantity < float(lattice.minimum) - float(_SLACK):
        steps.move_to(
            float(lattice.minimum),
            Reason.MINIMUM_ORDER_QUANTITY,
            minimum_order_quantity=_plain(lattice.minimum),
        )
    rounded = lattice.up(steps.quantity)
    if float(rounded) > cap + float(_SLACK):
        rounded = lattice.down(cap)
    single = lattice.whole and lattice.multiple == 1
    steps.move_to(
        float(rounded),
        Reason.WHOLE_UNIT if single else Reason.ORDER_MULTIPLE,
        order_multiple=_plain(lattice.multiple),
    )
    rounded = _take_price_break(rounded, cap, lattice, terms, holding, steps)
    return FittedQuantity(lattice.exact(rounded), tuple(steps.parts))


def price_break_saving(
    quantity: float, larger: float, terms: SupplyTerms, holding: HoldingCost
) -> float:
    """Return what a larger order saves over the time it lasts; negative where it costs more.

    Purchase and order cost of the larger quantity bought at once against as many small orders,
    plus holding cost of the higher mean stock (the quantity-discount model of Silver, Pyke and
    Thomas, 2017, ch. 4): r p' Q' Q' / 2d - r p Q Q' / 2d, with d in units per year.
    """
    regular, reduced = terms.unit_price_at(quantity), terms.unit_price_at(larger)
    if regular is None or reduced is None or holding.mean_daily <= 0 or quantity <= 0:
        return 0.0
    yearly = holding.mean_daily * 365
    purchase = (regular - reduced) * larger
    orders = holding.fixed_order_cost * (larger / quantity - 1)
    extra = holding.rate_per_year * larger / (2 * yearly) * (reduced * larger - regular * quantity)
    return purchase + orders - extra


def _take_price_break(
    quantity: Decimal,
    cap: float,
    lattice: OrderLattice,
    terms: SupplyTerms,
    holding: HoldingCost,
    steps: "_Steps",
) -> Decimal:
    best, best_saving = quantity, 0.0
    for one in terms.price_breaks:
        larger = lattice.up(float(one.from_quantity))
        if larger <= quantity or float(larger) > cap:
            continue
        saving = price_break_saving(float(quantity), float(larger), terms, holding)
        if saving > best_saving:
            best, best_saving = larger, saving
    if best > quantity:
        steps.move_to(
            float(best),
            Reason.PRICE_BREAK,
            from_quantity=_plain(best),
            unit_price=terms.unit_price_at(best),
            regular_price=terms.unit_price_at(quantity),
            saving=round(best_saving, 2),
        )
    return best


def _blocked(limit: Limit, terms: SupplyTerms, cap: float) -> ReasonPart:
    return ReasonPart(
        limit.blocked,
        data={
            **limit.data,
            "minimum_order_quantity": _plain(_decimal(terms.minimum_order_quantity)),
            "limit": round(max(cap, 0.0), 3),
        },
    )


class _Steps:
    """The running quantity and the part of each step that changed it."""

    def __init__(self, quantity: float) -> None:
        self.quantity = quantity
        self.parts: list[ReasonPart] = []

    def move_to(self, quantity: float, reason: Reason, **data: object) -> None:
        change = quantity - self.quantity
        if abs(change) > float(_SLACK):
            self.parts.append(ReasonPart(reason, change, quantity, data))
            self.quantity = quantity


def _decimal(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _plain(value: Decimal) -> Quantity:
    return int(value) if value == value.to_integral_value() else value
