"""Releasing a transfer: the stock it asks for is promised to it where it lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext

from inventory.models import TransferLine, TransferOrder, TransferState, Warehouse
from inventory.queries.access import require_warehouse
from inventory.rules.units import plain
from inventory.services.allocation import CHOICES, AllocationBusy, promise
from inventory.services.allocation_choice import Choice, OpenLine, choose_stock, hold_lots
from inventory.services.ledger import AllocationLine, InsufficientStock, release
from inventory.services.ledger_balances import execute, fetch
from inventory.services.transfer_sql import CHANGE_PROMISES, INSERT_PROMISES, LOCK_PROMISES
from inventory.services.transfer_states import lock_transfer, save_transfer
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

NO_CHANNEL = 0
"""A transfer serves no channel: it may have nothing of what is kept for one."""


@dataclass(frozen=True, slots=True)
class ShortTransferLine:
    """A line for which less lies free than it asks for."""

    line_id: int
    product_id: int
    sku: str
    asked: Decimal
    free: Decimal

    def as_data(self) -> dict[str, Any]:
        """Return the line for a problem body: exact numbers as strings."""
        return {
            "line_id": self.line_id,
            "product_id": self.product_id,
            "sku": self.sku,
            "asked": plain(self.asked),
            "free": plain(self.free),
            "short": plain(self.asked - self.free),
        }


class ShortTransfer(Conflict):
    """There is less in storage than asked for; ``lines`` has every short line with its numbers."""

    code = "short_transfer"

    def __init__(self, order: TransferOrder, lines: Sequence[ShortTransferLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = ngettext(
            "Not enough in storage at %(place)s: %(sku)s, %(asked)s asked, %(free)s free.",
            "Not enough in storage at %(place)s for %(count)d lines; the first: %(sku)s, "
            "%(asked)s asked, %(free)s free.",
            len(self.lines),
        ) % {
            "place": order.from_warehouse.code,
            "count": len(self.lines),
            "sku": first.sku,
            "asked": plain(first.asked),
            "free": plain(first.free),
        }
        super().__init__(message, number=order.number, lines=[line.as_data() for line in lines])


class TransferHasNoLines(Conflict):
    """A transfer without lines moves nothing."""

    code = "transfer_has_no_lines"

    def __init__(self, order: TransferOrder) -> None:
        message = _("Transfer %(number)s has no lines: add what is to go.")
        super().__init__(message % {"number": order.number}, number=order.number)


def release_transfer(
    *, transfer_order_id: int, version: int | None = None, allow_short: bool = False
) -> TransferOrder:
    """Release a draft to be sent: its stock is promised, first expired first out.

    What is kept for channels stays. With ``allow_short`` what lies free is promised, and the rest
    may follow by hand. Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``,
    ``TransferHasNoLines``, ``ShortTransfer`` (also with ``allow_short`` when there is nothing at
    all), ``AllocationBusy``, ``Invalid`` for a warehouse that is not in use any more.
    """
    require(Permission.PLAN)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.DRAFT, version=version)
        require_warehouse(order.from_warehouse_id)
        lines = list(order.lines.select_related("product").order_by("id"))
        if not lines:
            raise TransferHasNoLines(order)
        refuse_inactive(order.from_warehouse, order.to_warehouse)
        promised = _promise(order, lines, allow_short=allow_short)
        order.state = TransferState.RELEASED
        order.released_at = timezone.now()
        save_transfer(order)
        audit.record("transfer.released", order, number=order.number, places=promised)
    return order


def free_promises(order: TransferOrder) -> int:
    """End what is still promised to the transfer and return how many places are free again."""
    rows = fetch(LOCK_PROMISES, [active_tenant_id(), order.pk])
    if not rows:
        return 0
    ended = [["released"] * len(rows), active_tenant_id()]
    execute(CHANGE_PROMISES, [[row[0] for row in rows], [row[5] for row in rows], *ended])
    release(lines=[AllocationLine(row[2], row[3], row[5], row[4]) for row in rows])
    return len(rows)


def _promise(order: TransferOrder, lines: Sequence[TransferLine], *, allow_short: bool) -> int:
    """Choose and promise; when somebody took a chosen place first, choose again, holding them."""
    asked = [
        OpenLine(
            line.pk, order.pk, order.from_warehouse_id, line.product_id, NO_CHANNEL, line.quantity
        )
        for line in lines
    ]
    for attempt in range(CHOICES):
        choices = choose_stock(asked, locking=attempt > 0)
        _refuse_short(order, lines, choices, allow_short=allow_short)
        if not hold_lots(choices):
            continue
        try:
            promise(choices)
        except InsufficientStock:
            continue
        columns = [list(column) for column in zip(*choices, strict=True)]
        execute(INSERT_PROMISES, [active_tenant_id(), *columns])
        return len(choices)
    raise AllocationBusy(CHOICES)


def _refuse_short(
    order: TransferOrder,
    lines: Sequence[TransferLine],
    choices: Sequence[Choice],
    *,
    allow_short: bool,
) -> None:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for choice in choices:
        found[choice.line_id] += choice.quantity
    short = [
        ShortTransferLine(line.pk, line.product_id, line.product.sku, line.quantity, found[line.pk])
        for line in lines
        if found[line.pk] < line.quantity
    ]
    if short and not (allow_short and choices):
        raise ShortTransfer(order, short)


def refuse_inactive(origin: Warehouse, destination: Warehouse) -> None:
    """Raise ``Invalid`` when one of the two is not in use any more."""
    for field, warehouse in (("from_warehouse_id", origin), ("to_warehouse_id", destination)):
        if not warehouse.is_active:
            words = _("The warehouse %(code)s is not in use any more.") % {"code": warehouse.code}
            raise Invalid.field(field, "inactive_warehouse", words)
