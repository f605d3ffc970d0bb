"""Pages of a list by key: as fast at depth 900,000 as at the start, steady while rows come in."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Invalid

M = TypeVar("M", bound=Model)


class _Exact(DjangoJSONEncoder):
    """Writes moments to the microsecond: cut off, a page would begin with its predecessor's end."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


PAGE_SIZE = 50
LARGEST_PAGE = 200


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows in order; ``next_cursor`` is empty on the last page."""

    items: list[M]
    next_cursor: str


def keyset_page(
    queryset: QuerySet[M], *, order: Sequence[str], cursor: str = "", size: int = PAGE_SIZE
) -> Page[M]:
    """Return the page after ``cursor`` in ``order``, which must end in a unique column.

    ``order`` holds columns without NULLs, ``-`` for descending, e.g. ``("-priority", "id")``.
    Raises ``Invalid`` for a cursor that is not of this list and order.
    """
    rows = queryset.order_by(*order)
    if cursor:
        values = _decode(queryset, order, cursor)
        try:
            rows = rows.filter(_after(order, values))
        except (ValueError, TypeError, ValidationError) as error:
            # the value of an annotation is typed only here
            raise _not_valid_here() from error
    items = list(rows[: min(size, LARGEST_PAGE) + 1])
    more = len(items) > min(size, LARGEST_PAGE)
    items = items[: min(size, LARGEST_PAGE)]
    return Page(items, _encode(order, items[-1]) if more else "")


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return ``(a, b) > (x, y)``, written out because the directions may differ."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, values, strict=True):
        column = name.removeprefix("-")
        beyond = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{column}__{beyond}": value})
        equal &= Q(**{column: value})
    return condition


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.removeprefix("-").split(LOOKUP_SEP):
        value = getattr(value, part)
    return value


def _encode(order: Sequence[str], row: Model) -> str:
    state = [list(order), [_value(row, name) for name in order]]
    text = json.dumps(state, cls=_Exact, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(queryset: QuerySet[M], order: Sequence[str], cursor: str) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        given_order, values = json.loads(text)
        typed = [
            _typed(queryset.model, name, value) for name, value in zip(order, values, strict=True)
        ]
    except (binascii.Error, ValueError, TypeError, ValidationError) as error:
        raise _not_valid_here() from error
    if given_order != list(order):
        raise _not_valid_here()
    return typed


def _not_valid_here() -> Invalid:
    message = _("This page link is not valid here. Start from the first page.")
    return Invalid.field("cursor", "invalid", message)


def _typed(model: type[Model], name: str, value: Any) -> Any:
    parts = name.removeprefix("-").split(LOOKUP_SEP)
    for part in parts[:-1]:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]
    try:
        field = model._meta.get_field(parts[-1])
    except FieldDoesNotExist:
        return value  # an annotation: its JSON value is compared as it is
    return field.to_python(value) if isinstance(field, Field) else value
