"""Query parameters from an allowlist: filters and orders are declared, anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.fields import InstantField
from tenancy.errors import Invalid, Problem
from tenancy.queries.keyset import LARGEST_PAGE, PAGE_SIZE

Field = serializers.Field[Any, Any, Any, Any]
Narrow = Callable[[QuerySet[Any], Any], QuerySet[Any]]


@dataclass(frozen=True)
class Filter:
    """A query parameter: how it is read, and the lookup or function that narrows the list."""

    field: Field
    by: str | Narrow | None = None
    help: str = ""
    required: bool = False


@dataclass(frozen=True)
class Asked:
    """What the request asked for, validated."""

    values: dict[str, Any]
    order: tuple[str, ...]


def parse(
    request: Request,
    filters: Mapping[str, Filter],
    orders: Mapping[str, tuple[str, ...]],
    *,
    paged: bool = True,
) -> Asked:
    """Return the declared parameters as values; raise ``Invalid`` naming every bad one."""
    given = request.query_params
    known = {*filters, *(("cursor", "limit") if paged else ()), *(("order",) if orders else ())}
    problems = [
        Problem(name, "unknown_parameter", _("There is no such parameter."))
        for name in sorted(set(given) - known)
    ]
    values: dict[str, Any] = {}
    for name, wanted in filters.items():
        if name in given:
            try:
                values[name] = wanted.field.run_validation(given[name])
            except serializers.ValidationError as error:
                detail = error.detail[0] if isinstance(error.detail, list) else error.detail
                problems.append(Problem(name, "invalid", str(detail)))
        elif wanted.required:
            problems.append(Problem(name, "required", _("This parameter is required.")))
    usual = next(iter(orders), "")
    order = given.get("order", usual)
    if orders and order not in orders:
        names = ", ".join(orders)
        problems.append(Problem("order", "unknown", _("One of: %(names)s.") % {"names": names}))
    if problems:
        raise Invalid(problems)
    return Asked(values=values, order=orders.get(order, ()))


def apply(rows: QuerySet[Any], filters: Mapping[str, Filter], asked: Asked) -> QuerySet[Any]:
    """Return the rows narrowed by what was asked for."""
    for name, value in asked.values.items():
        by = filters[name].by
        if callable(by):
            rows = by(rows, value)
        elif by is not None:
            rows = rows.filter(**{by: value})
    return rows


def describe(
    filters: Mapping[str, Filter], orders: Mapping[str, tuple[str, ...]], *, paged: bool = True
) -> list[OpenApiParameter]:
    """Return the parameters for the OpenAPI schema."""
    described = [
        OpenApiParameter(
            name, _schema(wanted.field), description=wanted.help, required=wanted.required
        )
        for name, wanted in filters.items()
    ]
    if orders:
        described.append(OpenApiParameter("order", str, enum=list(orders)))
    if paged:
        limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}
        described.append(OpenApiParameter("limit", limit, description="Items a page."))
        described.append(OpenApiParameter("cursor", str, description="From the last page's next."))
    return described


def _schema(field: Field) -> dict[str, Any]:
    if isinstance(field, serializers.ChoiceField):
        kind = "integer" if all(isinstance(choice, int) for choice in field.choices) else "string"
        return {"type": kind, "enum": list(field.choices)}
    if isinstance(field, serializers.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, serializers.IntegerField):
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, serializers.DateTimeField):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, serializers.DateField):
        return {"type": "string", "format": "date"}
    return {"type": "string"}


# -- the usual ones -------------------------------------------------------------------------------
def text_filter(by: str | Narrow | None = None, *, help: str = "", most: int = 100) -> Filter:  # noqa: A002
    """Return a filter by a text."""
    return Filter(serializers.CharField(max_length=most), by, help)


def id_filter(by: str | Narrow | None = None, *, required: bool = False) -> Filter:
    """Return a filter by the id of a related row."""
    number = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    return Filter(number, by, required=required)


def flag_filter(by: str) -> Filter:
    """Return a filter by yes or no."""
    return Filter(serializers.BooleanField(), by)


def date_filter(by: str | None = None, *, help: str = "") -> Filter:  # noqa: A002
    """Return a filter by a day."""
    return Filter(serializers.DateField(), by, help)


def instant_filter(*, required: bool = False, help: str = "") -> Filter:  # noqa: A002
    """Return a parameter that is a moment with its offset from UTC."""
    return Filter(InstantField(), help=help, required=required)


def choice_filter(by: str, choices: Any) -> Filter:
    """Return a filter by one of the choices."""
    return Filter(serializers.ChoiceField(choices=choices), by)


class _IdsField(serializers.CharField):
    """Ids separated by commas, at most as many as a page has items."""

    default_error_messages = {"not_ids": "Up to {most} ids, separated by commas."}

    def to_internal_value(self, data: Any) -> Any:
        words = str(data).split(",")
        right = all(word.isascii() and word.isdigit() and len(word) < 19 for word in words)
        if not right or len(words) > LARGEST_PAGE:
            self.fail("not_ids", most=LARGEST_PAGE)
        return [int(word) for word in words]


def ids_filter(*, required: bool = False) -> Filter:
    """Return a parameter of several ids, separated by commas."""
    return Filter(_IdsField(max_length=4000), help="Ids, separated by commas.", required=required)
