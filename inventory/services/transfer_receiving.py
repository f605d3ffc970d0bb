"""Receiving a transfer: what was on the way arrives, in parts if need be, or is stated as lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Location,
    LocationKind,
    MovementReason,
    TransferOrder,
    TransferPiece,
    TransferState,
)
from inventory.queries.access import require_warehouse
from inventory.queries.places import standard_location
from inventory.rules.units import plain, quantity_fault
from inventory.services import transfer_sql as sql
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.ledger_balances import execute
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import load
from inventory.services.transfer_states import advance_transfer, lock_transfer
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

NOTHING = Decimal(0)
ARRIVING_KINDS = frozenset({LocationKind.RECEIVING, LocationKind.STORAGE, LocationKind.QUARANTINE})


@dataclass(frozen=True, slots=True)
class ReceivedGoods:
    """What arrived of a piece, in base units; ``damaged`` of it goes to the damaged place.

    A piece is what was sent of one lot, so the lot that arrives is the one that was sent.
    """

    piece_id: int
    quantity: Decimal
    damaged: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class LostGoods:
    """What will not arrive of a piece any more, in base units."""

    piece_id: int
    quantity: Decimal


class MoreThanSent(Conflict):
    """More would arrive or be lost than is on the way; ``data`` has the numbers of every piece."""

    code = "more_than_sent"

    def __init__(self, over: Sequence[tuple[TransferPiece, Decimal]]) -> None:
        piece, asked = over[0]
        message = _(
            "%(sku)s: %(asked)s given, but only %(left)s of the %(sent)s sent are on the way."
        )
        super().__init__(
            message
            % {
                "sku": piece.line.product.sku,
                "asked": plain(asked),
                "left": plain(_on_the_way(piece)),
                "sent": plain(piece.quantity),
            },
            lines=[
                {
                    "piece_id": piece.pk,
                    "sku": piece.line.product.sku,
                    "lot": piece.lot.code if piece.lot else None,
                    "sent": plain(piece.quantity),
                    "received": plain(piece.quantity_received),
                    "lost": plain(piece.quantity_lost),
                    "asked": plain(asked),
                }
                for piece, asked in over
            ],
        )


def receive_transfer(
    *,
    transfer_order_id: int,
    goods: Sequence[ReceivedGoods],
    received_at: datetime | None = None,
    to_location_id: int | None = None,
) -> TransferOrder:
    """Receive goods that were sent into ``to_location_id`` (default: the receiving dock).

    When everything sent has arrived or is stated as lost, the transfer is received. Raises
    ``NotFound``, ``Invalid``, ``WrongTransferState``, ``MoreThanSent``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.IN_TRANSIT)
        require_warehouse(order.to_warehouse_id)
        pieces = _pieces(order)
        _check(goods, pieces)
        _check_damaged(goods, pieces)
        _refuse_early(order, received_at)
        dock = _dock(order, to_location_id)
        parts = [(part.piece_id, dock.pk, part.quantity - part.damaged) for part in goods]
        if damaged := [part for part in goods if part.damaged]:
            aside = _place(order, LocationKind.DAMAGED)
            parts += [(part.piece_id, aside.pk, part.damaged) for part in damaged]
        _add_arrived(pieces, [(part.piece_id, part.quantity, NOTHING) for part in goods])
        movements = _movements(order, pieces, parts, MovementReason.TRANSFER_IN)
        post_movements(lines=movements, effective_at=received_at, document=order)
        advance_transfer(order, received_at or timezone.now())
        audit.record("transfer.received", order, number=order.number, lines=len(goods))
    return order


def state_transfer_loss(
    *,
    transfer_order_id: int,
    goods: Sequence[LostGoods],
    note: str,
    effective_at: datetime | None = None,
) -> TransferOrder:
    """State that goods on the way are lost, and in words what happened.

    Stock is written off, so it takes the right to adjust. Raises ``NotFound``, ``Invalid``,
    ``WrongTransferState``, ``MoreThanSent``.
    """
    require(Permission.ADJUST)
    words = note.strip()
    if not words:
        message = _("Say in words what became of the goods.")
        raise Invalid.field("note", "required", message)
    with transaction.atomic():
        order = lock_transfer(transfer_order_id, TransferState.IN_TRANSIT)
        require_warehouse(order.to_warehouse_id)
        pieces = _pieces(order)
        _check(goods, pieces)
        _refuse_early(order, effective_at)
        loss = _place(order, LocationKind.LOSS)
        parts = [(part.piece_id, loss.pk, part.quantity) for part in goods]
        _add_arrived(pieces, [(part.piece_id, NOTHING, part.quantity) for part in goods])
        movements = _movements(order, pieces, parts, MovementReason.TRANSFER_LOSS, words)
        post_movements(lines=movements, effective_at=effective_at, document=order)
        advance_transfer(order, effective_at or timezone.now())
        audit.record(
            "transfer.loss_stated", order, number=order.number, lines=len(goods), note=words
        )
    return order


def _pieces(order: TransferOrder) -> dict[int, TransferPiece]:
    rows = TransferPiece.objects.filter(line__order_id=order.pk).select_related(
        "line__product", "lot"
    )
    return {piece.pk: piece for piece in rows}


def _check(goods: Sequence[ReceivedGoods | LostGoods], pieces: dict[int, TransferPiece]) -> None:
    if not goods:
        raise Invalid.field("goods", "empty", _("Say what arrived or was lost."))
    problems = []
    for number, part in enumerate(goods):
        piece = pieces.get(part.piece_id)
        if piece is None:
            raise NotFound("piece of the transfer", part.piece_id, line=number)
        whole = piece.line.product.whole_units
        if fault := quantity_fault(part.quantity, whole_units=whole):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
    if problems:
        raise Invalid(problems)


def _check_damaged(goods: Sequence[ReceivedGoods], pieces: dict[int, TransferPiece]) -> None:
    problems = []
    for number, part in enumerate(goods):
        whole = pieces[part.piece_id].line.product.whole_units
        if part.damaged and quantity_fault(part.damaged, whole_units=whole):
            message = _("The damaged quantity is not an exact number of base units.")
            problems.append(Problem("damaged", "not_exact", message, number))
        elif part.damaged > part.quantity:
            message = _("More is damaged than arrived.")
            problems.append(Problem("damaged", "more_than_arrived", message, number))
    if problems:
        raise Invalid(problems)


def _refuse_early(order: TransferOrder, moment: datetime | None) -> None:
    if moment is None:
        return
    if timezone.is_naive(moment) or (order.sent_at is not None and moment < order.sent_at):
        message = _("Goods cannot arrive or be lost before they were sent.")
        raise Invalid.field("effective_at", "before_sent", message)


def _place(order: TransferOrder, kind: LocationKind) -> Location:
    return standard_location(order.to_warehouse_id, kind)


def _dock(order: TransferOrder, location_id: int | None) -> Location:
    if location_id is None:
        return _place(order, LocationKind.RECEIVING)
    place = load(Location, location_id)
    if place.warehouse_id != order.to_warehouse_id:
        message = _("%(code)s belongs to another warehouse than the transfer goes to.")
        raise Invalid.field("to_location_id", "other_warehouse", message % {"code": place.code})
    if place.kind not in ARRIVING_KINDS:
        message = _("%(code)s is neither a dock nor a storage or quarantine location.")
        raise Invalid.field("to_location_id", "not_arriving", message % {"code": place.code})
    return place


def _add_arrived(
    pieces: dict[int, TransferPiece], arrived: Sequence[tuple[int, Decimal, Decimal]]
) -> None:
    """Add received and lost quantities to pieces and lines; the statement refuses too many."""
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    for piece_id, received, lost in arrived:
        before = sums.get(piece_id, (NOTHING, NOTHING))
        sums[piece_id] = (before[0] + received, before[1] + lost)
    columns = [
        list(sums),
        [received for received, _lost in sums.values()],
        [lost for _received, lost in sums.values()],
    ]
    tenant_id = active_tenant_id()
    if execute(sql.ADD_ARRIVED, [*columns, tenant_id]) != len(sums):
        over = [
            (pieces[piece_id], received + lost)
            for piece_id, (received, lost) in sums.items()
            if received + lost > _on_the_way(pieces[piece_id])
        ]
        raise MoreThanSent(over)
    execute(sql.ADD_ARRIVED_TO_LINES, [*columns, tenant_id, tenant_id])


def _movements(
    order: TransferOrder,
    pieces: dict[int, TransferPiece],
    parts: Sequence[tuple[int, int, Decimal]],
    reason: MovementReason,
    note: str = "",
) -> list[MovementLine]:
    in_transit = _place(order, LocationKind.IN_TRANSIT)
    return [
        MovementLine(
            product_id=pieces[piece_id].line.product_id,
            from_location_id=in_transit.pk,
            to_location_id=location_id,
            quantity=quantity,
            reason=reason,
            lot_id=pieces[piece_id].lot_id,
            note=note,
        )
        for piece_id, location_id, quantity in parts
        if quantity
    ]


def _on_the_way(piece: TransferPiece) -> Decimal:
    left: Decimal = piece.quantity - piece.quantity_received - piece.quantity_lost
    return left
