"""Put-away: received goods go from the dock to their place, checked against what fits there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from inventory.models import (
    Location,
    LocationKind,
    MovementReason,
    Packaging,
    StockBalance,
    StockMovement,
    WorkKind,
)
from inventory.queries.put_away import FROM_KINDS, goods_of, place_facts
from inventory.rules.put_away import Limit, Misfit, misfits
from inventory.rules.units import InexactConversion, quantity_fault, to_base_units
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import LARGEST_ID, load
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit

LIMIT_WORDS = {
    Limit.MIXING: pgettext_lazy("what does not fit", "what may lie together there"),
    Limit.VOLUME: pgettext_lazy("what does not fit", "its room (%(needed)s l, %(free)s l free)"),
    Limit.WEIGHT: pgettext_lazy("what does not fit", "its load (%(needed)s kg, %(free)s kg free)"),
}


class DoesNotFit(Conflict):
    """The place does not allow it; ``limits`` says what, with the numbers."""

    code = "does_not_fit"

    def __init__(self, place: Location, found: Sequence[Misfit]) -> None:
        self.misfits = tuple(found)
        limits = [_as_data(misfit) for misfit in found]
        words = ", ".join(
            str(LIMIT_WORDS[misfit.limit]) % data
            for misfit, data in zip(found, limits, strict=True)
        )
        message = _(
            "%(place)s does not take it: %(limits)s. Choose another place, or put it there anyway "
            "and say why."
        )
        super().__init__(
            message % {"place": place.code, "limits": words}, location_id=place.pk, limits=limits
        )


class NotToPutAway(Conflict):
    """What lies there is not waiting to be put away."""

    code = "not_to_put_away"

    def __init__(self, place: Location) -> None:
        message = _("%(place)s is no dock: move the goods instead.") % {"place": place.code}
        super().__init__(message, location_id=place.pk, kind=place.kind)


def put_away(
    *,
    stock_balance_id: int,
    to_location_id: int,
    quantity: Decimal,
    packaging_id: int | None = None,
    override_reason: str = "",
) -> StockMovement:
    """Put goods that lie at the dock away at a storage place; return the movement.

    What the place does not allow (mixing, room, load) is refused unless ``override_reason`` says
    why it is done all the same; that is audited. The claim ends when nothing is left there. Raises
    ``NotFound``, ``Invalid``, ``NotToPutAway``, ``ClaimedByOther``, ``DoesNotFit``,
    ``InsufficientStock`` when less lies there.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        balance = _load_waiting(stock_balance_id)
        claim_work(kind=WorkKind.PUT_AWAY, subject_id=balance.pk)
        quantity = _base_quantity(balance, quantity, packaging_id)
        place = _lock_place(balance.location, to_location_id)
        found = misfits(goods_of(balance, quantity), place_facts(place, balance.product_id))
        if found and not override_reason.strip():
            raise DoesNotFit(place, found)
        movement = _post(balance, place, quantity)
        limits = [_as_data(misfit) for misfit in found]
        told = {"override": limits, "reason": override_reason} if found else {}
        audit.record(
            "stock.put_away",
            movement,
            sku=balance.product.sku,
            quantity=_plain(quantity),
            place=place.code,
            **told,
        )
        balance.refresh_from_db()
        if balance.on_hand <= balance.allocated:
            finish_work(kind=WorkKind.PUT_AWAY, subject_id=balance.pk)
    return movement


def _load_waiting(stock_balance_id: int) -> StockBalance:
    balance = load(StockBalance, stock_balance_id)
    if balance.location.kind not in FROM_KINDS:
        raise NotToPutAway(balance.location)
    return balance


def _base_quantity(balance: StockBalance, quantity: Decimal, packaging_id: int | None) -> Decimal:
    product = balance.product
    whole = product.whole_units
    if packaging_id is None:
        if fault := quantity_fault(quantity, whole_units=whole):
            raise Invalid.field("quantity", fault.value, QUANTITY_FAULTS[fault])
        return quantity
    packaging = load(Packaging, packaging_id)
    if packaging.product_id != product.pk:
        raise NotFound("packaging", packaging_id)
    try:
        return to_base_units(quantity, packaging.units, whole_units=whole)
    except InexactConversion as refusal:
        message = _("%(quantity)s x %(packaging)s is not an exact number of %(unit)s.")
        named = {"quantity": quantity, "packaging": packaging, "unit": product.base_unit}
        raise Invalid.field("quantity", f"inexact_{refusal.fault}", message % named) from refusal


def _lock_place(dock: Location, to_location_id: int) -> Location:
    """Lock the place, so that two who fill it at once look at its load one after the other.

    Movements only refer to it, which this lock does not hold up.
    """
    rows = Location.objects.select_for_update(no_key=True)
    known = 0 < to_location_id <= LARGEST_ID
    place = rows.filter(pk=to_location_id).first() if known else None
    if place is None or place.warehouse_id != dock.warehouse_id:
        raise NotFound("location", to_location_id)
    if place.kind != LocationKind.STORAGE:
        message = _("%(place)s is no storage place.") % {"place": place.code}
        raise Invalid.field("to_location_id", "not_storage", message)
    return place


def _post(balance: StockBalance, place: Location, quantity: Decimal) -> StockMovement:
    line = MovementLine(
        product_id=balance.product_id,
        from_location_id=balance.location_id,
        to_location_id=place.pk,
        quantity=quantity,
        reason=MovementReason.PUT_AWAY,
        lot_id=balance.lot_id,
    )
    [movement_id] = post_movements(lines=[line])
    movement: StockMovement = StockMovement.objects.get(pk=movement_id)
    return movement


def _as_data(misfit: Misfit) -> dict[str, str]:
    return {
        "limit": str(misfit.limit),
        "needed": _plain(misfit.needed),
        "free": _plain(misfit.free),
    }


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
