"""Packing at the desk: the list of orders, and one order with its goods and packages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Package, PackageState, SalesOrder, WorkKind
from inventory.pages.fields import plain, quantity_field
from inventory.pages.waves import BY_URGENCY, today
from inventory.pages.worklists import WorkFilters
from inventory.queries.packing import (
    PackingLine,
    get_order,
    get_package,
    orders_to_pack,
    packages_of,
    packing_lines,
    packing_totals,
)
from inventory.queries.worklists import live_claims
from inventory.services.packing import (
    PackageMeasures,
    PackItem,
    close_package,
    discard_package,
    open_package,
    pack,
    reopen_package,
    unpack,
)
from tenancy.pages.filters import offer
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "to_pack"
PAGE = "inventory:order_pack"
SMALLEST = Decimal("0.001")


class PackForm(forms.Form):
    """Fields ``quantity_7_3`` for lot 3 of product 7 (``quantity_7`` without a lot)."""

    package = forms.TypedChoiceField(
        label=gettext_lazy("Into"), required=False, coerce=int, empty_value=None
    )

    def __init__(
        self, data: Any, *, lines: list[PackingLine], opened: list[Package], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.lines = [line for line in lines if line.left > 0]
        known = [(str(package.pk), package.number) for package in reversed(opened)]
        offer(self, "package", _("A new package"), known)
        if opened and data is None:
            self.initial["package"] = opened[-1].pk
        for line in self.lines:
            self.fields[field_name(line)] = quantity_field(
                _("Pack"), required=False, min_value=0, initial=plain(line.left)
            )

    def items(self, data: dict[str, Any]) -> list[PackItem]:
        """Return what was entered as the service understands it."""
        return [
            PackItem(line.product.pk, quantity, line.lot.pk if line.lot else None)
            for line in self.lines
            if (quantity := data.get(field_name(line)))
        ]


class MeasuresForm(forms.Form):
    """What the scales and the tape say."""

    weight_kg = quantity_field(gettext_lazy("Weight"), required=False, min_value=SMALLEST)
    length_cm = quantity_field(gettext_lazy("Length"), required=False, min_value=SMALLEST)
    width_cm = quantity_field(gettext_lazy("Width"), required=False, min_value=SMALLEST)
    height_cm = quantity_field(gettext_lazy("Height"), required=False, min_value=SMALLEST)


@require_safe
def pack_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the orders with picked goods to pack, the most urgent first."""
    require(Permission.READ)
    filters = WorkFilters(request.GET)
    chosen = filters.chosen
    rows = orders_to_pack(
        warehouse_id=chosen.get("warehouse"),
        text=chosen.get("q", "").strip(),
        assignee=chosen.get("assignee", ""),
    )
    page = keyset_page(rows, order=BY_URGENCY, cursor=request.GET.get("cursor", ""))
    ids = [order.pk for order in page.items]
    totals, claims = packing_totals(ids), live_claims(WorkKind.PACK, ids)
    return show(
        request,
        "inventory/pack_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(order, totals[order.pk], claims.get(order.pk)) for order in page.items],
        next_cursor=page.next_cursor,
        today=today(),
    )


def order_pack(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Show what of an order waits for a package and what is in which; put goods in."""
    require(Permission.READ if request.method in {"GET", "HEAD"} else Permission.FLOOR_WORK)
    order = get_order(sales_order_id)
    lines, boxes = packing_lines(order.pk), list(packages_of(order.pk))
    opened = [package for package in boxes if package.state == PackageState.OPEN]
    form = PackForm(request.POST if request.method == "POST" else None, lines=lines, opened=opened)

    def put_in(data: dict[str, Any]) -> str:
        package_id = data["package"] or open_package(sales_order_id=order.pk).pk
        pack(package_id=package_id, items=form.items(data))
        return address(request, PAGE, sales_order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, put_in, _("Packed."))
        if answer is not None:
            return answer
    return _show_order(request, order, form, lines, boxes)


@require_POST
def package_close(request: HttpRequest, tenant: str, package_id: int) -> HttpResponse:
    """Close a package with its weight and size."""
    require(Permission.FLOOR_WORK)
    package = get_package(package_id)
    form = MeasuresForm(request.POST)

    def close(data: dict[str, Any]) -> str:
        close_package(package_id=package.pk, measures=PackageMeasures(**data))
        return _page(request, package)

    answer = send_form(request, form, close, _("The package is closed: print its label."))
    if answer is not None:
        return answer
    order = get_order(package.sales_order_id)
    lines, boxes = packing_lines(order.pk), list(packages_of(order.pk))
    opened = [box for box in boxes if box.state == PackageState.OPEN]
    again = PackForm(None, lines=lines, opened=opened)
    return _show_order(request, order, again, lines, boxes, closing={package.pk: form})


@require_POST
def package_reopen(request: HttpRequest, tenant: str, package_id: int) -> HttpResponse:
    """Open a closed package again."""
    require(Permission.FLOOR_WORK)
    package = get_package(package_id)
    return do(
        request,
        lambda: reopen_package(package_id=package.pk),
        done=_("The package is open again."),
        target=_page(request, package),
    )


@require_POST
def package_discard(request: HttpRequest, tenant: str, package_id: int) -> HttpResponse:
    """Do away with an open package; its goods wait to be packed again."""
    require(Permission.FLOOR_WORK)
    package = get_package(package_id)
    return do(
        request,
        lambda: discard_package(package_id=package.pk),
        done=_("The package was discarded: its goods wait to be packed."),
        target=_page(request, package),
    )


@require_POST
def package_take_out(
    request: HttpRequest, tenant: str, package_id: int, package_line_id: int
) -> HttpResponse:
    """Take one line out of an open package."""
    require(Permission.FLOOR_WORK)
    package = get_package(package_id)
    line = next((line for line in package.lines.all() if line.pk == package_line_id), None)

    def take_out() -> None:
        if line is None:  # taken out already: the page was not reloaded
            return
        row = line.allocation
        unpack(package_id=package.pk, items=[PackItem(row.product_id, line.quantity, row.lot_id)])

    return do(request, take_out, done=_("Taken out."), target=_page(request, package))


def field_name(line: PackingLine) -> str:
    """Return the name of the field that says how much of these goods is packed."""
    name = f"quantity_{line.product.pk}"
    return f"{name}_{line.lot.pk}" if line.lot else name


def _page(request: HttpRequest, package: Package) -> str:
    return address(request, PAGE, sales_order_id=package.sales_order_id)


def _show_order(
    request: HttpRequest,
    order: SalesOrder,
    form: PackForm,
    lines: list[PackingLine],
    boxes: list[Package],
    closing: dict[int, MeasuresForm] | None = None,
) -> HttpResponse:
    measures = closing or {}
    rows = [(line, form[field_name(line)] if line.left > 0 else None) for line in lines]
    kept = [package for package in boxes if package.state != PackageState.SHIPPED]
    return show(
        request,
        "inventory/order_pack.html",
        NAV,
        order=order,
        form=form,
        rows=rows,
        left=any(line.left > 0 for line in lines),
        boxes=[(package, measures.get(package.pk) or _measures(package)) for package in kept],
        shipped=[package for package in boxes if package.state == PackageState.SHIPPED],
        claim=live_claims(WorkKind.PACK, [order.pk]).get(order.pk),
        all_packed=bool(kept)
        and not any(line.left > 0 for line in lines)
        and all(package.state == PackageState.CLOSED for package in kept),
        can_ship=any(package.state == PackageState.CLOSED for package in kept),
        today=today(),
        status=UNPROCESSABLE if form.errors or closing else 200,
    )


def _measures(package: Package) -> MeasuresForm:
    """Offer the sum of the goods' own weights, where all of them have one."""
    weights = [
        line.quantity * line.allocation.product.weight_kg
        if line.allocation.product.weight_kg is not None
        else None
        for line in package.lines.all()
    ]
    known = [weight for weight in weights if weight is not None]
    whole = sum(known, Decimal(0)) if weights and len(known) == len(weights) else None
    return MeasuresForm(
        initial={"weight_kg": plain(package.weight_kg or whole)},
        prefix=None,
        auto_id=f"id_{package.pk}_%s",
    )
