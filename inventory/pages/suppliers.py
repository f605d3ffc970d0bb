"""Suppliers: the list, one supplier with offers and measured lead times, and their forms."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from inventory.models import Supplier, SupplierItem, TransportMode
from inventory.pages.fields import (
    ProductCodeField,
    in_use_field,
    mode_field,
    money_field,
    plain,
    quantity_field,
)
from inventory.queries.suppliers import (
    LeadTimeFigures,
    deliveries_by_days,
    get_supplier,
    get_supplier_item,
    lead_times_by_mode,
    lead_times_by_offer,
    lead_times_by_supplier,
    offer_counts,
    open_order_counts,
    search_suppliers,
    supplier_items,
)
from inventory.services.suppliers import (
    LONGEST_LEAD_TIME_DAYS,
    Offer,
    SupplierFields,
    create_supplier,
    set_offer,
    update_supplier,
)
from tenancy.pages.filters import search_field
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "suppliers"
DETAIL = "inventory:supplier_detail"
MOST_BREAKS = 20
WIDEST_CHART_DAYS = 45


class SupplierFilters(forms.Form):
    q = search_field(gettext_lazy("Code or name"))
    state = in_use_field()


class SupplierForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=32, help_text=gettext_lazy("Short and unique.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    country = forms.RegexField(
        r"^[A-Z]{2}\Z",
        label=gettext_lazy("Country"),
        required=False,
        error_messages={"invalid": gettext_lazy("Two capital letters, e.g. DE.")},
        help_text=gettext_lazy("Two letters, e.g. DE."),
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}\Z",
        label=gettext_lazy("Invoices in"),
        required=False,
        error_messages={"invalid": gettext_lazy("Three capital letters, e.g. EUR.")},
        help_text=gettext_lazy(
            "Three letters, e.g. EUR. Prices stay in your currency; nothing is suggested from a "
            "supplier that invoices in another, as nothing is converted."
        ),
    )
    lead_time_days = forms.IntegerField(
        label=gettext_lazy("Promised lead time"),
        required=False,
        min_value=0,
        max_value=LONGEST_LEAD_TIME_DAYS,
        help_text=gettext_lazy("What deliveries really took is measured beside it."),
    )
    minimum_order_value = money_field(gettext_lazy("Minimum order value"), initial=Decimal(0))
    transport_cost = money_field(gettext_lazy("Transport cost per order"), initial=Decimal(0))
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)


class PriceBreaksField(forms.CharField):
    """One break a line, ``100: 2.50``; cleaned to the price by the quantity from which it holds."""

    widget = forms.Textarea

    def clean(self, value: Any) -> dict[Decimal, Decimal]:
        """Return the breaks; raise ``ValidationError`` naming the first line that is none."""
        breaks: dict[Decimal, Decimal] = {}
        lines = [line.strip() for line in super().clean(value).splitlines()]
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            parsed = _price_break(line)
            if parsed is None or parsed[0] in breaks or len(breaks) == MOST_BREAKS:
                message = _(
                    "Line %(number)d, “%(line)s”: write a quantity, a colon and a price, such as "
                    "100: 2.50; each quantity once, %(most)d at most."
                )
                params = {"number": number, "line": line[:40], "most": MOST_BREAKS}
                raise forms.ValidationError(message, code="unreadable", params=params)
            breaks[parsed[0]] = parsed[1]
        return breaks


class OfferForm(forms.Form):
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    supplier_sku = forms.CharField(
        label=gettext_lazy("Supplier's SKU"), required=False, max_length=64
    )
    price = money_field(gettext_lazy("Price per base unit"))
    transport_cost_per_unit = money_field(
        gettext_lazy("Transport cost per unit"), initial=Decimal(0)
    )
    transport_mode = mode_field()
    minimum_order_quantity = quantity_field(
        gettext_lazy("Minimum order quantity"), initial=Decimal(1)
    )
    order_multiple = quantity_field(
        gettext_lazy("Order multiple"),
        initial=Decimal(1),
        help_text=gettext_lazy("Orders are whole multiples of this."),
    )
    lead_time_days = forms.IntegerField(
        label=gettext_lazy("Promised lead time"),
        required=False,
        min_value=0,
        max_value=LONGEST_LEAD_TIME_DAYS,
        help_text=gettext_lazy("Left empty: that of the supplier."),
    )
    price_breaks = PriceBreaksField(
        label=gettext_lazy("Price breaks"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "100: 2.50"}),
        help_text=gettext_lazy("From this quantity: this price per unit. One a line."),
    )
    is_preferred = forms.BooleanField(
        label=gettext_lazy("Preferred for this product"),
        required=False,
        help_text=gettext_lazy("Reorder suggestions go to the preferred supplier."),
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("Can be ordered"), required=False, initial=True
    )


@require_safe
def supplier_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List suppliers with what they promise and what was measured."""
    require(Permission.READ)
    filters = SupplierFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_suppliers(
        text=chosen.get("q", "").strip(),
        is_active={"": True, "inactive": False}.get(chosen.get("state", "")),
    )
    page = keyset_page(rows, order=("code", "id"), cursor=request.GET.get("cursor", ""))
    ids = [supplier.pk for supplier in page.items]
    offers, orders, measured = (
        offer_counts(ids),
        open_order_counts(ids),
        lead_times_by_supplier(ids),
    )
    return show(
        request,
        "inventory/supplier_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(s, offers.get(s.pk, 0), orders.get(s.pk, 0), measured[s.pk]) for s in page.items],
        next_cursor=page.next_cursor,
    )


@require_safe
def supplier_detail(request: HttpRequest, tenant: str, supplier_id: int) -> HttpResponse:
    """Show a supplier: promised against measured lead time, and what it offers at which price."""
    require(Permission.READ)
    supplier = get_supplier(supplier_id)
    page = keyset_page(
        supplier_items().filter(supplier_id=supplier.pk),
        order=("product__sku", "id"),
        cursor=request.GET.get("cursor", ""),
    )
    measured = lead_times_by_offer(supplier.pk, page.items)
    return show(
        request,
        "inventory/supplier_detail.html",
        NAV,
        supplier=supplier,
        figures=lead_times_by_supplier([supplier.pk])[supplier.pk],
        open_orders=open_order_counts([supplier.pk]).get(supplier.pk, 0),
        items=[(item, measured[item.pk]) for item in page.items],
        next_cursor=page.next_cursor,
        chart=_chart(supplier),
        modes=_modes(supplier),
    )


def supplier_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a supplier."""
    require(Permission.BUY)
    form = SupplierForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        supplier = create_supplier(fields=SupplierFields(**data))
        return address(request, DETAIL, supplier_id=supplier.pk)

    return _form_page(request, form, create, _("The supplier was created."), supplier=None)


def supplier_edit(request: HttpRequest, tenant: str, supplier_id: int) -> HttpResponse:
    """Change a supplier, or take it out of use."""
    require(Permission.BUY)
    supplier = get_supplier(supplier_id)
    initial = {name: getattr(supplier, name) for name in SupplierForm.base_fields}
    form = SupplierForm(request.POST or None, initial=_plainly(initial))

    def change(data: dict[str, Any]) -> str:
        update_supplier(supplier_id=supplier.pk, fields=SupplierFields(**data))
        return address(request, DETAIL, supplier_id=supplier.pk)

    return _form_page(request, form, change, _("The supplier was changed."), supplier=supplier)


def offer_create(request: HttpRequest, tenant: str, supplier_id: int) -> HttpResponse:
    """Add a product to what a supplier offers; an offer that exists is replaced."""
    require(Permission.BUY)
    supplier = get_supplier(supplier_id)
    return _offer_page(request, OfferForm(request.POST or None), supplier, item=None)


def offer_edit(
    request: HttpRequest, tenant: str, supplier_id: int, supplier_item_id: int
) -> HttpResponse:
    """Change an offer and its price breaks."""
    require(Permission.BUY)
    item = get_supplier_item(supplier_item_id)
    if item.supplier_id != supplier_id:
        raise Http404
    form = OfferForm(request.POST or None, initial=_offer_initial(item))
    del form.fields["product_id"]
    return _offer_page(request, form, item.supplier, item)


def _offer_page(
    request: HttpRequest, form: OfferForm, supplier: Supplier, item: SupplierItem | None
) -> HttpResponse:
    def keep(data: dict[str, Any]) -> str:
        breaks = data.pop("price_breaks")
        product_id = item.product_id if item is not None else data.pop("product_id").pk
        set_offer(
            supplier_id=supplier.pk,
            product_id=product_id,
            offer=Offer(**data),
            price_breaks=breaks,
        )
        return address(request, DETAIL, supplier_id=supplier.pk)

    if request.method == "POST":
        answer = send_form(request, form, keep, _("The offer was saved."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/offer_form.html",
        NAV,
        form=form,
        supplier=supplier,
        item=item,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _form_page(
    request: HttpRequest, form: SupplierForm, effect: Any, done: str, *, supplier: Supplier | None
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    template = "inventory/supplier_form.html"
    return show(request, template, NAV, form=form, supplier=supplier, status=status)


def _offer_initial(item: SupplierItem) -> dict[str, Any]:
    initial = {
        name: getattr(item, name)
        for name in OfferForm.base_fields
        if name not in {"product_id", "price_breaks"}
    }
    breaks = [f"{plain(b.from_quantity)}: {plain(b.price)}" for b in item.price_breaks.all()]
    return _plainly(initial) | {"price_breaks": "\n".join(breaks)}


def _plainly(initial: dict[str, Any]) -> dict[str, Any]:
    return {n: plain(v) if isinstance(v, Decimal) else v for n, v in initial.items()}


def _price_break(line: str) -> tuple[Decimal, Decimal] | None:
    quantity, colon, price = line.partition(":")
    try:
        parsed = Decimal(quantity.strip()), Decimal(price.strip())
    except InvalidOperation:
        return None
    if not (colon and parsed[0].is_finite() and parsed[1].is_finite()):
        return None
    return parsed


def _modes(supplier: Supplier) -> list[tuple[Any, LeadTimeFigures]]:
    """Return what was measured by transport mode, the commonest first; nothing if never said."""
    found = lead_times_by_mode(supplier.pk)
    if not any(found):
        return []
    rows = [
        (TransportMode(mode).label if mode else _("Not said"), figures)
        for mode, figures in found.items()
    ]
    return sorted(rows, key=lambda row: -row[1].deliveries)


def _chart(supplier: Supplier) -> dict[str, Any] | None:
    """Return deliveries by days taken, every day from the shortest to the longest, for a chart."""
    found = deliveries_by_days(supplier.pk)
    if not found:
        return None
    first = min(found)
    last = min(max(found), first + WIDEST_CHART_DAYS)
    labels = [str(day) for day in range(first, last + 1)]
    counts = [found.get(day, 0) for day in range(first, last + 1)]
    later = sum(count for day, count in found.items() if day > last)
    if later:
        labels.append(_("later"))
        counts.append(later)
    return {
        "labels": labels,
        "series": [{"label": _("Deliveries"), "values": counts}],
        "unit": _("deliveries"),
    }
