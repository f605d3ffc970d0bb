"""Cycle counts: which are open, what is to be counted, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import DateField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from inventory.models import (
    CountLine,
    CountReason,
    CountState,
    CycleCount,
    Lot,
    Product,
    StockBalance,
    Warehouse,
)
from inventory.queries.access import in_allowed
from inventory.queries.settings import inventory_settings
from inventory.rules.count_tolerance import Tolerance, is_outside
from tenancy.errors import NotFound

NO_DAY = date.max
ZERO = Decimal(0)

Key = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class RoundCount:
    """What one round counted."""

    round_number: int
    counted: Decimal
    counted_by: str
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class CountItem:
    """One product and lot of a count, over all rounds, in base units.

    While the count hides what it expects, everything that would tell is None, and earlier rounds
    are left out. ``is_open``: it is still to be counted in this round. ``is_stale``: stock moved
    since, so that its variance cannot be posted. ``value`` is the variance at unit cost.
    """

    product: Product
    lot: Lot | None
    line_id: int | None
    rounds: tuple[RoundCount, ...]
    is_open: bool
    counted: Decimal | None = None
    expected: Decimal | None = None
    variance: Decimal | None = None
    moved_since: Decimal | None = None
    unit_cost: Decimal | None = None
    value: Decimal | None = None
    on_hand: Decimal | None = None
    allocated: Decimal | None = None
    is_outside: bool = False
    is_stale: bool = False
    to_recount: bool = False

    @property
    def left(self) -> Decimal:
        """Return what would lie there once the variance is posted."""
        return (self.on_hand or ZERO) + (self.variance or ZERO)

    @property
    def is_below_allocated(self) -> bool:
        """Tell whether less would be left than is promised."""
        return bool(self.variance) and self.left < (self.allocated or ZERO)


@dataclass(frozen=True)
class CountTotals:
    """Sums over the items of a count; values at unit cost, goods without one left out."""

    items: int
    differing: int
    outside: int
    stale: int
    net_value: Decimal
    gross_value: Decimal


def counts() -> QuerySet[CycleCount]:
    """Return every count with its place, newest first."""
    rows = CycleCount.objects.select_related("warehouse", "location__zone", "product")
    return in_allowed(rows.order_by("-id"), "warehouse_id")


def search_counts(
    *, text: str = "", warehouse_id: int | None = None, zone_id: int | None = None
) -> QuerySet[CycleCount]:
    """Return counts whose number, location or SKU starts with ``text``.

    Each has ``due``: the day it is due, or the last day there is when none is known.
    """
    rows = counts().annotate(due=Coalesce(F("due_on"), Value(NO_DAY), output_field=DateField()))
    if text:
        rows = rows.filter(
            Q(number__istartswith=text)
            | Q(location__code__istartswith=text)
            | Q(product__sku__istartswith=text)
        )
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if zone_id is not None:
        rows = rows.filter(location__zone_id=zone_id)
    return rows


def in_states(rows: QuerySet[CycleCount], states: Sequence[CountState]) -> QuerySet[CycleCount]:
    """Keep the counts in one of these states."""
    return rows.filter(state__in=states)


def requested_by_schedule(warehouse: Warehouse) -> int:
    """Return how many counts the schedule has requested in the warehouse today, its own day."""
    zone = ZoneInfo(warehouse.time_zone)
    began = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = CycleCount.objects.filter(warehouse=warehouse, reason=CountReason.SCHEDULED)
    return int(rows.filter(requested_at__gte=began).count())


def get_count(cycle_count_id: int) -> CycleCount:
    """Return the count with its place; raise ``NotFound``."""
    found = counts().filter(pk=cycle_count_id).first()
    if found is None:
        raise NotFound("cycle count", cycle_count_id)
    return found


def next_count(location_id: int) -> CycleCount | None:
    """Return the most urgent count of a location that waits for somebody to go there, or None."""
    rows = counts().filter(location_id=location_id, state__in=CountState.to_count())
    return rows.order_by(F("due_on").asc(nulls_last=True), "id").first()


def final_lines(cycle_count_id: int) -> list[CountLine]:
    """Return the last round's line of each product and lot."""
    rows = CountLine.objects.filter(count_id=cycle_count_id).select_related("product", "lot")
    return list(
        rows.order_by("product_id", "lot_id", "-round_number").distinct("product_id", "lot_id")
    )


def book_at(count: CycleCount) -> dict[Key, StockBalance]:
    """Return the balances at the place of a count, of its product if it has one; empty ones too."""
    rows = StockBalance.objects.filter(location_id=count.location_id)
    if count.product_id is not None:
        rows = rows.filter(product_id=count.product_id)
    return {(row.product_id, row.lot_id): row for row in rows.select_related("product", "lot")}


def count_items(count: CycleCount) -> list[CountItem]:
    """Return what a count is about, by SKU and lot: three statements for any number of items.

    While it is being counted that is what the book has there, or in a later round what has to be
    counted again, and whatever was found besides; afterwards what was counted.
    """
    lines: dict[Key, list[CountLine]] = {}
    rows = CountLine.objects.filter(count_id=count.pk).select_related("product", "lot")
    for line in rows.order_by("round_number", "id"):
        lines.setdefault((line.product_id, line.lot_id), []).append(line)
    book = book_at(count)
    keys = set(lines)
    if count.state in CountState.to_count():
        keys = _keys_of_round(count, book, lines)
    tolerance = inventory_tolerance()
    items = [_item(count, book.get(key), lines.get(key, []), tolerance) for key in keys]
    items += _asked_for(count, keys)
    return sorted(items, key=lambda item: (item.product.sku, item.lot.code if item.lot else ""))


def count_totals(items: Sequence[CountItem]) -> CountTotals:
    """Return the sums over the items."""
    values = [item.value for item in items if item.value is not None]
    return CountTotals(
        items=len(items),
        differing=sum(1 for item in items if item.variance),
        outside=sum(1 for item in items if item.is_outside),
        stale=sum(1 for item in items if item.is_stale),
        net_value=sum(values, ZERO),
        gross_value=sum((abs(value) for value in values), ZERO),
    )


def _keys_of_round(
    count: CycleCount, book: dict[Key, StockBalance], lines: dict[Key, list[CountLine]]
) -> set[Key]:
    now = {key for key, known in lines.items() if known[-1].round_number == count.round_number}
    if count.round_number == 1:
        return now | {key for key, balance in book.items() if balance.on_hand > 0}
    return now | {key for key, known in lines.items() if known[-1].to_recount}


def _asked_for(count: CycleCount, known: set[Key]) -> list[CountItem]:
    """Return the product a count was asked for when the book has none of it there."""
    product = count.product
    if product is None or known or count.state not in CountState.to_count():
        return []
    if product.lot_tracking != "none" or count.round_number > 1:
        return []
    return [CountItem(product, None, None, (), is_open=True)]


def _item(
    count: CycleCount,
    balance: StockBalance | None,
    lines: list[CountLine],
    tolerance: Tolerance,
) -> CountItem:
    of_round = [line for line in lines if line.round_number == count.round_number]
    known = of_round if count.hides_expected else lines
    goods = lines[-1] if lines else balance
    assert goods is not None  # noqa: S101 - a key comes from one of them
    is_open = count.state in CountState.to_count() and not of_round
    rounds = tuple(
        RoundCount(line.round_number, line.counted, line.counted_by_label, line.counted_at)
        for line in known
    )
    if count.hides_expected:
        last = of_round[-1] if of_round else None
        return CountItem(
            goods.product,
            goods.lot,
            last.pk if last else None,
            rounds,
            is_open,
            counted=last.counted if last else None,
        )
    if not lines or is_open:
        on_hand = balance.on_hand if balance else ZERO
        return CountItem(goods.product, goods.lot, None, rounds, is_open, expected=on_hand)
    is_pending = count.state in (CountState.COUNTED, CountState.APPROVED)
    return _reviewed(lines[-1], balance, rounds, tolerance, is_pending=is_pending)


def _reviewed(
    line: CountLine,
    balance: StockBalance | None,
    rounds: tuple[RoundCount, ...],
    tolerance: Tolerance,
    *,
    is_pending: bool,
) -> CountItem:
    version = balance.on_hand_version if balance else 0
    return CountItem(
        line.product,
        line.lot,
        line.pk,
        rounds,
        is_open=False,
        counted=line.counted + line.moved_since,
        expected=line.expected + line.moved_since,
        variance=line.variance,
        moved_since=line.moved_since,
        unit_cost=line.unit_cost,
        value=None if line.unit_cost is None else line.variance * line.unit_cost,
        on_hand=balance.on_hand if balance else ZERO,
        allocated=balance.allocated if balance else ZERO,
        is_outside=is_outside_tolerance(line, tolerance),
        is_stale=is_pending and bool(line.variance) and version != line.on_hand_version,
        to_recount=line.to_recount,
    )


def inventory_tolerance() -> Tolerance:
    """Return what the tenant takes from one count."""
    known = inventory_settings()
    return Tolerance(percent=known.count_tolerance_percent, value=known.count_tolerance_value)


def is_outside_tolerance(line: CountLine, tolerance: Tolerance) -> bool:
    """Tell whether the line's variance is above the tolerance."""
    return is_outside(
        expected=line.expected,
        counted=line.counted,
        unit_cost=line.unit_cost,
        tolerance=tolerance,
    )
