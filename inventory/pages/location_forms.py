"""Places one by one and many at once, and zones: the forms of a planner at the desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import OUTSIDE_KINDS, Location, LocationKind, MixingRule
from inventory.pages.fields import plain, quantity_field
from inventory.queries.places import (
    codes_in_use,
    get_location,
    get_warehouse,
    get_zone,
    zones_of,
)
from inventory.services.places import (
    Limits,
    ManyLocations,
    change_location,
    change_zone,
    codes_of,
    create_locations,
    create_zone,
)
from tenancy.errors import Invalid
from tenancy.pages.filters import offer, row_field
from tenancy.pages.web import UNPROCESSABLE, address, put_refusal, send_form, show
from tenancy.permissions import Permission, require

NAV = "warehouses"
DETAIL = "inventory:warehouse_detail"
ZONES = "inventory:zone_list"
SHOWN_CODES = 12


class LimitFields(forms.Form):
    """Zone, way and limits, the same for one place and for many."""

    zone_id = row_field(gettext_lazy("Zone"))
    max_volume_l = quantity_field(
        gettext_lazy("Room"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("Left empty: not known, so nothing is too much."),
    )
    max_weight_kg = quantity_field(
        gettext_lazy("Load"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("Left empty: not known, so nothing is too much."),
    )
    mixing_rule = forms.ChoiceField(
        label=gettext_lazy("May lie together"), choices=MixingRule.choices
    )

    def __init__(self, *args: Any, warehouse_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(zone.pk), zone.name or zone.code) for zone in zones_of(warehouse_id)]
        offer(self, "zone_id", _("No zone"), known)


class LocationEditForm(LimitFields):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=48)
    walking_order = forms.IntegerField(
        label=gettext_lazy("Walking order"), min_value=0, max_value=2**31 - 1
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("In use"),
        required=False,
        help_text=gettext_lazy("A place that holds stock stays in use."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class PatternForm(LimitFields):
    pattern = forms.CharField(
        label=gettext_lazy("Places"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Ranges in brackets: A-[01-20]-[1-4] names A-01-1 to A-20-4, 80 places."
        ),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            (kind.value, kind.label)
            for kind in LocationKind
            if kind not in {*OUTSIDE_KINDS, LocationKind.IN_TRANSIT}
        ],
    )
    first_walking_order = forms.IntegerField(
        label=gettext_lazy("Walking order of the first"),
        min_value=0,
        max_value=2**31 - 1,
        initial=100,
    )
    walking_step = forms.IntegerField(
        label=gettext_lazy("Step"),
        min_value=0,
        max_value=1_000_000,
        initial=10,
        help_text=gettext_lazy("From each place to the next."),
    )


class ZoneForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=32)
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=120)
    parent_id = row_field(gettext_lazy("When it is full, goods go to"))

    def __init__(
        self, *args: Any, warehouse_id: int, zone_id: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        known = [
            (str(zone.pk), zone.name or zone.code)
            for zone in zones_of(warehouse_id)
            if zone.pk != zone_id
        ]
        offer(self, "parent_id", _("Any place with room"), known)
        if zone_id is not None:
            del self.fields["code"]


def location_edit(request: HttpRequest, tenant: str, location_id: int) -> HttpResponse:
    """Change a place: zone, way, limits, use."""
    require(Permission.EDIT_CATALOG)
    location = get_location(location_id)
    form = LocationEditForm(
        request.POST or None, warehouse_id=location.warehouse_id, initial=_said(location)
    )

    def change(data: dict[str, Any]) -> str:
        version = data.pop("version")
        change_location(location_id=location.pk, changes=data, version=version)
        return address(request, DETAIL, warehouse_id=location.warehouse_id)

    if request.method == "POST":
        answer = send_form(request, form, change, _("The location was changed."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/location_form.html",
        NAV,
        location=location,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def location_pattern(request: HttpRequest, tenant: str, warehouse_id: int) -> HttpResponse:
    """Create many places from a pattern, after showing which they would be."""
    require(Permission.EDIT_CATALOG)
    warehouse = get_warehouse(warehouse_id)
    form = PatternForm(request.POST or None, warehouse_id=warehouse.pk)
    preview: dict[str, Any] = {}

    def create(data: dict[str, Any]) -> str:
        create_locations(warehouse_id=warehouse.pk, pattern=data["pattern"], fields=_many(data))
        return address(request, DETAIL, warehouse_id=warehouse.pk)

    if request.method == "POST" and form.is_valid():
        if "create" in request.POST:
            answer = send_form(request, form, create, _("The locations were created."))
            if answer is not None:
                return answer
        preview = _preview(form, warehouse.pk)
    return show(
        request,
        "inventory/location_pattern.html",
        NAV,
        warehouse=warehouse,
        form=form,
        preview=preview,
        status=UNPROCESSABLE if form.errors else 200,
    )


def zone_list(request: HttpRequest, tenant: str, warehouse_id: int) -> HttpResponse:
    """Show the zones of a warehouse; add one."""
    require(Permission.READ)
    warehouse = get_warehouse(warehouse_id)
    form = ZoneForm(request.POST or None, warehouse_id=warehouse.pk)

    def create(data: dict[str, Any]) -> str:
        create_zone(warehouse_id=warehouse.pk, **data)
        return address(request, ZONES, warehouse_id=warehouse.pk)

    if request.method == "POST":
        require(Permission.EDIT_CATALOG)
        answer = send_form(request, form, create, _("The zone was created."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/zone_list.html",
        NAV,
        warehouse=warehouse,
        zones=list(zones_of(warehouse.pk)),
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def zone_edit(request: HttpRequest, tenant: str, zone_id: int) -> HttpResponse:
    """Rename a zone, and say where goods go when it is full."""
    require(Permission.EDIT_CATALOG)
    zone = get_zone(zone_id)
    initial = {"name": zone.name, "parent_id": zone.parent_id}
    form = ZoneForm(
        request.POST or None, warehouse_id=zone.warehouse_id, zone_id=zone.pk, initial=initial
    )

    def change(data: dict[str, Any]) -> str:
        change_zone(zone_id=zone.pk, **data)
        return address(request, ZONES, warehouse_id=zone.warehouse_id)

    if request.method == "POST":
        answer = send_form(request, form, change, _("The zone was changed."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/zone_form.html",
        NAV,
        zone=zone,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _preview(form: PatternForm, warehouse_id: int) -> dict[str, Any]:
    """Return what the pattern names: how many, the first and last, and those there already."""
    try:
        codes = codes_of(form.cleaned_data["pattern"])
    except Invalid as refusal:
        if not form.errors:
            put_refusal(form, refusal)
        return {}
    taken = codes_in_use(warehouse_id, codes)
    return {
        "count": len(codes),
        "first": codes[:SHOWN_CODES],
        "last": codes[-1] if len(codes) > SHOWN_CODES else "",
        "taken": len(taken),
        "taken_first": taken[:SHOWN_CODES],
    }


def _many(data: dict[str, Any]) -> ManyLocations:
    return ManyLocations(
        kind=LocationKind(data["kind"]),
        zone_id=data["zone_id"],
        first_walking_order=data["first_walking_order"],
        walking_step=data["walking_step"],
        limits=Limits(
            max_volume_l=data["max_volume_l"],
            max_weight_kg=data["max_weight_kg"],
            mixing_rule=data["mixing_rule"],
        ),
    )


def _said(location: Location) -> dict[str, Any]:
    return {
        "code": location.code,
        "zone_id": location.zone_id,
        "walking_order": location.walking_order,
        "max_volume_l": plain(location.max_volume_l),
        "max_weight_kg": plain(location.max_weight_kg),
        "mixing_rule": location.mixing_rule,
        "is_active": location.is_active,
        "version": location.version,
    }
