"""Buy or move: what each way to get the goods costs, in one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from forecasting.decisions.freight import FreightQuote
from forecasting.decisions.suppliers import DAYS_PER_YEAR, LandedCost


class SourceKind(StrEnum):
    """How goods get to where they are needed."""

    BUY = "buy"
    TRANSFER = "transfer"
    BOTH = "both"
    """What a surplus has is moved, and the rest is bought."""


class SourceObstacle(StrEnum):
    """Why a way is not taken although it is there."""

    COVERS_PART = "covers_part"
    """The surplus is less than what is needed."""
    REST_TOO_SMALL = "rest_too_small"
    """The supplier sells no less than would come to more than buying everything."""
    BELOW_ORDER_VALUE = "below_order_value"
    """Without these units the order is below the supplier's least value."""


@dataclass(frozen=True)
class Surplus:
    """What another warehouse has beyond its own order-up-to level.

    units: what can leave; position: all it has or is about to have; mean_daily: what it sells.
    """

    warehouse_id: int
    units: float
    position: float
    mean_daily: float


@dataclass(frozen=True)
class MoveCost:
    """What moving goods between warehouses takes."""

    per_transfer: float
    per_unit: float
    days: float


@dataclass(frozen=True)
class Need:
    """What is needed here: units, what is lost per unit that is missing, and how fast it sells."""

    units: float
    unit_cost: float
    unit_margin: float
    mean_daily: float
    position: float
    holding_rate_per_year: float


@dataclass(frozen=True)
class SourceOption:
    """One way to get the goods: money per unit, part by part; `total` is their sum.

    goods: price, or what the unit is worth where it lies now; moving: transport and the share of
    fixed costs; keeping: rejects, capital on the way and stock held for the lead time; waiting:
    margin expected to be lost until the goods are there.
    """

    kind: SourceKind
    key: int
    quantity: float
    days: float
    goods: float
    moving: float
    keeping: float
    waiting: float
    obstacle: str = ""
    freight: FreightQuote | None = None
    """Of what is bought: what its transport cost was taken from."""
    moved: float = 0.0
    """Units that are moved; the others are bought."""
    bought_from: int = 0
    """Of both: the offer that the rest is bought at; `key` is where the others lie."""

    @property
    def total(self) -> float:
        """Money per unit."""
        return self.goods + self.moving + self.keeping + self.waiting


def worth_where_it_lies(need: Need, surplus: Surplus) -> float:
    """Return what a surplus unit is worth to the warehouse that has it.

    It replaces a unit bought there once the position has sold down to it, after position / demand
    days: its cost then, less holding it until then; nothing where it never sells.
    """
    if surplus.mean_daily <= 0:
        return 0.0
    years = surplus.position / surplus.mean_daily / DAYS_PER_YEAR
    return need.unit_cost * max(1 - need.holding_rate_per_year * years, 0.0)


def transfer_option(need: Need, surplus: Surplus, move: MoveCost) -> SourceOption:
    """Return what it costs to move the units from a surplus."""
    units = min(need.units, surplus.units)
    return SourceOption(
        kind=SourceKind.TRANSFER,
        key=surplus.warehouse_id,
        quantity=units,
        days=move.days,
        goods=worth_where_it_lies(need, surplus),
        moving=move.per_unit + (move.per_transfer / units if units > 0 else 0.0),
        keeping=need.unit_cost * need.holding_rate_per_year * move.days / DAYS_PER_YEAR,
        waiting=_waiting(need, move.days, units),
        obstacle="" if units >= need.units - 1e-9 else SourceObstacle.COVERS_PART,
        moved=units,
    )


def buy_option(need: Need, key: int, cost: LandedCost) -> SourceOption:
    """Return what it costs to buy the units at an offer's landed cost."""
    return SourceOption(
        kind=SourceKind.BUY,
        key=key,
        quantity=float(cost.order_quantity),
        days=cost.lead_time_days,
        goods=cost.price,
        moving=cost.transport + cost.ordering,
        keeping=cost.rejects + cost.in_transit + cost.cycle_stock + cost.safety_stock,
        waiting=_waiting(need, cost.lead_time_days, need.units),
        obstacle="" if cost.obstacle is None else str(cost.obstacle),
        freight=cost.freight,
    )


def both_option(need: Need, moved: SourceOption, rest: SourceOption) -> SourceOption:
    """Return what it costs to move a part and to buy the rest: both costs by their units.

    What comes first sells while the rest is on its way, so less is lost in waiting: the shortage
    until the move, and that between the move and the delivery beyond what was moved.
    """
    units = moved.moved + rest.quantity
    move_days, days = moved.days, max(rest.days, moved.days)
    position = max(need.position, 0.0)
    first = max(need.mean_daily * move_days - position, 0.0)
    left = max(position - need.mean_daily * move_days, 0.0) + moved.moved
    then = max(need.mean_daily * (days - move_days) - left, 0.0)

    def shared(name: str) -> float:
        own, other = float(getattr(moved, name)), float(getattr(rest, name))
        return (own * moved.moved + other * rest.quantity) / units

    return SourceOption(
        kind=SourceKind.BOTH,
        key=moved.key,
        quantity=units,
        days=days,
        goods=shared("goods"),
        moving=shared("moving"),
        keeping=shared("keeping"),
        waiting=need.unit_margin * (first + then) / units,
        obstacle=rest.obstacle,
        freight=rest.freight,
        moved=moved.moved,
        bought_from=rest.key,
    )


def compare_sources(options: Sequence[SourceOption]) -> tuple[SourceOption, ...]:
    """Return the options, the cheapest per unit first, those with an obstacle last."""
    return tuple(sorted(options, key=lambda one: (bool(one.obstacle), one.total, one.key)))


def _waiting(need: Need, days: float, units: float) -> float:
    """Margin lost until the goods are there, at the pace of the forecast, per unit obtained."""
    short = max(need.mean_daily * days - max(need.position, 0.0), 0.0)
    return need.unit_margin * short / units if units > 0 else 0.0
