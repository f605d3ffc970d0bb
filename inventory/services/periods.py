"""Closing periods and opening them again: nothing is posted to a closed day."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import InventorySettings, PeriodClosing, StockSnapshot, ValueSnapshot
from inventory.models.places import OUTSIDE_KINDS
from inventory.queries.periods import latest_day_over
from inventory.services.access import require_every_warehouse
from inventory.services.ledger_balances import execute
from inventory.services.ledger_periods import hold_days
from inventory.services.settings import lock_settings
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

SHORTEST_REASON = 3

# from the snapshot before and the movements since: work in proportion to the period
SNAPSHOT_STOCK = """
    INSERT INTO inventory_stocksnapshot
        (tenant_id, day, product_id, location_id, lot_id, quantity)
    SELECT %(tenant)s, %(through)s, product_id, location_id, lot_id, sum(quantity)
    FROM (
        SELECT product_id, location_id, lot_id, quantity FROM inventory_stocksnapshot
        WHERE tenant_id = %(tenant)s AND day = %(before)s
        UNION ALL
        SELECT m.product_id, side.location_id, m.lot_id, side.sign * m.quantity
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
            AS side (location_id, sign)
        JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
        WHERE m.tenant_id = %(tenant)s AND m.business_day <= %(through)s
            AND m.business_day > coalesce(%(before)s::date, '-infinity')
            AND l.kind <> ALL(%(outside)s)
    ) AS part
    GROUP BY product_id, location_id, lot_id HAVING sum(quantity) <> 0
"""
SNAPSHOT_VALUE = """
    INSERT INTO inventory_valuesnapshot
        (tenant_id, day, product_id, warehouse_id, quantity, value)
    SELECT %(tenant)s, %(through)s, product_id, warehouse_id, sum(quantity), sum(value)
    FROM (
        SELECT product_id, warehouse_id, quantity, value FROM inventory_valuesnapshot
        WHERE tenant_id = %(tenant)s AND day = %(before)s
        UNION ALL
        SELECT product_id, warehouse_id, quantity_change, value_change FROM inventory_valueentry
        WHERE tenant_id = %(tenant)s AND business_day <= %(through)s
            AND business_day > coalesce(%(before)s::date, '-infinity')
    ) AS part
    GROUP BY product_id, warehouse_id HAVING sum(quantity) <> 0 OR sum(value) <> 0
"""


class NothingClosed(Conflict):
    """A period was to be opened again, but all days are open."""

    code = "nothing_closed"

    def __init__(self) -> None:
        super().__init__(_("No period is closed."))


def close_period(*, through: date, version: int | None = None) -> InventorySettings:
    """Close all days up to and with ``through``, and keep what lay there then and its value.

    Waits for postings of those days that are under way. Raises ``Invalid`` for a day that is not
    over everywhere or is closed already, ``StaleVersion``, and ``BeyondOwnAccess`` for a member who
    works in some warehouses only.
    """
    require(Permission.APPROVE)
    require_every_warehouse()
    with transaction.atomic():
        settings = lock_settings(version)
        before = settings.closed_through
        _refuse_day(through, before)
        hold_days(through)
        _take_snapshot(through)
        PeriodClosing.objects.create(
            through=through, closed_by_label=active_scope().actor.label[:160]
        )
        _keep(settings, through)
        audit.record("period.closed", settings, through=str(through), before=_text(before))
    return settings


def reopen_period(
    *, closed_through: date | None, reason: str, version: int | None = None
) -> InventorySettings:
    """Open the days after ``closed_through`` again, or all of them.

    Raises ``NothingClosed``, ``Invalid`` without a reason or for a day that is open,
    ``StaleVersion``, ``BeyondOwnAccess``.
    """
    require(Permission.APPROVE)
    require_every_warehouse()
    with transaction.atomic():
        settings = lock_settings(version)
        before = settings.closed_through
        if before is None:
            raise NothingClosed
        if closed_through is not None and closed_through >= before:
            message = _("Choose a day before %(day)s, or none.")
            raise Invalid.field("closed_through", "not_earlier", str(message) % {"day": before})
        if len(reason.strip()) < SHORTEST_REASON:
            why = _("Say why: the reason is kept in the audit trail.")
            raise Invalid.field("reason", "required", why)
        _forget_snapshots(closed_through)
        _keep(settings, closed_through)
        audit.record(
            "period.reopened",
            settings,
            before=str(before),
            through=_text(closed_through),
            reason=reason.strip()[:200],
        )
    return settings


def _refuse_day(through: date, closed_through: date | None) -> None:
    latest = latest_day_over()
    if through > latest:
        message = _("Only days that are over everywhere can be closed: at most %(day)s.")
        raise Invalid.field("through", "not_over", str(message) % {"day": latest})
    if closed_through is not None and through <= closed_through:
        message = _("This day is closed already: the books are closed through %(day)s.")
        raise Invalid.field("through", "closed_already", str(message) % {"day": closed_through})


def _take_snapshot(through: date) -> None:
    before = PeriodClosing.objects.order_by("-through").values_list("through", flat=True).first()
    arguments = {
        "tenant": active_tenant_id(),
        "through": through,
        "before": before,
        "outside": sorted(str(kind) for kind in OUTSIDE_KINDS),
    }
    execute(SNAPSHOT_STOCK, arguments)
    execute(SNAPSHOT_VALUE, arguments)


def _forget_snapshots(closed_through: date | None) -> None:
    """Drop what was kept of days that are open again: they may change."""
    for model, field in (
        (StockSnapshot, "day"),
        (ValueSnapshot, "day"),
        (PeriodClosing, "through"),
    ):
        rows = model.objects.all()
        if closed_through is not None:
            rows = rows.filter(**{f"{field}__gt": closed_through})
        rows.delete()


def _keep(settings: InventorySettings, closed_through: date | None) -> None:
    settings.closed_through = closed_through
    settings.version += 1
    settings.save(update_fields=["closed_through", "version"])


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)
