"""Put-away on a handheld: what lies on the dock, where it belongs, the place scanned, done."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotTracking, MovementReason, StockBalance
from inventory.pages.fields import plain
from inventory.pages.put_away import WHY_WORDS
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
    typed_quantity,
    working_warehouse,
)
from inventory.queries.movements import get_movement
from inventory.queries.places import get_location
from inventory.queries.put_away import (
    SuggestedPlace,
    goods_of,
    place_facts,
    put_away_work,
    suggestions,
)
from inventory.queries.scanning import GOODS, PLACE, LotUnknown, Scanned, ScannedKind
from inventory.rules.put_away import Why, misfits
from inventory.services.ledger import reverse_movement
from inventory.services.put_away import DoesNotFit, put_away
from tenancy.errors import Conflict

MOST_LINES = 12
LOT = frozenset({ScannedKind.LOT})
GOODS_KEYS = ("product", "lot", "dock", "quantity", "ask", "place")
PROMPTS = {
    "goods": gettext_lazy("Scan what you put away"),
    "lot": gettext_lazy("Scan the lot"),
    "dock": gettext_lazy("Scan where it lies now"),
    "quantity": gettext_lazy("How many?"),
    "to": gettext_lazy("Scan where you put it"),
    "override": gettext_lazy("It does not fit there"),
}
REASONS = {
    "reason_full": gettext_lazy("All others are full"),
    "reason_measured": gettext_lazy("Measures are wrong"),
    "reason_agreed": gettext_lazy("Agreed on"),
}


class NotWaiting(Conflict):
    """What was scanned does not lie on a dock."""

    code = "not_waiting"

    def __init__(self, label: str) -> None:
        words = _("%(label)s does not wait to be put away here.") % {"label": label}
        super().__init__(words, label=label)


class PutAwayFlow(ScanFlow):
    title = gettext_lazy("Put away")
    keys = (*GOODS_KEYS, "done")

    # -- what is shown ---------------------------------------------------------------------------
    def step(self) -> Step:
        waiting = self.candidates()
        name = self._step_name(waiting)
        balance = waiting[0] if self._is_chosen(name) else None
        places = suggestions([balance])[balance.pk] if balance is not None else []
        return Step(
            name=name,
            prompt=PROMPTS[name],
            hint=self._hint(name, balance),
            stages=self._stages(name, balance),
            body=BODIES.get(name, ""),
            facts=self._facts(name, waiting, places),
            buttons=self._buttons(name, balance),
            undo=self._undo_label(name),
            is_number=name == "quantity",
        )

    def _step_name(self, waiting: Sequence[StockBalance]) -> str:
        if "product" not in self.context or not waiting:
            return "goods"
        is_tracked = waiting[0].product.lot_tracking != LotTracking.NONE
        if is_tracked and len({balance.lot_id for balance in waiting}) > 1:
            return "lot"
        if len(waiting) > 1:
            return "dock"
        if self.context.get("ask") == "override" and "place" in self.context:
            return "override"
        return "quantity" if self.context.get("ask") == "quantity" else "to"

    def _is_chosen(self, name: str) -> bool:
        return name in {"to", "quantity", "override"}

    def _facts(
        self, name: str, waiting: Sequence[StockBalance], places: Sequence[SuggestedPlace]
    ) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "lines": waiting[:MOST_LINES],
            "has_more": len(waiting) > MOST_LINES,
            "title": _("Waits here"),
            "empty_title": _("The docks are empty"),
            "by_place": name == "dock",
            "places": [(place, WHY_WORDS[place.why]) for place in places],
            "balance": waiting[0] if self._is_chosen(name) else None,
        }
        if name == "override":
            facts["refused_place"] = get_location(self.row_id("place") or 0)
            facts["refusal"] = self._refusal(waiting[0])
        return facts

    def _stages(self, name: str, balance: StockBalance | None) -> list[Stage]:
        goods, amount = "", ""
        if balance is not None:
            lot = f" · {balance.lot.code}" if balance.lot is not None else ""
            goods = f"{balance.product.name}{lot}"
            amount = f"{plain(self._quantity(balance))} {balance.product.base_unit}"
        return [
            Stage(_("What"), goods, name in {"goods", "lot"}),
            Stage(_("From"), balance.location.code if balance else "", name == "dock"),
            Stage(_("Quantity"), amount, name == "quantity"),
            Stage(_("To"), "", name in {"to", "override"}),
        ]

    def _hint(self, name: str, balance: StockBalance | None) -> str:
        if name == "override":
            return _("Scan another place, or say why it goes there.")
        if name != "quantity" or balance is None:
            return ""
        free = plain(balance.on_hand - balance.allocated)
        unit = balance.product.base_unit
        return _("%(free)s %(unit)s lie there.") % {"free": free, "unit": unit}

    def _buttons(self, name: str, balance: StockBalance | None) -> list[Button]:
        if name == "override":
            return [Button(action, words) for action, words in REASONS.items()]
        if balance is None or balance.product.lot_tracking == LotTracking.SERIAL:
            return []
        if name == "quantity":
            return [Button("all", _("All of it"), "layers")]
        return [Button("quantity", _("Quantity"), "edit")]

    def _undo_label(self, name: str) -> str:
        if self.context.get("done"):
            return _("Take the put-away back")
        return "" if name == "goods" else _("Back one scan")

    # -- what a scan means -----------------------------------------------------------------------
    def take(self, scan: str) -> Outcome:
        waiting = self.candidates()
        name = self._step_name(waiting)
        if name == "goods":
            return self.take_up(self.resolve(scan, GOODS))
        if name == "lot":
            return self.take_up(self.resolve(scan, LOT, waiting[0].product_id))
        if name == "dock":
            return self._from(waiting, self.resolve(scan, PLACE))
        if name == "quantity":
            quantity = plain(typed_quantity(scan))
            context = self.with_context(quantity=quantity, ask=None)
            return Outcome(context, f"{quantity} {waiting[0].product.base_unit}")
        return self._to(waiting[0], self.resolve(scan, PLACE).id)

    def press(self, action: str) -> Outcome:
        waiting = self.candidates()
        name = self._step_name(waiting)
        if action == "undo":
            return self._undo()
        if action == "quantity" and name == "to":
            return Outcome(self.with_context(ask="quantity"))
        if action == "all" and name == "quantity":
            free = plain(waiting[0].on_hand - waiting[0].allocated)
            return Outcome(self.with_context(quantity=free, ask=None))
        if action in REASONS and name == "override":
            reason = str(REASONS[action])
            return self._to(waiting[0], self.row_id("place") or 0, reason)
        raise ActionUnknown

    def take_up(self, found: Scanned) -> Outcome:
        """Take goods in hand; all that lies there unless the label counts it."""
        if found.lot_code and found.lot_id is None:
            raise LotUnknown(found)
        is_counted = found.code.count is not None
        held: dict[str, object] = {
            "product": found.product_id,
            "lot": found.lot_id,
            "quantity": plain(found.quantity) if is_counted else None,
        }
        context = self.with_context(**(dict.fromkeys((*GOODS_KEYS, "done")) | held))
        if not PutAwayFlow(self.request, context).candidates():
            raise NotWaiting(found.label)
        return Outcome(context, found.label)

    def _from(self, waiting: Sequence[StockBalance], found: Scanned) -> Outcome:
        if all(balance.location_id != found.id for balance in waiting):
            raise NotWaiting(waiting[0].product.name)
        return Outcome(self.with_context(dock=found.id), found.label)

    def _to(self, balance: StockBalance, place_id: int, reason: str = "") -> Outcome:
        quantity = self._quantity_for(balance, place_id)
        try:
            movement = put_away(
                stock_balance_id=balance.pk,
                to_location_id=place_id,
                quantity=quantity,
                override_reason=reason,
            )
        except DoesNotFit:
            context = self.with_context(place=place_id, ask="override", quantity=plain(quantity))
            return Outcome(context)
        words = _("%(quantity)s %(unit)s %(name)s put away at %(place)s") % {
            "quantity": plain(quantity),
            "unit": balance.product.base_unit,
            "name": balance.product.name,
            "place": movement.to_location.code,
        }
        return Outcome({"done": str(movement.pk)}, words)

    def _undo(self) -> Outcome:
        """Take the last scan back: a put-away by its reversal, else one step of the context."""
        if movement_id := self.row_id("done"):
            if get_movement(movement_id).reason != MovementReason.PUT_AWAY:
                raise ActionUnknown
            reverse_movement(movement_id=movement_id)
            return Outcome({}, _("The last put-away was taken back."))
        for keys in (("ask", "place"), GOODS_KEYS):
            if any(key in self.context for key in keys):
                context = self.with_context(**dict.fromkeys(keys))
                return Outcome(context, _("The last scan was taken back."))
        raise ActionUnknown

    # -- what is known ---------------------------------------------------------------------------
    def candidates(self) -> list[StockBalance]:
        """Return what waits here of what was scanned, the most urgent first."""
        rows = put_away_work(warehouse_id=working_warehouse(self.request))
        filters = {"product": "product_id", "lot": "lot_id", "dock": "location_id"}
        for key, column in filters.items():
            if row_id := self.row_id(key):
                rows = rows.filter(**{column: row_id})
        return list(rows[: MOST_LINES + 1])

    def _quantity(self, balance: StockBalance) -> Decimal:
        if text := self.context.get("quantity", ""):
            return typed_quantity(text)
        free: Decimal = balance.on_hand - balance.allocated
        return free

    def _quantity_for(self, balance: StockBalance, place_id: int) -> Decimal:
        """Return what was counted; else what is suggested for the place; else all of it."""
        if "quantity" not in self.context:
            for place in suggestions([balance])[balance.pk]:
                if place.location.pk == place_id and place.why != Why.LAST_RESORT:
                    return place.quantity
        return self._quantity(balance)

    def _refusal(self, balance: StockBalance) -> str:
        """Return in words what speaks against the place that was scanned."""
        place = get_location(self.row_id("place") or 0)
        found = misfits(
            goods_of(balance, self._quantity(balance)), place_facts(place, balance.product_id)
        )
        return str(DoesNotFit(place, found)) if found else ""


BODIES = {
    "goods": "inventory/_scan_lying.html",
    "lot": "inventory/_scan_lying.html",
    "dock": "inventory/_scan_lying.html",
    "to": "inventory/_scan_put_away.html",
    "quantity": "inventory/_scan_put_away.html",
    "override": "inventory/_scan_put_away.html",
}


def scan_put_away(request: HttpRequest, tenant: str) -> HttpResponse:
    """Put goods away by scanning."""
    return run_flow(request, PutAwayFlow)
