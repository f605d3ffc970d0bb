"""Counting: what was found is entered, taken back and handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CountLine,
    CountState,
    CycleCount,
    Lot,
    LotTracking,
    Product,
    WorkKind,
)
from inventory.queries.counting import (
    CountItem,
    count_items,
    inventory_tolerance,
    is_outside_tolerance,
)
from inventory.rules.units import quantity_fault
from inventory.services.count_sql import ENTER_LINES
from inventory.services.counting import lock_count, save_count
from inventory.services.counting_errors import LineFault, NotAllCounted, NothingToUndo
from inventory.services.ledger_balances import fetch
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.rows import load_many
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Invalid, NotFound, Problem, lines_numbered_as
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, active_tenant_id
from tenancy.services import audit

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class CountEntry:
    """What was found of a product, and lot where it is tracked, in base units; zero for none.

    A lot the book does not know yet is named by ``lot_code``.
    """

    product_id: int
    counted: Decimal
    lot_id: int | None = None
    lot_code: str = ""
    expires_on: date | None = None


def enter_count(*, cycle_count_id: int, entries: Sequence[CountEntry]) -> list[int]:
    """Enter what was found; the same product and lot again replaces what this round had.

    Returns the lines' ids. Each remembers what the book had there at that moment. The count is
    taken, or held longer. Raises ``NotFound``, ``Invalid``, ``WrongCountState``,
    ``ClaimedByOther``.
    """
    actor = require(Permission.FLOOR_WORK)
    if not entries:
        raise Invalid.field("entries", "empty", _("There is nothing to enter."))
    with transaction.atomic():
        count = _take(cycle_count_id)
        products = load_many(Product, [entry.product_id for entry in entries])
        lots = load_many(Lot, [entry.lot_id for entry in entries if entry.lot_id is not None])
        _check(count, entries, products, lots)
        return _write(count, _with_lots(entries), actor)


def undo_entry(*, cycle_count_id: int, line_id: int | None = None) -> CountLine:
    """Take back what the actor entered last in this round, or the line named; return it.

    Raises ``NotFound``, ``WrongCountState``, ``ClaimedByOther``, ``NothingToUndo``.
    """
    actor = require(Permission.FLOOR_WORK)
    with transaction.atomic():
        count = _take(cycle_count_id)
        rows = CountLine.objects.filter(count=count, round_number=count.round_number)
        rows = rows.filter(counted_by_kind=actor.kind, counted_by_id=actor.id)
        if line_id is not None:
            rows = rows.filter(pk=line_id)
        line: CountLine | None = (
            rows.select_related("product", "lot").order_by("counted_at", "id").last()
        )
        if line is None:
            raise NothingToUndo
        undone_id = line.pk
        line.delete()
        line.pk = undone_id
    return line


def submit_count(
    *, cycle_count_id: int, uncounted_are_zero: bool = False, version: int | None = None
) -> CycleCount:
    """Hand a round in: that is all that is here.

    What the book has there and nobody counted has to be confirmed: ``uncounted_are_zero`` enters
    it as zero. A first round with a variance above the tolerance is counted again (``recount``),
    otherwise the count waits for its approval. Raises ``NotFound``, ``StaleVersion``,
    ``WrongCountState``, ``ClaimedByOther``, ``NotAllCounted``.
    """
    actor = require(Permission.FLOOR_WORK)
    with transaction.atomic():
        count = _take(cycle_count_id, version)
        open_items = [item for item in count_items(count) if item.is_open]
        if open_items and not uncounted_are_zero:
            raise NotAllCounted([_fault(item) for item in open_items])
        zeros = [
            CountEntry(item.product.pk, Decimal(0), item.lot.pk if item.lot else None)
            for item in open_items
        ]
        if zeros:
            _write(count, zeros, actor)
        outside = _outside(count)
        if outside and count.round_number == 1:
            CountLine.objects.filter(pk__in=outside).update(to_recount=True)
            count.round_number += 1
            count.state = CountState.RECOUNT
        else:
            count.state = CountState.COUNTED
        count.counted_at = timezone.now()
        save_count(count)
        finish_work(kind=WorkKind.COUNT, subject_id=count.pk)
        audit.record(
            "cycle_count.submitted",
            count,
            number=count.number,
            state=count.state,
            confirmed_zero=len(zeros),
            outside=len(outside),
        )
    return count


def _take(cycle_count_id: int, version: int | None = None) -> CycleCount:
    count = lock_count(cycle_count_id, (CountState.COUNTING,), version)
    claim_work(kind=WorkKind.COUNT, subject_id=count.pk)
    return count


def _outside(count: CycleCount) -> list[int]:
    tolerance = inventory_tolerance()
    rows = CountLine.objects.filter(count=count, round_number=count.round_number)
    return [line.pk for line in rows if is_outside_tolerance(line, tolerance)]


def _fault(item: CountItem) -> LineFault:
    lot = item.lot
    return LineFault(item.product.pk, item.product.sku, lot.pk if lot else None, str(lot or ""))


def _check(
    count: CycleCount,
    entries: Sequence[CountEntry],
    products: dict[int, Product],
    lots: dict[int, Lot],
) -> None:
    problems: list[Problem] = []
    for number, entry in enumerate(entries):
        product = products[entry.product_id]
        if entry.lot_id is not None and lots[entry.lot_id].product_id != product.pk:
            raise NotFound("lot", entry.lot_id, line=number)
        if count.product_id not in (None, product.pk):
            message = _("This count is of another product.")
            problems.append(Problem("product_id", "other_product", message, number))
        problems += _quantity_problems(number, entry, product)
        problems += _lot_problems(number, entry, product)
    if problems:
        raise Invalid(problems)


def _twice(number: int) -> Problem:
    return Problem("product_id", "twice", _("This is entered twice: add it up."), number)


def _quantity_problems(number: int, entry: CountEntry, product: Product) -> Iterable[Problem]:
    if entry.counted == 0 and entry.counted.is_finite():
        return  # none of it is here: that can be counted, too
    fault = quantity_fault(entry.counted, whole_units=product.whole_units)
    if fault:
        yield Problem("counted", fault.value, QUANTITY_FAULTS[fault], number)
    elif product.lot_tracking == LotTracking.SERIAL and entry.counted != ONE:
        message = _("A serial number is here once or not at all.")
        yield Problem("counted", "serial_is_one", message, number)


def _lot_problems(number: int, entry: CountEntry, product: Product) -> Iterable[Problem]:
    named = entry.lot_id is not None or bool(entry.lot_code)
    if product.lot_tracking == LotTracking.NONE and named:
        message = _("This product is not tracked by lot: leave the lot out.")
        yield Problem("lot_id", "lot_forbidden", message, number)
    elif product.lot_tracking != LotTracking.NONE and not named:
        message = _("This product is tracked by lot: name the lot.")
        yield Problem("lot_id", "lot_required", message, number)
    elif entry.lot_id is not None and entry.lot_code:
        message = _("Name the lot once: by its id, or by its code.")
        yield Problem("lot_code", "lot_twice", message, number)


def _with_lots(entries: Sequence[CountEntry]) -> list[CountEntry]:
    """Return the entries with lot ids; a lot the book does not know is created."""
    numbers = [number for number, entry in enumerate(entries) if entry.lot_code]
    labels = [
        LotLabel(entries[n].product_id, entries[n].lot_code, entries[n].expires_on) for n in numbers
    ]
    with lines_numbered_as(numbers):
        ids = dict(zip(numbers, ensure_lots(labels=labels), strict=True))
    known = [
        CountEntry(entry.product_id, entry.counted, ids.get(number, entry.lot_id))
        for number, entry in enumerate(entries)
    ]
    seen: set[tuple[int, int | None]] = set()
    for number, entry in enumerate(known):
        if (entry.product_id, entry.lot_id) in seen:
            raise Invalid([_twice(number)])
        seen.add((entry.product_id, entry.lot_id))
    return known


def _write(count: CycleCount, entries: Sequence[CountEntry], actor: Actor) -> list[int]:
    rows = fetch(
        ENTER_LINES,
        {
            "tenant": active_tenant_id(),
            "count": count.pk,
            "round": count.round_number,
            "kind": actor.kind,
            "actor": actor.id,
            "label": actor.label[:160],
            "location": count.location_id,
            "warehouse": count.warehouse_id,
            "products": [entry.product_id for entry in entries],
            "lots": [entry.lot_id for entry in entries],
            "counted": [entry.counted for entry in entries],
        },
    )
    return [row[0] for row in rows]
