"""Short words for counting in tests: who counts what, and how far it gets."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from inventory.models import CycleCount, InventorySettings, Product
from inventory.services.count_entry import CountEntry, enter_count, submit_count
from inventory.services.counting import request_count, start_count
from tests.cast import House
from tests.inventory.book import Site

EXPECTED = "7341"
"""How many the book has: a number that looks like no other in an answer."""


def tolerate(percent: Any = 2, value: Any = 10, **more: Any) -> None:
    """Set what the tenant takes from one count."""
    fields = {
        "count_tolerance_percent": Decimal(str(percent)),
        "count_tolerance_value": Decimal(str(value)),
    }
    InventorySettings.objects.update_or_create(defaults=fields | more)


def entry(product: Product, counted: Any, **more: Any) -> CountEntry:
    """Return what was found of a product."""
    number = counted if isinstance(counted, Decimal) else Decimal(str(counted))
    return CountEntry(product.pk, number, **more)


def begun(house: House, site: Site, role: str = "operator", **request: Any) -> CycleCount:
    """Return a count of storage that the member of that role has begun."""
    with house.scope(role):
        count = request_count(location_id=site.at("storage"), **request)
        return start_count(cycle_count_id=count.pk)


def enter(house: House, count: CycleCount, *entries: CountEntry, role: str = "operator") -> None:
    """Enter what the member of that role found."""
    with house.scope(role):
        enter_count(cycle_count_id=count.pk, entries=entries)


def counted(
    house: House, site: Site, *entries: CountEntry, role: str = "operator", **request: Any
) -> CycleCount:
    """Return a count of storage handed in by the member of that role, recounted if need be."""
    count = begun(house, site, role, **request)
    with house.scope(role):
        enter_count(cycle_count_id=count.pk, entries=entries)
        count = submit_count(cycle_count_id=count.pk, uncounted_are_zero=True)
        if count.state == "recount":
            start_count(cycle_count_id=count.pk)
            wanted = [e for e in entries if _is_open(count, e)]
            enter_count(cycle_count_id=count.pk, entries=wanted)
            count = submit_count(cycle_count_id=count.pk, uncounted_are_zero=True)
    return count


def _is_open(count: CycleCount, one: CountEntry) -> bool:
    lines = count.lines.filter(product_id=one.product_id, round_number=1, to_recount=True)
    return bool(lines.exists())


def without_random_words(text: str) -> str:
    """Return the text without keys, tokens and request ids, which may hold any number."""
    return re.sub(r"\b[A-Za-z0-9]{20,}\b", "", text)
