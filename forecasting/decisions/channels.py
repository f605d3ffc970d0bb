"""Stock of one product between several places that sell it: what to move."""

from collections.abc import Sequence
from dataclasses import dataclass

from forecasting.decisions.lead_time_demand import ItemDemand

STEPS = 50


@dataclass(frozen=True)
class Place:
    """A channel or warehouse of a product: its stock, demand until replenished, money per unit."""

    key: str
    stock: float
    demand: ItemDemand
    unit_margin: float


@dataclass(frozen=True)
class Transfer:
    """Units to move, and the margin that saves after the cost of moving."""

    from_key: str
    to_key: str
    units: float
    saving: float


def find_transfers(
    places: Sequence[Place], cost_per_unit: float, cost_per_transfer: float = 0.0, unit: float = 1.0
) -> tuple[Transfer, ...]:
    """Return moves between places that save more margin than they cost, the largest saving first.

    Each step moves from where a unit is missed least to where it saves most, as long as that pays
    for `cost_per_unit`; a pair whose steps do not pay for `cost_per_transfer` is left out. Nothing
    moves in a circle: a place gives or receives, never both.
    """
    stock = [max(one.stock, 0.0) for one in places]
    step = _step(sum(stock), unit)
    moved: dict[tuple[int, int], tuple[float, float]] = {}
    gives: set[int] = set()
    takes: set[int] = set()
    while True:
        givers = [
            (_gain(one, stock[k] - step, step), k)
            for k, one in enumerate(places)
            if k not in takes and stock[k] >= step - 1e-9
        ]
        takers = [(_gain(one, stock[k], step), k) for k, one in enumerate(places) if k not in gives]
        best = max(
            (
                (gain - loss - cost_per_unit * step, -giver, -taker)
                for loss, giver in givers
                for gain, taker in takers
                if giver != taker
            ),
            default=(0.0, 0, 0),
        )
        if best[0] <= 1e-9:
            break
        saving, giver, taker = best[0], -best[1], -best[2]
        units, saved = moved.get((giver, taker), (0.0, 0.0))
        moved[giver, taker] = units + step, saved + saving
        stock[giver] -= step
        stock[taker] += step
        gives.add(giver)
        takes.add(taker)
    found = [
        Transfer(places[giver].key, places[taker].key, units, saved - cost_per_transfer)
        for (giver, taker), (units, saved) in moved.items()
        if saved > cost_per_transfer
    ]
    return tuple(sorted(found, key=lambda one: (-one.saving, one.from_key, one.to_key)))


def _step(total: float, unit: float) -> float:
    """A multiple of the unit that walks through the total in about STEPS steps."""
    return max(round(total / STEPS / unit), 1) * unit


def _gain(place: Place, stock: float, step: float) -> float:
    """Margin that a step more of stock is expected to save."""
    short = place.demand.expected_shortage
    return (short(stock) - short(stock + step)) * max(place.unit_margin, 0.0)
