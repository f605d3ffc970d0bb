"""Sending a transfer: goods leave their places and are on the way to the other warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    PROMISABLE_KINDS,
    Location,
    LocationKind,
    LotStatus,
    MovementReason,
    TransferLine,
    TransferOrder,
    TransferState,
)
from inventory.queries.access import require_warehouse
from inventory.queries.places import standard_location
from inventory.rules.business_day import business_day
from inventory.rules.promises import Leaving, Promise, Use, use_promises
from inventory.rules.units import plain, quantity_fault
from inventory.services import transfer_sql as sql
from inventory.services.ledger import AllocationLine, MovementLine, post_movements
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.transfer_promises import free_promises
from inventory.services.transfer_states import advance_transfer, lock_transfer
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

SENDING = (TransferState.RELEASED, TransferState.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class SentGoods:
    """What leaves of a line, in base units, and from where; ``lot_id`` where lots are tracked."""

    line_id: int
    location_id: int
    quantity: Decimal
    lot_id: int | None = None


class NothingToSend(Conflict):
    """Nothing is promised to the transfer any more."""

    code = "nothing_to_send"

    def __init__(self, order: TransferOrder) -> None:
        message = _("Nothing is promised to transfer %(number)s any more: say what leaves.")
        super().__init__(message % {"number": order.number}, number=order.number)


class MoreThanAsked(Conflict):
    """More would leave than the transfer asks for; ``data`` has the numbers of every such line."""

    code = "more_than_asked"

    def __init__(self, over: Sequence[tuple[TransferLine, Decimal]]) -> None:
        line, leaving = over[0]
        message = _(
            "%(sku)s: %(leaving)s leaving, but %(sent)s of %(asked)s asked for have left already."
        ) % {
            "sku": line.product.sku,
            "leaving": plain(leaving),
            "sent": plain(line.quantity_sent),
            "asked": plain(line.quantity),
        }
        data = [
            {
                "line_id": line.pk,
                "sku": line.product.sku,
                "asked": plain(line.quantity),
                "sent": plain(line.quantity_sent),
                "leaving": plain(quantity),
            }
            for line, quantity in over
        ]
        super().__init__(message, lines=data)


class LotNotGood(Conflict):
    """A lot is on hold, recalled or past its expiry: it is not sent to where it could be sold."""

    code = "lot_not_good"

    def __init__(self, lots: Sequence[tuple[str, str]]) -> None:
        message = _(
            "Expired, on hold or recalled: lot %(codes)s. Take another, or clear this one first."
        )
        super().__init__(
            message % {"codes": ", ".join(code for code, _status in lots)},
            lots=[{"lot": code, "status": status} for code, status in lots],
        )


def send_transfer(
    *,
    transfer_order_id: int,
    goods: Sequence[SentGoods] | None = None,
    sent_at: datetime | None = None,
) -> TransferOrder:
    """Send goods of a released transfer, in parts if need be.

    Without ``goods`` all that is promised leaves. Goods may leave from a place other than the
    promised one; the promise is then freed. Raises ``NotFound``, ``Invalid``,
    ``WrongTransferState``, ``NothingToSend``, ``MoreThanAsked``, ``LotNotGood``,
    ``InsufficientStock``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, *SENDING)
        require_warehouse(order.from_warehouse_id)
        lines = {line.pk: line for line in order.lines.select_related("product")}
        rows = fetch(sql.LOCK_PROMISES, [active_tenant_id(), order.pk])
        promises = [Promise(row[0], row[1], row[3], row[4], row[5]) for row in rows]
        if goods is None:
            goods = [SentGoods(p.line_id, p.location_id, p.quantity, p.lot_id) for p in promises]
            if not goods:
                raise NothingToSend(order)
        _check(order, goods, lines)
        _refuse_bad_lots(order, goods)
        _add_sent(goods, lines)
        uses = use_promises(promises, _leaving(goods), _open_after(goods, lines))
        _end_promises(uses)
        _post(order, goods, lines, uses, sent_at)
        moment = sent_at or timezone.now()
        order.sent_at = order.sent_at or moment
        advance_transfer(order, moment)
        audit.record("transfer.sent", order, number=order.number, lines=len(goods))
    return order


def end_sending(*, transfer_order_id: int, version: int | None = None) -> TransferOrder:
    """State that no more of the transfer will leave: what is still promised to it is free again.

    Raises ``NotFound``, ``StaleVersion``, ``WrongTransferState``: of which nothing has left is
    cancelled instead.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.IN_TRANSIT, version=version)
        require_warehouse(order.from_warehouse_id)
        freed = free_promises(order)
        advance_transfer(order, timezone.now())
        audit.record("transfer.sending_ended", order, number=order.number, places=freed)
    return order


def _check(
    order: TransferOrder, goods: Sequence[SentGoods], lines: dict[int, TransferLine]
) -> None:
    if not goods:
        raise Invalid.field("goods", "empty", _("There is nothing to send."))
    places = {
        place.pk: place
        for place in Location.objects.filter(
            pk__in={part.location_id for part in goods}, warehouse_id=order.from_warehouse_id
        )
    }
    problems: list[Problem] = []
    for number, part in enumerate(goods):
        line = lines.get(part.line_id)
        if line is None:
            raise NotFound("transfer line", part.line_id, line=number)
        if fault := quantity_fault(part.quantity, whole_units=line.product.whole_units):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
        place = places.get(part.location_id)
        if place is None:
            raise NotFound("location", part.location_id, line=number)
        if place.kind not in PROMISABLE_KINDS:
            message = _("%(code)s holds nothing that may be sent: take it from storage.")
            problem = Problem("location_id", "not_storage", message % {"code": place.code}, number)
            problems.append(problem)
    if problems:
        raise Invalid(problems)


def _refuse_bad_lots(order: TransferOrder, goods: Sequence[SentGoods]) -> None:
    lots = sorted({part.lot_id for part in goods if part.lot_id is not None})
    if not lots:
        return
    today = business_day(timezone.now(), order.from_warehouse.time_zone)
    bad = [
        (code, status)
        for _id, code, status, expires_on in fetch(sql.LOCK_LOTS, [active_tenant_id(), lots])
        if status != LotStatus.AVAILABLE or (expires_on is not None and expires_on < today)
    ]
    if bad:
        raise LotNotGood(bad)


def _by_line(goods: Iterable[SentGoods]) -> dict[int, Decimal]:
    leaving: dict[int, Decimal] = {}
    for part in goods:
        leaving[part.line_id] = leaving.get(part.line_id, Decimal(0)) + part.quantity
    return leaving


def _leaving(goods: Iterable[SentGoods]) -> list[Leaving]:
    return [Leaving(part.line_id, part.location_id, part.lot_id, part.quantity) for part in goods]


def _open_after(goods: Sequence[SentGoods], lines: dict[int, TransferLine]) -> dict[int, Decimal]:
    leaving = _by_line(goods)
    return {
        pk: line.quantity - line.quantity_sent - leaving.get(pk, Decimal(0))
        for pk, line in lines.items()
    }


def _add_sent(goods: Sequence[SentGoods], lines: dict[int, TransferLine]) -> None:
    leaving = _by_line(goods)
    arguments = [list(leaving), list(leaving.values()), active_tenant_id()]
    if execute(sql.ADD_SENT, arguments) != len(leaving):
        over = [
            (lines[pk], quantity)
            for pk, quantity in leaving.items()
            if lines[pk].quantity_sent + quantity > lines[pk].quantity
        ]
        raise MoreThanAsked(over)


def _end_promises(uses: Sequence[Use]) -> None:
    """Write what became of the promises; of one that ends in several ways each way is a row."""
    changed: list[tuple[int, Decimal, str]] = []
    ended: list[tuple[int, Decimal, str]] = []
    for use in uses:
        ways = [(use.left, "allocated"), (use.shipped, "shipped"), (use.freed, "released")]
        first, *others = [way for way in ways if way[0]]
        changed.append((use.promise.promise_id, *first))
        ended += [(use.promise.promise_id, *way) for way in others]
    for statement, rows in ((sql.INSERT_ENDED, ended), (sql.CHANGE_PROMISES, changed)):
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            execute(statement, [*columns, active_tenant_id()])


def _post(
    order: TransferOrder,
    goods: Sequence[SentGoods],
    lines: dict[int, TransferLine],
    uses: Sequence[Use],
    sent_at: datetime | None,
) -> None:
    in_transit = standard_location(order.to_warehouse_id, LocationKind.IN_TRANSIT)
    columns = [
        [part.line_id for part in goods],
        [part.lot_id for part in goods],
        [part.quantity for part in goods],
    ]
    execute(sql.ADD_PIECES, [active_tenant_id(), *columns])
    post_movements(
        lines=[
            MovementLine(
                product_id=lines[part.line_id].product_id,
                from_location_id=part.location_id,
                to_location_id=in_transit.pk,
                quantity=part.quantity,
                reason=MovementReason.TRANSFER_OUT,
                lot_id=part.lot_id,
            )
            for part in goods
        ],
        effective_at=sent_at,
        document=order,
        releases=[
            AllocationLine(
                product_id=lines[use.promise.line_id].product_id,
                location_id=use.promise.location_id,
                quantity=use.shipped + use.freed,
                lot_id=use.promise.lot_id,
            )
            for use in uses
        ],
    )
