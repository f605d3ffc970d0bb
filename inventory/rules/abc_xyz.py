"""ABC: how much of the yearly value a product stands for. XYZ: how steady its demand is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

ABC_CLASSES = ("A", "B", "C")
XYZ_CLASSES = ("X", "Y", "Z")


@dataclass(frozen=True)
class Cuts:
    """Up to which share of the value (percent), and of variation, a product is of a class.

    A product belongs to A while those before it, by falling value, have not yet reached ``a``
    percent; so the one that crosses the line is still A. Variation is the standard deviation of
    the weekly demand over its mean.
    """

    a: Decimal = Decimal(80)
    b: Decimal = Decimal(95)
    x: Decimal = Decimal("0.5")
    y: Decimal = Decimal("1.0")

    def changed(self, values: Mapping[str, Decimal]) -> Cuts:
        """Return the cuts with these values."""
        return replace(self, **values)

    def out_of_order(self) -> list[str]:
        """Return the names of the limits that do not grow."""
        wrong = [] if 0 < self.a < self.b < 100 else ["b_to"]
        return wrong if 0 < self.x < self.y else [*wrong, "y_to"]

    def as_arguments(self) -> dict[str, Decimal]:
        """Return the limits by the names that statements know."""
        return {"a_to": self.a, "b_to": self.b, "x_to": self.x, "y_to": self.y}


DEFAULT_CUTS = Cuts()
