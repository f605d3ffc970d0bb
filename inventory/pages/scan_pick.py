"""Picking on a handheld: go there, scan the place, scan the goods, how many, and on to the next."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotTracking, ShortReason, WaveState, WorkKind
from inventory.pages.fields import plain
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Context,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
)
from inventory.queries.picking import PickStop, last_pick, open_stops
from inventory.queries.places import get_location
from inventory.queries.scanning import GOODS, PLACE, Scanned, ScannedKind, resolve_scan
from inventory.queries.waves import get_wave, wave_progress
from inventory.queries.worklists import live_claims
from inventory.services.picking import Pick, pick, undo_pick
from inventory.services.picking_errors import Mismatch, WrongPick
from inventory.services.short_picks import pick_short
from tenancy.errors import Invalid
from tenancy.pages.web import address

LOT = frozenset({ScannedKind.LOT})
LONGEST_NUMBER = 7
"""Digits of a typed quantity; what is longer is a code."""
REASONS = [reason for reason in ShortReason if reason]
REASON = "reason:"


class PickFlow(ScanFlow):
    """One wave, stop by stop. The database says what is open; the context, what was scanned."""

    title = gettext_lazy("Pick")
    keys = ("after", "place", "goods", "found", "short")

    @cached_property
    def wave(self) -> Any:
        return get_wave(self.ids["wave_id"])

    @cached_property
    def stops(self) -> list[PickStop]:
        return open_stops(self.wave.pk)

    @cached_property
    def stop(self) -> PickStop | None:
        """Return the next stop: the first one behind those put off, or the first of all."""
        if self.wave.state != WaveState.RELEASED or not self.stops:
            return None
        after = self.row_id("after") or 0
        return next((stop for stop in self.stops if stop.sequence > after), self.stops[0])

    def back_url(self) -> str:
        return address(self.request, "inventory:pick_list")

    def step(self) -> Step:
        stop = self.stop
        if stop is None:
            return self._over()
        name = self._name(stop)
        return Step(
            name=name,
            prompt=_prompt(name, stop),
            hint=_hint(name, stop),
            stages=_stages(name, stop),
            body="inventory/_scan_pick.html",
            facts=self._facts(stop),
            buttons=self._buttons(name, stop),
            undo=self._undo_label(name),
            is_number=name in {"quantity", "found"},
        )

    def take(self, scan: str) -> Outcome:
        stop = self.stop
        if stop is None:
            return self._bring(scan)
        name = self._name(stop)
        if name == "place":
            return self._at_place(stop, scan)
        if name in {"goods", "lot"}:
            return self._goods(stop, self._scanned(stop, scan, name))
        if name == "reason":
            return self._short(stop, _reason_of(scan))
        return self._quantity(stop, scan, name)

    def press(self, action: str) -> Outcome:
        stop = self.stop
        if action == "undo":
            return self._undo()
        if stop is None:
            raise ActionUnknown
        name = self._name(stop)
        if action == "later":
            return Outcome({"after": str(stop.sequence)})
        if action == "all" and name == "quantity":
            return self._all(stop)
        if action == "short" and name in {"goods", "lot", "quantity"}:
            return Outcome(self.with_context(short=1))
        if action == "nothing" and name == "found":
            return Outcome(self.with_context(found="0"))
        if action.startswith(REASON) and name == "reason":
            return self._short(stop, action.removeprefix(REASON))
        raise ActionUnknown

    # -- where we are ------------------------------------------------------------------------------
    def _name(self, stop: PickStop) -> str:
        if self.context.get("place") != str(stop.location.pk):
            return "place"
        if self.context.get("found"):
            return "reason"
        if self.context.get("short"):
            return "found"
        goods = self.context.get("goods", "")
        if goods == _goods_key(stop):
            return "quantity"
        return "lot" if goods == str(stop.product.pk) else "goods"

    def _over(self) -> Step:
        """Return the last step: where the goods are brought."""
        cancelled = self.wave.state == WaveState.CANCELLED
        place = self.wave.to_location.code
        prompt = _("This wave was cancelled.") if cancelled else _("All picked.")
        return Step(
            name="bring",
            prompt=prompt,
            hint=_("Bring the goods to %(place)s and scan the place.") % {"place": place},
            body="inventory/_scan_picked.html",
            facts=self._facts(None),
            undo=_("Undo last pick") if last_pick(self.wave.pk) else "",
        )

    def _facts(self, stop: PickStop | None) -> dict[str, Any]:
        claim = live_claims(WorkKind.PICK, [self.wave.pk]).get(self.wave.pk)
        user_id = self.request.user.pk
        others = claim is not None and (claim.actor_kind, claim.actor_id) != ("user", user_id)
        behind = self.stops.index(stop) + 1 if stop else 0
        return {
            "wave": self.wave,
            "stop": stop,
            "reasons": REASONS if stop and self._name(stop) == "reason" else [],
            "next_stop": self.stops[behind] if stop and behind < len(self.stops) else None,
            "progress": wave_progress([self.wave.pk])[self.wave.pk],
            "taken_by": claim if others else None,
        }

    def _buttons(self, name: str, stop: PickStop) -> list[Button]:
        short = Button("short", _("Short"), "alert")
        if name == "place":
            return [Button("later", _("Later"), "arrow-right")] if len(self.stops) > 1 else []
        if name == "quantity":
            everything = _("All %(quantity)s") % {"quantity": plain(stop.quantity)}
            return [short, Button("all", everything, "check", "primary")]
        if name == "found":
            return [Button("nothing", _("Nothing there"), "x-circle")]
        if name == "reason":
            return [Button(f"{REASON}{reason.value}", reason.label) for reason in REASONS]
        return [short]

    def _undo_label(self, name: str) -> str:
        if name != "place":
            return _("Back one scan")
        return _("Undo last pick") if last_pick(self.wave.pk) else ""

    # -- what is scanned ---------------------------------------------------------------------------
    def _at_place(self, stop: PickStop, scan: str) -> Outcome:
        found = resolve_scan(scan, warehouse_id=self.wave.warehouse_id, expects=PLACE)
        if found.location_id != stop.location.pk:
            scanned = get_location(found.id).code
            raise WrongPick([_mismatch(stop, "location", stop.location.code, scanned)])
        return Outcome(self.with_context(place=stop.location.pk), message=stop.location.code)

    def _scanned(self, stop: PickStop, scan: str, name: str) -> Scanned:
        """Return the goods scanned, if they are what this stop asks for."""
        expects = LOT if name == "lot" else GOODS
        found = resolve_scan(
            scan,
            warehouse_id=self.wave.warehouse_id,
            expects=expects,
            product_id=stop.product.pk if name == "lot" else None,
        )
        if found.product_id != stop.product.pk:
            raise WrongPick([_mismatch(stop, "product", stop.product.sku, found.label)])
        if found.lot_code and stop.lot is not None and found.lot_id != stop.lot.pk:
            raise WrongPick([_mismatch(stop, "lot", stop.lot.code, found.lot_code)])
        return found

    def _goods(self, stop: PickStop, found: Scanned) -> Outcome:
        if stop.product.lot_tracking != LotTracking.NONE and found.lot_id is None:
            return Outcome(self.with_context(goods=stop.product.pk), message=found.label)
        if found.quantity == stop.quantity:
            return self._all(stop)
        return Outcome(self.with_context(goods=_goods_key(stop)), message=found.label)

    def _quantity(self, stop: PickStop, scan: str, name: str) -> Outcome:
        typed = _number(scan)
        if typed is None and name == "quantity":
            # the same goods once more: all of it is there
            self._scanned(stop, scan, name)
            return self._all(stop)
        if typed is None:
            raise Invalid.field("scan", "not_a_quantity", _("Enter how many you found."))
        if typed == stop.quantity:
            return self._all(stop)
        if typed > stop.quantity or typed < 0:
            message = _("%(typed)s is more than the %(wanted)s to be picked.") % {
                "typed": plain(typed),
                "wanted": plain(stop.quantity),
            }
            raise Invalid.field("scan", "too_much", message)
        return Outcome(self.with_context(found=plain(typed) or "0"))

    # -- what is done ------------------------------------------------------------------------------
    def _all(self, stop: PickStop) -> Outcome:
        pick(wave_id=self.wave.pk, picks=_picks(stop, stop.quantity))
        return Outcome(self._onwards(), message=_told(stop, stop.quantity))

    def _short(self, stop: PickStop, reason: str) -> Outcome:
        found = _number(self.context.get("found", "")) or Decimal(0)
        result = pick_short(wave_id=self.wave.pk, picks=_picks(stop, found), reason=reason)
        words = _("%(picked)s %(missing)s missing, %(elsewhere)s of it fetched elsewhere.") % {
            "picked": _told(stop, found),
            "missing": plain(result.missing),
            "elsewhere": plain(result.reallocated) or "0",
        }
        return Outcome(self._onwards(), message=words)

    def _undo(self) -> Outcome:
        if self.context.get("short") or self.context.get("found"):
            return Outcome(_without(self.context, "short", "found"))
        if self.context.get("goods"):
            return Outcome(_without(self.context, "goods"))
        if self.context.get("place"):
            return Outcome(_without(self.context, "place"))
        tasks = last_pick(self.wave.pk)
        undo_pick(wave_id=self.wave.pk, task_ids=[task.pk for task in tasks])
        message = _("Put %(sku)s back to %(place)s.") % {
            "sku": tasks[0].product.sku,
            "place": tasks[0].location.code,
        }
        return Outcome({}, message=message)

    def _bring(self, scan: str) -> Outcome:
        found = resolve_scan(scan, warehouse_id=self.wave.warehouse_id, expects=PLACE)
        if found.location_id != self.wave.to_location_id:
            message = _("Bring the goods to %(place)s, not here.")
            code = self.wave.to_location.code
            raise Invalid.field("scan", "other_place", message % {"place": code})
        done = _("%(wave)s is at %(place)s.") % {
            "wave": self.wave.number,
            "place": self.wave.to_location.code,
        }
        return Outcome({}, message=done, target=address(self.request, "inventory:scan_pick_start"))

    def _onwards(self) -> Context:
        """Return the context of the next stop; what was put off stays behind."""
        return {"after": self.context["after"]} if self.context.get("after") else {}


def scan_pick(request: HttpRequest, tenant: str, wave_id: int) -> HttpResponse:
    """Pick a wave by scanning."""
    return run_flow(request, PickFlow, wave_id=wave_id)


def _prompt(name: str, stop: PickStop) -> str:
    words = {
        "place": _("Go to %(place)s"),
        "goods": _("Take %(quantity)s %(unit)s"),
        "lot": _("Scan the lot"),
        "quantity": _("Take %(quantity)s %(unit)s"),
        "found": _("How many are there?"),
        "reason": _("Why is it less?"),
    }
    return words[name] % {
        "place": stop.location.code,
        "quantity": plain(stop.quantity),
        "unit": stop.product.base_unit,
    }


def _hint(name: str, stop: PickStop) -> str:
    lot = stop.lot.code if stop.lot else ""
    words = {
        "place": _("Scan the place when you are there."),
        "goods": _("Scan the goods."),
        "lot": _("It must be lot %(lot)s."),
        "quantity": _("Scan the goods again for all of it, or enter how many there are."),
        "found": _("Enter 0 when nothing is there."),
        "reason": _("Press a reason, or enter its number."),
    }
    return words[name] % {"lot": lot} if name == "lot" else words[name]


def _stages(name: str, stop: PickStop) -> list[Stage]:
    lot = f" · {stop.lot.code}" if stop.lot else ""
    has_goods = name in {"quantity", "found", "reason"}
    return [
        Stage(_("Place"), "" if name == "place" else stop.location.code, name == "place"),
        Stage(
            _("Goods"), f"{stop.product.sku}{lot}" if has_goods else "", name in {"goods", "lot"}
        ),
        Stage(_("Quantity"), "", has_goods),
    ]


def _mismatch(stop: PickStop, what: str, expected: str, scanned: str) -> Mismatch:
    return Mismatch(stop.tasks[0].pk, what, expected, scanned)


def _picks(stop: PickStop, found: Decimal) -> list[Pick]:
    """Share what was found among the tasks, the most urgent order first."""
    picks = []
    for task in stop.tasks:
        part = min(task.quantity, found)
        found -= part
        picks.append(
            Pick(
                task_id=task.pk,
                location_id=stop.location.pk,
                product_id=stop.product.pk,
                lot_id=stop.lot.pk if stop.lot else None,
                quantity=part,
            )
        )
    return picks


def _told(stop: PickStop, quantity: Decimal) -> str:
    return _("%(quantity)s %(unit)s of %(sku)s picked.") % {
        "quantity": plain(quantity) or "0",
        "unit": stop.product.base_unit,
        "sku": stop.product.sku,
    }


def _goods_key(stop: PickStop) -> str:
    return f"{stop.product.pk}-{stop.lot.pk if stop.lot else 0}"


def _number(text: str) -> Decimal | None:
    """Return what was typed as a quantity, or None for what is a code or nothing."""
    typed = text.strip()
    if not typed or len(typed) > LONGEST_NUMBER or not typed.isascii():
        return None
    try:
        number = Decimal(typed)
    except InvalidOperation:
        return None
    return number if number.is_finite() and typed[0] in "0123456789." else None


def _reason_of(scan: str) -> str:
    """Return the reason of that number in the list, or what was scanned, which is then refused."""
    text = scan.strip()
    is_number = text.isascii() and text.isdigit() and len(text) == 1
    chosen = int(text) if is_number else 0
    return REASONS[chosen - 1].value if 1 <= chosen <= len(REASONS) else text


def _without(context: Context, *keys: str) -> Context:
    return {key: value for key, value in context.items() if key not in keys}
