"""Releasing waves: what is chosen, what would come of it, and doing it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import WaveKind
from inventory.pages.fields import day_field, quantity_field
from inventory.pages.waves import DETAIL, NAV, first_wave
from inventory.queries.places import packing_places, warehouses, zones_of
from inventory.queries.waves import WaveRequest, planned_waves
from inventory.rules.wave_plan import Limits, PlanKind, PlannedWave
from inventory.services.waves import release_waves
from tenancy.pages.filters import offer
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

USUAL = Limits()
MOST_ORDERS, MOST_LINES = 200, 500
MOST_CHOSEN = 200
MOST_SHOWN = 20
KIND_DESCRIPTIONS = {
    WaveKind.SINGLE.value: gettext_lazy("Each order is a wave of its own: nothing to sort after."),
    WaveKind.BATCH.value: gettext_lazy("One walk for several orders, up to the limits below."),
    WaveKind.ZONE.value: gettext_lazy("Nobody leaves their zone; orders come together at packing."),
}


class ReleaseForm(forms.Form):
    """What is to be released; ``order`` may come several times and narrows to those orders."""

    warehouse = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    kind = forms.ChoiceField(
        label=gettext_lazy("Pick"), choices=WaveKind.choices, widget=forms.RadioSelect
    )
    zone = forms.TypedChoiceField(
        label=gettext_lazy("Zone"), required=False, coerce=int, empty_value=None
    )
    priority_up_to = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        required=False,
        coerce=int,
        empty_value=None,
    )
    promised_by = day_field(gettext_lazy("Promised by"), required=False)
    orders = forms.IntegerField(
        label=gettext_lazy("Orders in a wave"), min_value=1, max_value=MOST_ORDERS
    )
    lines = forms.IntegerField(
        label=gettext_lazy("Lines in a wave"), min_value=1, max_value=MOST_LINES
    )
    volume_l = quantity_field(
        gettext_lazy("Volume of a wave"),
        required=False,
        min_value=Decimal("0.001"),
        help_text=gettext_lazy("Left empty: no limit. Products without a volume count as nothing."),
    )
    to_location = forms.TypedChoiceField(label=gettext_lazy("Bring to"), coerce=int)

    def __init__(self, data: Any, *, order_ids: Sequence[int]) -> None:
        known = [w for w in warehouses() if w.is_active]
        self.order_ids = tuple(order_ids)
        super().__init__(self._with_defaults(data, known))
        self.fields["warehouse"].choices = [  # type: ignore[attr-defined]
            (str(w.pk), w.name) for w in known
        ]
        urgent = [(n, _("%(n)d and more urgent") % {"n": n}) for n in range(1, 9)]
        offer(self, "priority_up_to", _("All priorities"), urgent)
        chosen = self["warehouse"].value() or ""
        warehouse_id = int(chosen) if str(chosen).isdecimal() and len(chosen) < 19 else 0
        offer(
            self,
            "zone",
            _("All zones"),
            [(str(z.pk), z.code) for z in zones_of(warehouse_id)],
        )
        self.fields["to_location"].choices = [  # type: ignore[attr-defined]
            (str(p.pk), p.code) for p in packing_places(warehouse_id)
        ]

    def _with_defaults(self, data: Any, known: Sequence[Any]) -> dict[str, Any]:
        """Fill in what was not asked for, so that the preview is there from the start."""
        given = {name: data.get(name) for name in self.base_fields if name in data}
        usual: dict[str, Any] = {
            "warehouse": str(known[0].pk) if known else "",
            "kind": WaveKind.BATCH.value,
            "orders": USUAL.orders,
            "lines": USUAL.lines,
        }
        merged = usual | given
        warehouse = str(merged["warehouse"])
        if warehouse.isdecimal() and len(warehouse) < 19:
            places = [str(place.pk) for place in packing_places(int(warehouse))]
            # the place of another warehouse is left behind when the warehouse changes
            if merged.get("to_location") not in places:
                merged["to_location"] = places[0] if places else ""
        return merged

    def request(self) -> WaveRequest:
        """Return the valid form as what the service understands."""
        data = self.cleaned_data
        return WaveRequest(
            warehouse_id=data["warehouse"],
            kind=PlanKind(data["kind"]),
            limits=Limits(data["orders"], data["lines"], data["volume_l"]),
            priority_up_to=data["priority_up_to"],
            promised_by=data["promised_by"],
            zone_id=data["zone"],
            order_ids=self.order_ids,
        )


def wave_release(request: HttpRequest, tenant: str) -> HttpResponse:
    """Choose what is to be picked, see the waves it would make, and release them."""
    require(Permission.FLOOR_WORK)
    given = request.POST if request.method == "POST" else request.GET
    form = ReleaseForm(given, order_ids=_order_ids(given.getlist("order")))

    def release(data: dict[str, Any]) -> str:
        waves = release_waves(request=form.request(), to_location_id=data["to_location"])
        only = first_wave(waves)
        if only is not None:
            return address(request, DETAIL, wave_id=only.pk)
        return address(request, "inventory:pick_list")

    if request.method == "POST":
        done = _("Released. The picks wait in the work list.")
        answer = send_form(request, form, release, done)
        if answer is not None:
            return answer
    planned = planned_waves(form.request()) if form.is_valid() else []
    is_fragment = bool(getattr(request, "htmx", False)) and request.method != "POST"
    return show(
        request,
        "inventory/_wave_release.html" if is_fragment else "inventory/wave_release.html",
        NAV,
        form=form,
        kind_descriptions=KIND_DESCRIPTIONS,
        order_ids=form.order_ids,
        planned=planned[:MOST_SHOWN],
        more=max(len(planned) - MOST_SHOWN, 0),
        totals=_totals(planned),
        status=UNPROCESSABLE if request.method == "POST" else 200,
    )


def _totals(planned: Sequence[PlannedWave]) -> dict[str, int]:
    picks = [pick for wave in planned for pick in wave.picks]
    return {
        "waves": len(planned),
        "orders": len({pick.order_id for pick in picks}),
        "lines": len(picks),
        "stops": sum(wave.stop_count for wave in planned),
    }


def _order_ids(given: Sequence[str]) -> list[int]:
    known = [text for text in given if text.isascii() and text.isdigit() and len(text) < 19]
    return [int(text) for text in known[:MOST_CHOSEN]]
