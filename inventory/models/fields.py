"""Exact numbers: quantities in base units, money in the tenant's currency. Never floats."""

from __future__ import annotations

from typing import Any

from django.db import models


def quantity_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Return a column for a quantity in the product's base unit, exact to a millionth."""
    return models.DecimalField(max_digits=18, decimal_places=6, **options)


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Return a column for an amount of money or a unit price, exact to a millionth."""
    return models.DecimalField(max_digits=18, decimal_places=6, **options)


def total_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Return a column for a sum of quantities, or of quantities times money: never too small."""
    return models.DecimalField(max_digits=38, decimal_places=6, **options)
