"""What a reorder decision is made from: position, supply terms, policy, demand. Nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from forecasting.decisions.lead_time_demand import ItemDemand

Number = int | float | Decimal


class ForecastState(StrEnum):
    """What stands behind the demand of an item."""

    FRESH = "fresh"
    BASELINE = "baseline"
    """A simple method serves the series: usable, and said."""
    STALE = "stale"
    """Older than allowed: nothing is ordered from it unless someone confirms."""
    MISSING = "missing"


@dataclass(frozen=True)
class StockPosition:
    """What is there and what is coming, in base units.

    What is owed already serves no further demand: `allocated` of what is on hand, and `backordered`
    beyond it. The forecast does not ask for either again.
    """

    on_hand: Number
    on_order: Number = 0
    in_transit: Number = 0
    backordered: Number = 0
    allocated: Number = 0

    @property
    def inventory_position(self) -> float:
        there = float(self.on_hand) + float(self.on_order) + float(self.in_transit)
        return there - float(self.allocated) - float(self.backordered)


@dataclass(frozen=True)
class PriceBreak:
    """Unit price of an order of at least `from_quantity`."""

    from_quantity: Number
    unit_price: Number


@dataclass(frozen=True)
class SupplyTerms:
    """What the chosen supplier asks for this item; quantities in base units."""

    unit_price: Number | None
    minimum_order_quantity: Number = 1
    order_multiple: Number = 1
    price_breaks: Sequence[PriceBreak] = ()
    fixed_order_cost: Number = 0
    """Cost of placing and receiving one order line, whatever its quantity."""
    transport_cost_per_unit: Number = 0
    currency: str = ""
    lead_time_known: bool = True

    def unit_price_at(self, quantity: Number) -> float | None:
        """Return the unit price of an order of that size, transport left out."""
        if self.unit_price is None:
            return None
        reached = [b for b in self.price_breaks if float(b.from_quantity) <= float(quantity)]
        if not reached:
            return float(self.unit_price)
        return float(max(reached, key=lambda one: float(one.from_quantity)).unit_price)


@dataclass(frozen=True)
class ReorderPolicy:
    """What the tenant wants for this item.

    The target is the first that is set of: fill_rate, service_level, and else the costs
    (lost_margin_per_unit against holding). Money per base unit, in `currency`.
    """

    service_level: float | None = 0.95
    fill_rate: float | None = None
    lost_margin_per_unit: Number | None = None
    holding_rate_per_year: float = 0.25
    review_period_days: int = 7
    minimum_stock: Number | None = None
    maximum_stock: Number | None = None
    shelf_life_days: int | None = None
    """Days an arriving unit can be sold; what cannot sell within them is not bought."""
    season_days: int | None = None
    """Days until the season ends (below zero: it is over); what cannot sell then is not bought."""
    do_not_stock: bool = False
    whole_units: bool = True
    currency: str = ""
    confirmed: bool = False
    """Someone looked at a stale forecast and wants the order anyway."""


@dataclass(frozen=True)
class OrderValue:
    """The supplier's least order value, what the order came to, and units added to reach it."""

    minimum: float
    value: float
    added_units: Number = 0


@dataclass(frozen=True)
class ReorderInputs:
    """Everything a decision depends on; `terms` None = no supplier, `demand` None = no forecast.

    order_value: set where the order of all lines is below the supplier's least.
    """

    key: str
    position: StockPosition
    policy: ReorderPolicy
    terms: SupplyTerms | None
    demand: ItemDemand | None
    forecast_state: ForecastState = ForecastState.FRESH
    order_value: OrderValue | None = None
