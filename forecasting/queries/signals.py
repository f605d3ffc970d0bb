"""What drives demand from outside: promotions, prices, weather, public holidays."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import holidays
import numpy as np

from forecasting.models import ExternalSignal, SignalKind, SignalValue
from forecasting.pipeline.arrays import new_array
from forecasting.pipeline.feature_plan import MAX_LABELS
from forecasting.pipeline.series import OTHER_HOLIDAY, FloatArray, Signal
from inventory.models import Product, Warehouse
from tenancy.scope import active_scope

if TYPE_CHECKING:
    from forecasting.pipeline.series import SignalKind as ArrayKind

Pair = tuple[int, int]
HOLIDAY = "holiday"
"""The name of the signal that public holidays are."""


@dataclass(frozen=True)
class _Scoped:
    """One signal's row: the days it has values for, and whom it concerns."""

    row: ExternalSignal
    values: FloatArray

    @property
    def specificity(self) -> int:
        """The more is named, the more specific: a product beats a category, both beat a place."""
        scope = self.row
        return 4 * bool(scope.product_id) + 2 * bool(scope.category_id) + bool(scope.warehouse_id)


def signals_of(pairs: Sequence[Pair], first: date, last: date) -> tuple[Signal, ...]:
    """Return the signals of (product, warehouse) pairs for the days from `first` to `last`.

    A signal of one name may have several scopes; each pair takes the most specific that fits.
    """
    by_name: dict[tuple[str, str, bool], list[_Scoped]] = defaultdict(list)
    for scoped in _read_signals(first, last):
        by_name[(scoped.row.name, scoped.row.kind, scoped.row.is_known_ahead)].append(scoped)
    categories = dict(Product.objects.order_by().values_list("id", "category_id"))
    found = [
        _merge(name, kind, known_ahead, scopes, pairs, categories)
        for (name, kind, known_ahead), scopes in sorted(by_name.items())
    ]
    holiday = _holidays(pairs, first, last)
    return (*found, holiday) if holiday else tuple(found)


def signal_kinds() -> dict[str, str]:
    """Return the kind of every signal by its name; holidays are a kind of their own."""
    kinds = dict(ExternalSignal.objects.order_by("id").values_list("name", "kind"))
    return kinds | {HOLIDAY: HOLIDAY}


def _read_signals(first: date, last: date) -> list[_Scoped]:
    days = (last - first).days + 1
    arrays: dict[int, FloatArray] = {}
    rows = SignalValue.objects.filter(day__range=(first, last)).order_by()
    for signal_id, day, value in rows.values_list("signal_id", "day", "value"):
        array = arrays.setdefault(signal_id, np.full(days, np.nan, dtype=np.float32))
        array[(day - first).days] = value
    signals = ExternalSignal.objects.filter(id__in=arrays)
    return [_Scoped(signal, _fill(signal, arrays[signal.pk])) for signal in signals]


def _fill(signal: ExternalSignal, values: FloatArray) -> FloatArray:
    """Days without a value: no promotion; the last price still holds; anything else is unknown."""
    if signal.kind == SignalKind.PROMOTION:
        return np.nan_to_num(values)
    if signal.kind == SignalKind.PRICE:
        known = np.where(np.isfinite(values), np.arange(len(values)), -1)
        last = np.maximum.accumulate(known)
        return np.where(last >= 0, values[last], np.nan)
    return values


def _merge(
    name: str,
    kind: str,
    known_ahead: bool,
    scopes: list[_Scoped],
    pairs: Sequence[Pair],
    categories: Mapping[int, int | None],
) -> Signal:
    everywhere = [scope for scope in scopes if not scope.specificity]
    if len(scopes) == len(everywhere):
        values = everywhere[0].values
    else:
        blank = 0.0 if kind == SignalKind.PROMOTION else np.nan
        values = new_array((len(pairs), len(scopes[0].values)), np.float32)
        values[:] = blank
        for scope in sorted(scopes, key=lambda one: one.specificity):
            values[_concerned(scope.row, pairs, categories)] = scope.values
    flag = kind == SignalKind.PROMOTION and bool(np.isin(values, (0, 1)).all())
    array_kind: ArrayKind = "flag" if flag else "numeric"
    return Signal(name=name, values=values, known_ahead=known_ahead, kind=array_kind)


def _concerned(
    signal: ExternalSignal, pairs: Sequence[Pair], categories: Mapping[int, int | None]
) -> list[int]:
    return [
        row
        for row, (product, warehouse) in enumerate(pairs)
        if signal.product_id in (None, product)
        and signal.warehouse_id in (None, warehouse)
        and signal.category_id in (None, categories.get(product))
    ]


def _holidays(pairs: Sequence[Pair], first: date, last: date) -> Signal | None:
    """Return the public holidays of each warehouse's country (else the tenant's) as one signal.

    Where many countries have more names than a network reads, the rarest are one other holiday.
    """
    fallback = active_scope().tenant.country
    countries = {
        warehouse: country or fallback
        for warehouse, country in Warehouse.objects.order_by().values_list("id", "country")
    }
    calendars = {
        code: holiday_names(code, first, last)
        for code in {countries.get(warehouse, fallback) for _product, warehouse in pairs}
    }
    labels = _holiday_labels(calendars.values())
    if not labels:
        return None
    coded = {code: _codes(named, labels, first, last) for code, named in calendars.items()}
    if len(coded) == 1:
        values = next(iter(coded.values()))
    else:
        values = new_array((len(pairs), (last - first).days + 1), np.float32)
        for row, (_, warehouse) in enumerate(pairs):
            values[row] = coded[countries.get(warehouse, fallback)]
    return Signal(HOLIDAY, values, known_ahead=True, kind="category", labels=tuple(labels))


def _holiday_labels(calendars: Collection[Mapping[date, str]]) -> list[str]:
    """Return the names of holidays, in order; of too many the commonest, then the other one."""
    days = Counter(name for calendar in calendars for name in calendar.values())
    if len(days) <= MAX_LABELS:
        return sorted(days)
    commonest = sorted(days, key=lambda name: (-days[name], name))[: MAX_LABELS - 1]
    return [*sorted(commonest), OTHER_HOLIDAY]


def holiday_names(country: str, first: date, last: date) -> dict[date, str]:
    """Return the public holidays of a country by day; none for a country nobody knows."""
    if not country:
        return {}
    try:
        found = holidays.country_holidays(country, years=range(first.year, last.year + 1))
    except NotImplementedError:
        return {}
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


def _codes(named: dict[date, str], labels: list[str], first: date, last: date) -> FloatArray:
    values = np.full((last - first).days + 1, np.nan, dtype=np.float32)
    codes = {label: code for code, label in enumerate(labels)}
    for day, name in named.items():
        values[(day - first).days] = codes[name if name in codes else OTHER_HOLIDAY]
    return values
