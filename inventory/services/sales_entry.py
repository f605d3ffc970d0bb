"""Sales orders come in: by hand one at a time, from shops by the hundred, each only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Channel,
    Customer,
    CustomerSegment,
    Product,
    SalesOrder,
    SalesOrderLine,
    Warehouse,
)
from inventory.queries.access import in_allowed
from inventory.services.numbers import take_numbers
from inventory.services.rows import LARGEST_ID
from inventory.services.sales_lines import SalesLine, build_lines, line_problems
from tenancy.errors import Conflict, Invalid, NotFound, Problem, Refused, Text
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

ROWS_AT_ONCE = 2000
LONGEST_ADDRESS = 600
TYPED_FIELDS = frozenset({"reference", "promised_on", "ship_to_name", "ship_to_address", "note"})
REFERENCE_ONCE = "sales_order_reference_once"


@dataclass(frozen=True, kw_only=True)
class SalesOrderFields:
    """What is said about an order besides its lines; ``segment_id`` left out: the customer's."""

    warehouse_id: int
    channel_id: int
    customer_id: int | None = None
    segment_id: int | None = None
    reference: str = ""
    priority: int = 5
    promised_on: date | None = None
    ship_to_name: str = ""
    ship_to_address: str = ""
    note: str = ""


@dataclass(frozen=True)
class NewSalesOrder:
    fields: SalesOrderFields
    lines: Sequence[SalesLine] = ()


@dataclass(frozen=True)
class EntryOutcome:
    """What became of one of several orders: either the order or why there is none."""

    order: SalesOrder | None = None
    refusal: Refused | None = None


class ReferenceTaken(Conflict):
    """The channel's order of that reference is here already; ``data`` says which it is."""

    code = "reference_taken"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Order %(reference)s of this channel is here already: it is %(number)s.")
        super().__init__(
            message % {"reference": order.reference, "number": order.number},
            reference=order.reference,
            number=order.number,
            sales_order_id=order.pk,
        )


class ReferenceTwice(Conflict):
    """Two orders of one request have the same channel and reference."""

    code = "reference_twice"

    def __init__(self, reference: str) -> None:
        message = _("Order %(reference)s of this channel comes twice in this request.")
        super().__init__(message % {"reference": reference}, reference=reference)


def create_sales_order(*, fields: SalesOrderFields, lines: Sequence[SalesLine] = ()) -> SalesOrder:
    """Create a draft. Raises ``NotFound``, ``Invalid``, ``ReferenceTaken``."""
    [outcome] = create_sales_orders(orders=[NewSalesOrder(fields, lines)])
    if outcome.refusal is not None:
        raise outcome.refusal
    assert outcome.order is not None  # noqa: S101 - one or the other
    return outcome.order


def create_sales_orders(*, orders: Sequence[NewSalesOrder]) -> list[EntryOutcome]:
    """Create a draft of each order that is in order, and say of each other why not.

    A dozen statements, however many orders. Whoever wants all or nothing raises on a refusal.
    """
    require(Permission.SELL)
    try:
        with transaction.atomic():
            return _create(orders)
    except IntegrityError as error:
        if REFERENCE_ONCE not in str(error):
            raise
    # somebody brought one of them in at the same moment; by now it can be seen
    return _create(orders)


def _create(orders: Sequence[NewSalesOrder]) -> list[EntryOutcome]:
    known = _Known.of(orders)
    refusals = [_refusal(order, known) for order in orders]
    good = [order for order, refusal in zip(orders, refusals, strict=True) if refusal is None]
    numbers = iter(take_numbers("SO", len(good)) if good else [])
    made: list[EntryOutcome] = []
    for order, refusal in zip(orders, refusals, strict=True):
        if refusal is not None:
            made.append(EntryOutcome(refusal=refusal))
        else:
            row = _row(order.fields, known)
            row.number = next(numbers)
            made.append(EntryOutcome(order=row))
    rows = [outcome.order for outcome in made if outcome.order is not None]
    SalesOrder.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    lines = [
        line
        for row, order in zip(rows, good, strict=True)
        for line in build_lines(row, order.lines, known.rows[Product])
    ]
    SalesOrderLine.objects.bulk_create(lines, batch_size=ROWS_AT_ONCE)
    told = [
        (row, {"number": row.number, "lines": len(order.lines)})
        for row, order in zip(rows, good, strict=True)
    ]
    audit.record_each("sales_order.created", told)
    return made


Rows = Mapping[type[models.Model], Mapping[int, Any]]
REFERRED: tuple[tuple[type[models.Model], str], ...] = (
    (Warehouse, "warehouse_id"),
    (Channel, "channel_id"),
    (Customer, "customer_id"),
    (CustomerSegment, "segment_id"),
)


@dataclass(frozen=True)
class _Known:
    """What the orders refer to, read once for all of them."""

    rows: Rows
    taken: Mapping[tuple[int, str], SalesOrder]
    given: Mapping[tuple[int, str], int]

    @classmethod
    def of(cls, orders: Sequence[NewSalesOrder]) -> _Known:
        wanted: dict[type[models.Model], set[int]] = {
            model: {getattr(order.fields, name) or 0 for order in orders}
            for model, name in REFERRED
        }
        wanted[Product] = {line.product_id for order in orders for line in order.lines}
        rows = {model: _rows(model, ids) for model, ids in wanted.items()}
        keys = [_key(order.fields) for order in orders if order.fields.reference]
        existing = SalesOrder.objects.filter(
            channel_id__in={key[0] for key in keys}, reference__in={key[1] for key in keys}
        )
        taken = {(row.channel_id, row.reference): row for row in existing} if keys else {}
        return cls(rows, taken, Counter(keys))


def _rows(model: type[models.Model], ids: Iterable[int]) -> dict[int, Any]:
    wanted = [row_id for row_id in ids if 0 < row_id <= LARGEST_ID]
    if not wanted:
        return {}
    rows = model._default_manager.filter(pk__in=wanted)
    if model is Warehouse:
        rows = in_allowed(rows, "pk")
    return {row.pk: row for row in rows}


def _key(fields: SalesOrderFields) -> tuple[int, str]:
    return fields.channel_id, fields.reference


def _refusal(order: NewSalesOrder, known: _Known) -> Refused | None:
    fields = order.fields
    for model, name in REFERRED:
        row_id = getattr(fields, name)
        if row_id is not None and row_id not in known.rows[model]:
            return NotFound(str(model._meta.verbose_name), row_id)
    for number, line in enumerate(order.lines):
        if line.product_id not in known.rows[Product]:
            return NotFound("product", line.product_id, line=number)
    problems = [*_field_problems(fields, known), *line_problems(order.lines, known.rows[Product])]
    if problems:
        return Invalid(problems)
    if fields.reference and _key(fields) in known.taken:
        return ReferenceTaken(known.taken[_key(fields)])
    if fields.reference and known.given[_key(fields)] > 1:
        return ReferenceTwice(fields.reference)
    return None


def _field_problems(fields: SalesOrderFields, known: _Known) -> Iterable[Problem]:
    for model, name in REFERRED:
        row_id = getattr(fields, name)
        if row_id is not None and not getattr(known.rows[model][row_id], "is_active", True):
            code = known.rows[model][row_id].code
            message = _("%(code)s is not in use any more.") % {"code": code}
            yield Problem(name, "not_in_use", message)
    yield from value_problems(_row(fields, known))


def value_problems(order: SalesOrder) -> Iterable[Problem]:
    """Return what is wrong with the values of an unsaved order, by field."""
    message: Text
    if not 1 <= order.priority <= 9:
        message = _("The priority is 1 (served first) to 9 (served last).")
        yield Problem("priority", "out_of_range", message)
    if len(order.ship_to_address) > LONGEST_ADDRESS:
        message = _("The address is longer than %(most)d characters.") % {"most": LONGEST_ADDRESS}
        yield Problem("ship_to_address", "too_long", message)
    others = {field.name for field in SalesOrder._meta.fields} - TYPED_FIELDS
    try:
        order.clean_fields(exclude=others)
    except ValidationError as error:
        for field, faults in error.error_dict.items():
            for fault in faults:
                yield from (
                    Problem(field, fault.code or "invalid", text) for text in fault.messages
                )


def _row(fields: SalesOrderFields, known: _Known) -> SalesOrder:
    customer = known.rows[Customer].get(fields.customer_id or 0)
    segment_id = fields.segment_id
    if segment_id is None and customer is not None:
        segment_id = customer.segment_id
    return SalesOrder(
        tenant_id=active_tenant_id(),
        warehouse_id=fields.warehouse_id,
        channel_id=fields.channel_id,
        customer_id=fields.customer_id,
        segment_id=segment_id,
        reference=fields.reference,
        priority=fields.priority,
        promised_on=fields.promised_on,
        ship_to_name=fields.ship_to_name,
        ship_to_address=fields.ship_to_address,
        note=fields.note,
    )
