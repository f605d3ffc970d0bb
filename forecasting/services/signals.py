"""Signals from outside: promotions, prices, weather, any number per day; made, filled, removed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _, gettext_lazy

from forecasting.models import ExternalSignal, SignalKind, SignalValue
from forecasting.queries.signals import HOLIDAY
from forecasting.services.work_lists import one_at_a_time
from inventory.models import Category, Product, Warehouse
from inventory.queries.access import may_work_in, require_warehouse
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

MOST_VALUES = 4000
LARGEST = 1e12
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
_OUT_OF_RANGE = gettext_lazy("Choose a day from 2000 to 2099.")
_UNUSABLE = gettext_lazy("Give a number from -1,000,000,000,000 to 1,000,000,000,000.")


class SignalTaken(Conflict):
    """There is a signal of this name and scope."""

    code = "signal_taken"


class SignalElsewhere(Conflict):
    """A change would reach signals of warehouses the actor does not work in."""

    code = "signal_elsewhere"


@dataclass(frozen=True, slots=True)
class SignalFields:
    """What a signal is, and whom it concerns: nothing named means everywhere."""

    name: str
    kind: str
    is_known_ahead: bool = False
    product_id: int | None = None
    category_id: int | None = None
    warehouse_id: int | None = None


@dataclass(frozen=True, slots=True)
class DayValue:
    """The value of a day; None takes the day's value away."""

    day: date
    value: float | None


def create_signal(*, fields: SignalFields) -> ExternalSignal:
    """Make a signal without values; signals of one name are of one kind, known ahead or not.

    Raises ``PermissionRefused``, ``Invalid``, ``NotFound``, ``SignalTaken``.
    """
    require(Permission.PLAN)
    name = fields.name.strip()
    problems = []
    if not name:
        problems.append(Problem("name", "required", _("Give the signal a name.")))
    if name.lower() == HOLIDAY:
        text = _("Public holidays are known by themselves; choose another name.")
        problems.append(Problem("name", "taken", text))
    if fields.kind not in SignalKind.values:
        problems.append(Problem("kind", "unknown", _("Choose one of the kinds.")))
    if problems:
        raise Invalid(problems)
    _check_scope(fields)
    try:
        with transaction.atomic():
            _check_name(name, fields)
            made = ExternalSignal.objects.create(
                name=name,
                kind=fields.kind,
                is_known_ahead=fields.is_known_ahead,
                product_id=fields.product_id,
                category_id=fields.category_id,
                warehouse_id=fields.warehouse_id,
            )
    except IntegrityError as error:
        raise SignalTaken(
            _("There is a signal “%(name)s” with this scope already.") % {"name": name}
        ) from error
    audit.record("signal.created", made, name=name)
    return made


def _check_name(name: str, fields: SignalFields) -> None:
    """Refuse a signal that says otherwise than those of its name: a network reads them as one."""
    one_at_a_time("signal_names")
    one = ExternalSignal.objects.filter(name=name).order_by("id").first()
    if one is None:
        return
    problems = []
    if fields.kind != one.kind:
        text = _("“%(name)s” is of kind %(kind)s for others. Choose that kind or another name.")
        words = text % {"name": name, "kind": one.get_kind_display().lower()}
        problems.append(Problem("kind", "contradicts", words))
    if fields.is_known_ahead != one.is_known_ahead:
        text = _("“%(name)s” is known ahead for others. Say so here too, or choose another name.")
        if not one.is_known_ahead:
            text = _(
                "“%(name)s” is not known ahead for others. Leave that out or choose another name."
            )
        problems.append(Problem("is_known_ahead", "contradicts", text % {"name": name}))
    if problems:
        raise Invalid(problems)


def set_known_ahead(*, external_signal_id: int, is_known_ahead: bool) -> list[ExternalSignal]:
    """Say whether a signal's coming days are planned, for all signals of its name; return them.

    A network reads signals of one name as one. The next training learns from its coming days, or
    from the past ones only; until then a network that learned from coming days that are not known
    any more reckons without them. Raises ``PermissionRefused``, ``NotFound``, ``SignalElsewhere``.
    """
    require(Permission.PLAN)
    one_at_a_time("signal_names")
    signal = lock_signal(external_signal_id)
    rows = list(ExternalSignal.objects.select_for_update().filter(name=signal.name).order_by("id"))
    if not all(row.warehouse_id is None or may_work_in([row.warehouse_id]) for row in rows):
        text = _("“%(name)s” is kept for warehouses you do not work in. Ask who works there.")
        raise SignalElsewhere(text % {"name": signal.name})
    changed = [row for row in rows if row.is_known_ahead != is_known_ahead]
    ExternalSignal.objects.filter(pk__in=[row.pk for row in changed]).update(
        is_known_ahead=is_known_ahead
    )
    for row in rows:
        row.is_known_ahead = is_known_ahead
    said = {"before": {"is_known_ahead": not is_known_ahead}}
    said |= {"after": {"is_known_ahead": is_known_ahead}}
    audit.record_each("signal.updated", [(row, said) for row in changed])
    return rows


def _check_scope(fields: SignalFields) -> None:
    if fields.product_id is not None and not Product.objects.filter(pk=fields.product_id).exists():
        raise NotFound("product", fields.product_id)
    category = fields.category_id
    if category is not None and not Category.objects.filter(pk=category).exists():
        raise NotFound("category", category)
    if fields.warehouse_id is not None:
        require_warehouse(fields.warehouse_id)
        if not Warehouse.objects.filter(pk=fields.warehouse_id).exists():
            raise NotFound("warehouse", fields.warehouse_id)


def set_signal_values(*, external_signal_id: int, values: Sequence[DayValue]) -> int:
    """Set the values of days, replacing those there are; return how many days changed.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``.
    """
    require(Permission.PLAN)
    signal = lock_signal(external_signal_id)
    problems = value_problems(values)
    if problems:
        raise Invalid(problems)
    write_values([(signal.pk, one) for one in values])
    audit.record("signal.values_set", signal, days=len(values))
    return len(values)


def fill_signal(
    *, external_signal_id: int, first_day: date, last_day: date, value: float | None
) -> int:
    """Set one value for a range of days, both ends included.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``.
    """
    days = (last_day - first_day).days + 1
    if days < 1:
        text = _("The last day is before the first.")
        raise Invalid.field("last_day", "before_first", text)
    if days > MOST_VALUES:
        text = _("Set at most %(most)d days at once.") % {"most": MOST_VALUES}
        raise Invalid.field("last_day", "too_long", text)
    problems = [
        Problem(name, "out_of_range", _OUT_OF_RANGE)
        for name, day in (("first_day", first_day), ("last_day", last_day))
        if not EARLIEST <= day <= LATEST
    ]
    if value is not None and not _is_usable(value):
        problems.append(Problem("value", "out_of_range", _UNUSABLE))
    if problems:
        raise Invalid(problems)
    values = [DayValue(first_day + timedelta(days=step), value) for step in range(days)]
    return set_signal_values(external_signal_id=external_signal_id, values=values)


def delete_signal(*, external_signal_id: int) -> None:
    """Remove a signal and its values; the next forecast knows nothing of it.

    Raises ``PermissionRefused``, ``NotFound``.
    """
    require(Permission.PLAN)
    signal = lock_signal(external_signal_id)
    audit.record("signal.deleted", signal, name=signal.name)
    signal.delete()


def lock_signal(external_signal_id: int) -> ExternalSignal:
    """Return the signal, locked; raise ``NotFound``."""
    rows = ExternalSignal.objects.select_for_update().filter(pk=external_signal_id)
    found = rows.first()
    if found is None:
        raise NotFound("signal", external_signal_id)
    if found.warehouse_id is not None:
        require_warehouse(found.warehouse_id)
    return found


def value_problems(values: Sequence[DayValue]) -> list[Problem]:
    """Return what is wrong with values, by their line."""
    if not values:
        return [Problem("values", "required", _("Give at least one day."))]
    if len(values) > MOST_VALUES:
        text = _("Set at most %(most)d days at once.") % {"most": MOST_VALUES}
        return [Problem("values", "too_many", text)]
    found = []
    for line, one in enumerate(values):
        if not EARLIEST <= one.day <= LATEST:
            found.append(Problem("day", "out_of_range", _OUT_OF_RANGE, line=line))
        if one.value is not None and not _is_usable(one.value):
            found.append(Problem("value", "out_of_range", _UNUSABLE, line=line))
    return found


def _is_usable(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= LARGEST


def write_values(values: Iterable[tuple[int, DayValue]]) -> None:
    """Write values by signal: two statements per thousand days; the last of a day counts."""
    latest = {(signal, one.day): one.value for signal, one in values}
    kept = [
        SignalValue(signal_id=signal, day=day, value=value)
        for (signal, day), value in latest.items()
        if value is not None
    ]
    SignalValue.objects.bulk_create(
        kept,
        batch_size=1000,
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=["tenant", "signal", "day"],
    )
    gone: dict[int, list[date]] = {}
    for (signal, day), value in latest.items():
        if value is None:
            gone.setdefault(signal, []).append(day)
    for signal, days in gone.items():
        SignalValue.objects.filter(signal_id=signal, day__in=days).delete()
