"""Shipping at the desk: the list of orders, sending one, and what has left."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Package, PackageState, SalesOrder, WorkKind
from inventory.pages.fields import money_field
from inventory.pages.waves import today
from inventory.pages.worklists import WorkFilters
from inventory.queries.movements import movements_of
from inventory.queries.packing import (
    PackingLine,
    get_order,
    packages_of,
    packing_lines,
    packing_totals,
)
from inventory.queries.places import warehouses
from inventory.queries.shipping import (
    get_shipment,
    known_carriers,
    late_orders,
    orders_to_ship,
    picked_allocations,
    search_shipments,
    shipment_totals,
    shipments_of,
)
from inventory.queries.worklists import live_claims
from inventory.services.shipping import ShipmentFields, ship_order
from inventory.services.staging import stage_order
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "to_ship"
BY_DUE = ("due_on", "priority", "id")


class ShipFilters(WorkFilters):
    late = forms.BooleanField(label=gettext_lazy("Late only"), required=False)


class ShipmentFilters(forms.Form):
    q = search_field(gettext_lazy("Shipment, order or tracking number"))
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        offer(self, "warehouse", _("All warehouses"), known)


class ShipForm(forms.Form):
    """How it travels, and which of the closed packages leave now."""

    carrier = forms.CharField(
        label=gettext_lazy("Carrier"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"list": "known-carriers", "autocomplete": "off"}),
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    transport_cost = money_field(gettext_lazy("Transport cost"), required=False)
    packages = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Packages that leave"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    pack_all = forms.BooleanField(
        label=gettext_lazy("All of it is packed"),
        required=False,
        help_text=gettext_lazy(
            "Picked goods outside closed packages are put into one, and it leaves with the rest."
        ),
    )

    def __init__(self, data: Any, *, closed: list[Package], loose: bool) -> None:
        super().__init__(data, initial={"packages": [package.pk for package in closed]})
        self.closed = closed
        choices = [(package.pk, package.number) for package in closed]
        self.fields["packages"].choices = choices  # type: ignore[attr-defined]
        if not loose:
            del self.fields["pack_all"]

    def clean(self) -> dict[str, Any]:
        """Refuse to send nothing."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("pack_all") and not data.get("packages") and not self.errors:
            raise forms.ValidationError(_("Choose at least one package, or there is no shipment."))
        return data

    def chosen(self, data: dict[str, Any]) -> list[int] | None:
        """Return the packages named, or None when all of them leave."""
        everything = {package.pk for package in self.closed}
        return (
            None
            if data.get("pack_all") or set(data["packages"]) == everything
            else (data["packages"])
        )


@require_safe
def ship_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the orders that are ready to leave, the late ones first."""
    require(Permission.READ)
    filters = ShipFilters(request.GET)
    chosen = filters.chosen
    rows = orders_to_ship(
        warehouse_id=chosen.get("warehouse"),
        text=chosen.get("q", "").strip(),
        assignee=chosen.get("assignee", ""),
    )
    if chosen.get("late"):
        rows = late_orders(rows, today())
    page = keyset_page(rows, order=BY_DUE, cursor=request.GET.get("cursor", ""))
    ids = [order.pk for order in page.items]
    totals, claims = packing_totals(ids), live_claims(WorkKind.SHIP, ids)
    return show(
        request,
        "inventory/ship_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        tabs=_tabs(request, "inventory:ship_list"),
        rows=[(order, totals[order.pk], claims.get(order.pk)) for order in page.items],
        next_cursor=page.next_cursor,
        today=today(),
    )


def order_ship(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Send an order's packages to the customer."""
    require(Permission.READ if request.method in {"GET", "HEAD"} else Permission.FLOOR_WORK)
    order = get_order(sales_order_id)
    boxes = [p for p in packages_of(order.pk) if p.state != PackageState.SHIPPED]
    closed = [package for package in boxes if package.state == PackageState.CLOSED]
    opened = [package for package in boxes if package.state == PackageState.OPEN]
    loose = [line for line in packing_lines(order.pk) if line.left > 0]
    form = ShipForm(
        request.POST if request.method == "POST" else None,
        closed=closed,
        loose=bool(loose) or any(package.lines.all() for package in opened),
    )

    def send(data: dict[str, Any]) -> str:
        shipment = ship_order(
            sales_order_id=order.pk,
            shipment=ShipmentFields(
                data["carrier"], data["tracking_number"], data["transport_cost"]
            ),
            package_ids=form.chosen(data),
            pack_all=bool(data.get("pack_all")),
        )
        return address(request, "inventory:shipment_detail", shipment_id=shipment.pk)

    if request.method == "POST":
        answer = send_form(request, form, send, _("Shipped."))
        if answer is not None:
            return answer
    return _show_order(request, order, form, (closed, opened, loose))


@require_POST
def order_stage(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Bring an order's packed goods to the shipping place."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: stage_order(sales_order_id=sales_order_id),
        done=_("The packed goods are at the shipping place now."),
        target=address(request, "inventory:order_ship", sales_order_id=sales_order_id),
    )


@require_safe
def shipment_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what has left, the newest first."""
    require(Permission.READ)
    filters = ShipmentFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_shipments(text=chosen.get("q", "").strip(), warehouse_id=chosen.get("warehouse"))
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    totals = shipment_totals([shipment.pk for shipment in page.items])
    return show(
        request,
        "inventory/shipment_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        tabs=_tabs(request, "inventory:shipment_list"),
        rows=[(shipment, totals[shipment.pk]) for shipment in page.items],
        next_cursor=page.next_cursor,
    )


@require_safe
def shipment_detail(request: HttpRequest, tenant: str, shipment_id: int) -> HttpResponse:
    """Show a shipment: how it travels, its packages and goods."""
    require(Permission.READ)
    shipment = get_shipment(shipment_id)
    return show(
        request,
        "inventory/shipment_detail.html",
        NAV,
        shipment=shipment,
        lines=list(shipment.lines.all()),
        boxes=list(shipment.packages.all()),
        totals=shipment_totals([shipment.pk])[shipment.pk],
        movements=list(movements_of(shipment)),
    )


def _show_order(
    request: HttpRequest,
    order: SalesOrder,
    form: ShipForm,
    parts: tuple[list[Package], list[Package], list[PackingLine]],
) -> HttpResponse:
    closed, opened, loose = parts
    places = {row.picked_into for row in picked_allocations(order.pk)}
    return show(
        request,
        "inventory/order_ship.html",
        NAV,
        order=order,
        form=form,
        closed=closed,
        chosen_packages={int(pk) for pk in form["packages"].value() or () if str(pk).isdecimal()},
        opened=opened,
        loose=loose,
        places=sorted((p for p in places if p is not None), key=lambda place: place.code),
        can_stage=bool(closed) and any(p is not None and p.kind == "packing" for p in places),
        carriers=known_carriers(order.warehouse_id),
        shipments=list(shipments_of(order.pk)),
        claim=live_claims(WorkKind.SHIP, [order.pk]).get(order.pk),
        today=today(),
        status=UNPROCESSABLE if form.errors else 200,
    )


def _tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    known = {"inventory:ship_list": _("To ship"), "inventory:shipment_list": _("Shipments")}
    return [
        {"label": label, "href": address(request, name), "current": name == current}
        for name, label in known.items()
    ]
