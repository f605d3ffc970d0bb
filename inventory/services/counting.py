"""Cycle counts: asked for, begun, given up. Entering and reviewing have their own rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    OUTSIDE_KINDS,
    CountReason,
    CountState,
    CycleCount,
    Location,
    LocationKind,
    Product,
    WorkKind,
)
from inventory.queries.settings import inventory_settings
from inventory.rules.business_day import business_day
from inventory.services.counting_errors import WrongCountState
from inventory.services.numbers import take_numbers
from inventory.services.rows import check_version, load
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit

LONGEST_NOTE = 200
BEGINNING = (CountState.REQUESTED, CountState.RECOUNT, CountState.COUNTING)
UNCOUNTED_KINDS = frozenset({*OUTSIDE_KINDS, LocationKind.IN_TRANSIT})


def request_count(
    *,
    location_id: int,
    product_id: int | None = None,
    reason: CountReason = CountReason.MANUAL,
    due_on: date | None = None,
    note: str = "",
    risk: Decimal | None = None,
) -> CycleCount:
    """Ask for a location, or one product there, to be counted; due today unless told otherwise.

    A place has one open count: if there is one already it is returned, due on the earlier day. So
    is the count of the whole location while nobody has begun it, which covers the product. Raises
    ``NotFound``, ``Invalid`` for a place that cannot be counted.
    """
    require(Permission.FLOOR_WORK)
    location = load(Location, location_id)
    if location.kind in UNCOUNTED_KINDS:
        message = _("Nothing can be counted at %(code)s: no stock is kept there.")
        raise Invalid.field("location_id", "not_countable", message % {"code": location.code})
    if len(note) > LONGEST_NOTE:
        message = _("The note is longer than 200 characters.")
        raise Invalid.field("note", "too_long", message)
    product = None if product_id is None else load(Product, product_id)
    today = business_day(timezone.now(), location.warehouse.time_zone)
    count = CycleCount(
        warehouse=location.warehouse,
        location=location,
        product=product,
        reason=reason,
        is_blind=inventory_settings().blind_counts,
        due_on=due_on or today,
        risk=risk,
        note=note,
        requested_by_label=active_scope().actor.label[:160],
    )
    while True:
        existing = _open_count(location.pk, product_id)
        if existing is not None:
            return _hurried(existing, count.due_on)
        if _insert(count):
            audit.record("cycle_count.requested", count, number=count.number, reason=str(reason))
            return count


def start_count(*, cycle_count_id: int, version: int | None = None) -> CycleCount:
    """Take a count and begin it, or its next round; go on with one that was begun.

    Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        count = lock_count(cycle_count_id, BEGINNING, version)
        claim_work(kind=WorkKind.COUNT, subject_id=count.pk)
        if count.state != CountState.COUNTING:
            count.state = CountState.COUNTING
            save_count(count)
            data = {"number": count.number, "round": count.round_number}
            audit.record("cycle_count.started", count, **data)
    return count


def cancel_count(
    *, cycle_count_id: int, version: int | None = None, reason: str = ""
) -> CycleCount:
    """Give a count up before it is posted: what was counted stays readable and changes nothing.

    Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``.
    """
    require(Permission.APPROVE)
    with transaction.atomic():
        count = lock_count(cycle_count_id, CountState.open(), version)
        count.state = CountState.CANCELLED
        save_count(count)
        finish_work(kind=WorkKind.COUNT, subject_id=count.pk)
        audit.record("cycle_count.cancelled", count, number=count.number, reason=reason)
    return count


def lock_count(
    cycle_count_id: int, states: Sequence[CountState], version: int | None = None
) -> CycleCount:
    """Return the count, locked, in one of these states: of two people at once the second waits.

    For the other rooms of counting. Raises ``NotFound``, ``StaleVersion``, ``WrongCountState``.
    """
    count = load(CycleCount, cycle_count_id, lock=True)
    check_version(count, version)
    if count.state not in states:
        raise WrongCountState(count, *states)
    return count


def save_count(count: CycleCount) -> None:
    """Save a locked count as its next version."""
    count.version += 1
    count.save()


def _open_count(location_id: int, product_id: int | None) -> CycleCount | None:
    rows = CycleCount.objects.filter(location_id=location_id)
    whole = rows.filter(product__isnull=True)
    same = whole if product_id is None else rows.filter(product_id=product_id)
    found = same.filter(state__in=CountState.open()).first()
    if found is None and product_id is not None:
        found = whole.filter(state=CountState.REQUESTED).first()
    return found


def _hurried(count: CycleCount, due_on: date | None) -> CycleCount:
    if due_on is not None and (count.due_on is None or due_on < count.due_on):
        count.due_on = due_on
        count.save(update_fields=["due_on"])
    return count


def _insert(count: CycleCount) -> bool:
    """Save it under a new number; False when somebody opened one first."""
    try:
        with transaction.atomic():
            [count.number] = take_numbers("CC")
            count.save()
    except IntegrityError as error:
        # of two at once the second waits for the first on this key, then finds its count
        if "cycle_count_one_open" not in str(error):
            raise
        count.pk = None
        return False
    return True
