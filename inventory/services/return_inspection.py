"""Inspecting a customer's return: back to stock, kept aside, scrapped, or on to the supplier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    Location,
    LocationKind,
    LotStatus,
    MovementReason,
    ReturnOutcome,
)
from inventory.queries.places import standard_location
from inventory.rules.business_day import business_day
from inventory.rules.units import plain, quantity_fault
from inventory.services.adjustments import refuse_above_limit
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_lines import LONGEST_NOTE, QUANTITY_FAULTS
from inventory.services.lots import set_lot_status
from inventory.services.return_sql import ADD_INSPECTED
from inventory.services.return_states import advance_return, lock_return
from inventory.services.returns_to_suppliers import hand_on
from inventory.services.transfer_sql import LOCK_LOTS
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, active_tenant_id
from tenancy.services import audit

NOTHING = Decimal(0)
RESTOCK_KINDS = frozenset({LocationKind.RECEIVING, LocationKind.STORAGE})
Lines = dict[int, CustomerReturnLine]


@dataclass(frozen=True, slots=True)
class InspectedGoods:
    """What becomes of a quantity (base units) of a line.

    ``to_location_id``: where restocked goods go, by default to the dock, to be put away.
    ``supplier_id``: to whom they go on, by default who usually supplies the product.
    ``hold_lot``: keep the whole lot from being promised, wherever it lies.
    """

    line_id: int
    outcome: ReturnOutcome
    quantity: Decimal
    note: str = ""
    to_location_id: int | None = None
    supplier_id: int | None = None
    hold_lot: bool = False


class MoreThanReceived(Conflict):
    """More was inspected than came back; ``data`` has the numbers of every such line."""

    code = "more_than_received"

    def __init__(self, over: Sequence[tuple[CustomerReturnLine, Decimal]]) -> None:
        line, asked = over[0]
        message = _("%(sku)s: %(asked)s given, but only %(waiting)s of %(received)s are waiting.")
        super().__init__(
            message
            % {
                "sku": line.product.sku,
                "asked": plain(asked),
                "waiting": plain(line.to_inspect),
                "received": plain(line.quantity_received),
            },
            lines=[
                {
                    "line_id": line.pk,
                    "sku": line.product.sku,
                    "received": plain(line.quantity_received),
                    "waiting": plain(line.to_inspect),
                    "asked": plain(quantity),
                }
                for line, quantity in over
            ],
        )


class LotNotSellable(Conflict):
    """The lot is on hold, recalled or past its expiry: it does not go back to stock."""

    code = "lot_not_sellable"

    def __init__(self, lots: Sequence[tuple[str, str]]) -> None:
        message = _(
            "Expired, on hold or recalled: lot %(codes)s. Keep it in quarantine, scrap it, or send "
            "it to the supplier."
        )
        super().__init__(
            message % {"codes": ", ".join(code for code, _status in lots)},
            lots=[{"lot": code, "status": status} for code, status in lots],
        )


def inspect_return(
    *,
    customer_return_id: int,
    goods: Sequence[InspectedGoods],
    version: int | None = None,
) -> CustomerReturn:
    """Decide what becomes of goods that came back, in parts if need be.

    Scrap above the tenant's limit takes who may adjust. When all that is expected has come and is
    decided, the return is inspected. Raises ``NotFound``, ``StaleVersion``, ``Invalid``,
    ``WrongReturnState``, ``MoreThanReceived``, ``LotNotSellable``, ``AboveAdjustmentLimit``,
    ``InsufficientStock``.
    """
    actor = require(Permission.FLOOR_WORK)
    with transaction.atomic():
        back = lock_return(customer_return_id, CustomerReturnState.RECEIVED, version=version)
        lines: Lines = {line.pk: line for line in back.lines.select_related("product", "lot")}
        _check(goods, lines)
        _check_places(back, goods)
        _refuse_unsellable(back, goods, lines)
        _refuse_large_scrap(actor, back, goods, lines)
        _add_inspected(goods, lines)
        _post(back, goods, lines)
        _hand_on(back, goods, lines)
        for lot_id in _held(goods, lines):
            set_lot_status(lot_id=lot_id, status=LotStatus.ON_HOLD)
        advance_return(back)
        audit.record("return.inspected", back, number=back.number, outcomes=_told(goods, lines))
    return back


def _check(goods: Sequence[InspectedGoods], lines: Lines) -> None:
    if not goods:
        raise Invalid.field("goods", "empty", _("Say what becomes of the goods."))
    problems: list[Problem] = []
    for number, part in enumerate(goods):
        line = lines.get(part.line_id)
        if line is None:
            raise NotFound("return line", part.line_id, line=number)
        if fault := quantity_fault(part.quantity, whole_units=line.product.whole_units):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
        if part.hold_lot and line.lot_id is None:
            message = _("This product is not tracked by lot: there is none to hold.")
            problems.append(Problem("hold_lot", "no_lot", message, number))
        if len(part.note) > LONGEST_NOTE:
            message = _("The note is longer than 200 characters.")
            problems.append(Problem("note", "too_long", message, number))
    if problems:
        raise Invalid(problems)


def _check_places(back: CustomerReturn, goods: Sequence[InspectedGoods]) -> None:
    named = {part.to_location_id for part in goods if part.to_location_id is not None}
    if not named:
        return
    places = {
        place.pk: place
        for place in Location.objects.filter(pk__in=named, warehouse_id=back.warehouse_id)
    }
    for number, part in enumerate(goods):
        if part.to_location_id is None:
            continue
        place = places.get(part.to_location_id)
        if place is None:
            raise NotFound("location", part.to_location_id, line=number)
        if part.outcome != ReturnOutcome.RESTOCK or place.kind not in RESTOCK_KINDS:
            message = _("Only restocked goods go elsewhere, and only to a dock or storage.")
            raise Invalid([Problem("to_location_id", "not_storage", message, number)])


def _refuse_unsellable(back: CustomerReturn, goods: Sequence[InspectedGoods], lines: Lines) -> None:
    restocked = [part for part in goods if part.outcome == ReturnOutcome.RESTOCK]
    lots = {lines[part.line_id].lot_id for part in restocked} - {None}
    if not lots:
        return
    today = business_day(timezone.now(), back.warehouse.time_zone)
    rows = fetch(LOCK_LOTS, [active_tenant_id(), sorted(pk for pk in lots if pk is not None)])
    bad = [
        (code, status)
        for _id, code, status, expires_on in rows
        if status != LotStatus.AVAILABLE or (expires_on is not None and expires_on < today)
    ]
    if bad:
        raise LotNotSellable(bad)


def _refuse_large_scrap(
    actor: Actor, back: CustomerReturn, goods: Sequence[InspectedGoods], lines: Lines
) -> None:
    scrapped: dict[int, Decimal] = {}
    for part in goods:
        if part.outcome == ReturnOutcome.SCRAP:
            product_id = lines[part.line_id].product_id
            scrapped[product_id] = scrapped.get(product_id, NOTHING) + part.quantity
    if scrapped:
        refuse_above_limit(actor, back.warehouse_id, list(scrapped.items()))


def _add_inspected(goods: Sequence[InspectedGoods], lines: Lines) -> None:
    outcomes = list(ReturnOutcome)
    sums: dict[int, dict[ReturnOutcome, Decimal]] = {}
    notes: dict[int, str] = {}
    for part in goods:
        known = sums.setdefault(part.line_id, dict.fromkeys(outcomes, NOTHING))
        known[part.outcome] += part.quantity
        notes[part.line_id] = part.note or notes.get(part.line_id, "")
    columns = [[known[outcome] for known in sums.values()] for outcome in outcomes]
    arguments = [list(sums), *columns, [notes[pk] for pk in sums], active_tenant_id()]
    if execute(ADD_INSPECTED, arguments) != len(sums):
        totals = {pk: sum(known.values(), NOTHING) for pk, known in sums.items()}
        over = [(lines[pk], total) for pk, total in totals.items() if total > lines[pk].to_inspect]
        raise MoreThanReceived(over)


def _post(back: CustomerReturn, goods: Sequence[InspectedGoods], lines: Lines) -> None:
    moved = {
        ReturnOutcome.RESTOCK: (LocationKind.RECEIVING, MovementReason.MOVE),
        ReturnOutcome.SCRAP: (LocationKind.LOSS, MovementReason.SCRAP),
    }
    leaving = [part for part in goods if part.outcome in moved]
    if not leaving:
        return
    quarantine = standard_location(back.warehouse_id, LocationKind.QUARANTINE)
    usual = {
        outcome: standard_location(back.warehouse_id, moved[outcome][0]).pk
        for outcome in {part.outcome for part in leaving}
    }
    post_movements(
        lines=[
            MovementLine(
                product_id=lines[part.line_id].product_id,
                from_location_id=quarantine.pk,
                to_location_id=part.to_location_id or usual[part.outcome],
                quantity=part.quantity,
                reason=moved[part.outcome][1],
                lot_id=lines[part.line_id].lot_id,
                note=part.note,
            )
            for part in leaving
        ],
        document=back,
    )


def _hand_on(back: CustomerReturn, goods: Sequence[InspectedGoods], lines: Lines) -> None:
    going = [
        (number, part)
        for number, part in enumerate(goods)
        if part.outcome == ReturnOutcome.TO_SUPPLIER
    ]
    if going:
        hand_on(
            back,
            [
                (number, lines[part.line_id], part.quantity, part.supplier_id)
                for number, part in going
            ],
        )


def _held(goods: Sequence[InspectedGoods], lines: Lines) -> list[int]:
    named = {lines[part.line_id].lot_id for part in goods if part.hold_lot}
    return sorted(lot_id for lot_id in named if lot_id is not None)


def _told(goods: Sequence[InspectedGoods], lines: Lines) -> list[dict[str, str]]:
    return [
        {
            "sku": lines[part.line_id].product.sku,
            "outcome": str(part.outcome),
            "quantity": plain(part.quantity),
            "note": part.note,
        }
        for part in goods[:50]
    ]
