"""Recording demand: what was asked for, whether or not it could be shipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import Channel, CustomerSegment, Product, Warehouse
from inventory.rules.business_day import business_day
from inventory.rules.units import QuantityFault, quantity_fault
from inventory.services.rows import LARGEST_ID, load_many
from tenancy.errors import Conflict, Invalid, NotFound, Problem, Text
from tenancy.permissions import Permission, require_one
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class DemandLine:
    """Demand of one business day, in base units; ``revenue`` in the tenant's currency."""

    product_id: int
    warehouse_id: int
    business_day: date
    quantity: Decimal
    revenue: Decimal = Decimal(0)
    channel_id: int | None = None
    segment_id: int | None = None
    order_lines: int = 1


COLUMNS = (
    "product_id", "warehouse_id", "business_day", "channel_id", "segment_id", "quantity",
    "revenue", "order_lines",
)  # fmt: skip

# sorted, so that two recordings of the same days wait for each other in one order
ADD_DEMAND = """
    INSERT INTO inventory_dailydemand AS known
        (tenant_id, product_id, warehouse_id, business_day, channel_id, segment_id,
         quantity, revenue, order_lines)
    SELECT %s, product_id, warehouse_id, business_day, channel_id, segment_id,
        sum(quantity), sum(revenue), sum(order_lines)
    FROM unnest(
        %s::bigint[], %s::bigint[], %s::date[], %s::bigint[], %s::bigint[], %s::numeric[],
        %s::numeric[], %s::int[]
    ) AS line (product_id, warehouse_id, business_day, channel_id, segment_id, quantity, revenue,
        order_lines)
    GROUP BY product_id, warehouse_id, business_day, channel_id, segment_id
    ORDER BY product_id, warehouse_id, business_day, channel_id, segment_id
    ON CONFLICT (tenant_id, product_id, warehouse_id, business_day, channel_id, segment_id)
    DO UPDATE SET
        quantity = known.quantity + EXCLUDED.quantity,
        revenue = known.revenue + EXCLUDED.revenue,
        order_lines = known.order_lines + EXCLUDED.order_lines
"""


# the guard: more than was recorded cannot be taken back
TAKE_BACK_DEMAND = """
    WITH taken AS (
        SELECT known.id, sum(line.quantity) AS quantity, sum(line.revenue) AS revenue,
            sum(line.order_lines) AS order_lines
        FROM unnest(
            %s::bigint[], %s::bigint[], %s::date[], %s::bigint[], %s::bigint[], %s::numeric[],
            %s::numeric[], %s::int[]
        ) AS line (product_id, warehouse_id, business_day, channel_id, segment_id, quantity,
            revenue, order_lines)
        JOIN inventory_dailydemand known ON known.tenant_id = %s
            AND known.product_id = line.product_id AND known.warehouse_id = line.warehouse_id
            AND known.business_day = line.business_day
            AND known.channel_id IS NOT DISTINCT FROM line.channel_id
            AND known.segment_id IS NOT DISTINCT FROM line.segment_id
        GROUP BY known.id
    ), locked AS (
        SELECT known.id FROM inventory_dailydemand known JOIN taken USING (id)
        ORDER BY known.product_id, known.warehouse_id, known.business_day, known.channel_id,
            known.segment_id
        FOR UPDATE OF known
    )
    UPDATE inventory_dailydemand known
    SET quantity = known.quantity - taken.quantity, revenue = known.revenue - taken.revenue,
        order_lines = known.order_lines - taken.order_lines
    FROM taken JOIN locked USING (id)
    WHERE known.id = taken.id AND known.quantity >= taken.quantity
        AND known.order_lines >= taken.order_lines
"""


class DemandNotRecorded(Conflict):
    """More demand was to be taken back than is recorded for the day."""

    code = "demand_not_recorded"

    def __init__(self) -> None:
        super().__init__(_("The demand of that day is less than what was to be taken back."))


def withdraw_demand(*, lines: Sequence[DemandLine]) -> None:
    """Take back demand that never was, such as that of an order entered by mistake; all or none.

    ``order_lines`` is how many fewer lines asked. Raises ``DemandNotRecorded``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    asked = [line for line in lines if line.quantity]
    if not asked:
        return
    columns = [[getattr(line, name) for line in asked] for name in COLUMNS]
    days = {tuple(getattr(line, name) for name in COLUMNS[:5]) for line in asked}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK_DEMAND, [*columns, active_tenant_id()])
        if cursor.rowcount != len(days):
            raise DemandNotRecorded


def record_demand(*, lines: Sequence[DemandLine]) -> int:
    """Add to the demand of each day and return how many rows changed: one upsert for any number.

    Raises ``NotFound`` naming the line, ``Invalid`` for a negative or inexact quantity or a day
    that has not begun yet in the warehouse.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    if not lines:
        return 0
    whole_units, time_zones = _load_referred(lines)
    today = {pk: business_day(timezone.now(), zone) for pk, zone in time_zones.items()}
    problems = [
        problem
        for number, line in enumerate(lines)
        for problem in _problems(number, line, whole_units[line.product_id], today)
    ]
    if problems:
        raise Invalid(problems)
    columns = [[getattr(line, name) for line in lines] for name in COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(ADD_DEMAND, [active_tenant_id(), *columns])
        return int(cursor.rowcount)


def _load_referred(lines: Sequence[DemandLine]) -> tuple[dict[int, bool], dict[int, str]]:
    """Return which products come in whole units, and the time zones of warehouses."""
    for model, attribute in ((Channel, "channel_id"), (CustomerSegment, "segment_id")):
        named = [(n, getattr(line, attribute)) for n, line in enumerate(lines)]
        given = [(n, row_id) for n, row_id in named if row_id is not None]
        if not given:
            continue
        known = set(
            model.objects.filter(pk__in={i for _n, i in given}).values_list("pk", flat=True)
        )
        for number, row_id in given:
            if row_id not in known:
                raise NotFound(str(model._meta.verbose_name), row_id, line=number)
    warehouses = load_many(Warehouse, [line.warehouse_id for line in lines])
    # products by the thousand, of which one fact is needed
    ids = {line.product_id for line in lines if 0 < line.product_id <= LARGEST_ID}
    whole_units = dict(
        Product.objects.filter(pk__in=ids).order_by().values_list("pk", "whole_units")
    )
    for number, line in enumerate(lines):
        if line.product_id not in whole_units:
            raise NotFound(str(Product._meta.verbose_name), line.product_id, line=number)
    return whole_units, {pk: warehouse.time_zone for pk, warehouse in warehouses.items()}


def _problems(
    number: int, line: DemandLine, whole_units: bool, today: dict[int, date]
) -> Iterable[Problem]:
    message: Text
    fault = quantity_fault(line.quantity, whole_units=whole_units)
    if fault and not (fault is QuantityFault.NOT_POSITIVE and line.quantity == 0):
        message = _("Demand is an exact number of base units, from zero up.")
        yield Problem("quantity", fault.value, message, number)
    if not line.revenue.is_finite() or abs(line.revenue) >= 10**12:
        yield Problem("revenue", "not_a_number", _("The revenue is not an amount."), number)
    if line.business_day > today[line.warehouse_id]:
        message = _("%(day)s has not begun yet in this warehouse.") % {"day": line.business_day}
        yield Problem("business_day", "future", message, number)
