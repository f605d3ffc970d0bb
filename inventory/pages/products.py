"""Products: the list, one product with everything known of it, and the form to change it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotTracking, Product
from inventory.pages.fields import day_field, in_use_field, number_field, quantity_field
from inventory.queries.availability import availability
from inventory.queries.catalog import (
    categories,
    get_product,
    product_balances,
    product_barcodes,
    product_packagings,
    product_totals,
    search_products,
)
from inventory.queries.movements import movements
from inventory.queries.places import warehouses
from inventory.queries.suppliers import supplier_items
from inventory.queries.valuation import product_values
from inventory.services.catalog import (
    ProductFields,
    add_barcode,
    add_packaging,
    create_product,
    update_product,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

ORDERS = {
    "sku": ("sku", "id"),
    "-sku": ("-sku", "-id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
}
LATEST_MOVEMENTS = 12


class ProductFilters(forms.Form):
    q = search_field(gettext_lazy("SKU, name or barcode"))
    category = row_field(gettext_lazy("Category"))
    state = in_use_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(c.pk), c.name) for c in categories()]
        offer(self, "category", _("All categories"), known)


class ProductForm(forms.Form):
    sku = forms.CharField(label=gettext_lazy("SKU"), max_length=64)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    category_id = row_field(gettext_lazy("Category"))
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    base_unit = forms.CharField(label=gettext_lazy("Base unit"), max_length=16, initial="pcs")
    whole_units = forms.BooleanField(
        label=gettext_lazy("Counted in whole units"), required=False, initial=True
    )
    lot_tracking = forms.ChoiceField(
        label=gettext_lazy("Lot tracking"), choices=LotTracking.choices, initial=LotTracking.NONE
    )
    shelf_life_days = forms.IntegerField(
        label=gettext_lazy("Shelf life"), required=False, min_value=1, max_value=36_500
    )
    unit_cost = number_field(
        gettext_lazy("Unit cost"),
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
    )
    unit_price = number_field(
        gettext_lazy("Unit price"),
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
    )
    introduced_on = day_field(
        gettext_lazy("Introduced on"),
        required=False,
        help_text=gettext_lazy(
            "The first day it is sold: from then on it is forecast, at first from similar products."
        ),
    )
    discontinued_on = day_field(
        gettext_lazy("Discontinued on"),
        required=False,
        help_text=gettext_lazy("From then on it is neither forecast nor suggested."),
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(c.pk), c.name) for c in categories()]
        offer(self, "category_id", _("None"), known)


class PackagingForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Packaging"), max_length=40, help_text=gettext_lazy("e.g. case, pallet")
    )
    units = quantity_field(gettext_lazy("Holds"), min_value=0)


class BarcodeForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Barcode"), max_length=80)
    packaging_id = row_field(gettext_lazy("On"))

    def __init__(self, *args: Any, product_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(p.pk), p.name) for p in product_packagings(product_id)]
        offer(self, "packaging_id", _("The unit itself"), known)


def product_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List products with what all warehouses hold of them."""
    require(Permission.READ)
    filters = ProductFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_products(
        text=chosen.get("q", "").strip(),
        category_id=chosen.get("category"),
        is_active={"": True, "inactive": False}.get(chosen.get("state", "")),
    )
    sort = request.GET.get("sort", "sku")
    order = ORDERS.get(sort, ORDERS["sku"])
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""))
    totals = product_totals([product.pk for product in page.items])
    return show(
        request,
        "inventory/product_list.html",
        "products",
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(product, totals[product.pk]) for product in page.items],
        next_cursor=page.next_cursor,
        sort="sku",
    )


def product_detail(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    """Show a product: stock by place, what is on order, offers and latest movements."""
    require(Permission.READ)
    product = get_product(product_id)
    places = {warehouse.pk: warehouse for warehouse in warehouses()}
    by_warehouse = [
        (places[row.warehouse_id], row) for row in availability(product_ids=[product.pk])
    ]
    return show(
        request,
        "inventory/product_detail.html",
        "products",
        product=product,
        by_warehouse=by_warehouse,
        available=sum(row.available for _place, row in by_warehouse),
        on_hand=sum(row.on_hand for _place, row in by_warehouse),
        on_order=sum(row.on_order for _place, row in by_warehouse),
        allocated=sum(row.allocated for _place, row in by_warehouse),
        balances=list(product_balances(product.pk)),
        offers=list(supplier_items().filter(product_id=product.pk, is_active=True)),
        movements=list(movements(product_id=product.pk)[:LATEST_MOVEMENTS]),
        packagings=list(product_packagings(product.pk)),
        barcodes=list(product_barcodes(product.pk)),
        values=product_values(product.pk),
    )


def product_codes(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    """Add a packaging or a barcode to a product."""
    require(Permission.EDIT_CATALOG)
    product = get_product(product_id)
    adds_packaging = request.POST.get("add") == "packaging"
    sent = request.POST or None
    packaging_form = PackagingForm(sent if adds_packaging else None)
    barcode_form = BarcodeForm(None if adds_packaging else sent, product_id=product.pk)

    def add(data: dict[str, Any]) -> str:
        if adds_packaging:
            add_packaging(product_id=product.pk, **data)
        else:
            add_barcode(product_id=product.pk, **data)
        return address(request, "inventory:product_codes", product_id=product.pk)

    form = packaging_form if adds_packaging else barcode_form
    if request.method == "POST":
        done = _("The packaging was added.") if adds_packaging else _("The barcode was added.")
        answer = send_form(request, form, add, done)
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/product_codes.html",
        "products",
        product=product,
        packagings=list(product_packagings(product.pk)),
        barcodes=list(product_barcodes(product.pk)),
        packaging_form=packaging_form,
        barcode_form=barcode_form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def product_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a product."""
    require(Permission.EDIT_CATALOG)
    form = ProductForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        data.pop("version")
        product = create_product(fields=ProductFields(**data))
        return address(request, "inventory:product_detail", product_id=product.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The product was created."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/product_form.html",
        "products",
        form=form,
        product=None,
        status=UNPROCESSABLE if form.errors else 200,
    )


def product_edit(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    """Change a product; refused when somebody else changed it since the form was opened."""
    require(Permission.EDIT_CATALOG)
    product = get_product(product_id)
    form = ProductForm(request.POST or None, initial=_initial(product))

    def change(data: dict[str, Any]) -> str:
        version = data.pop("version")
        update_product(product_id=product.pk, changes=data, version=version)
        return address(request, "inventory:product_detail", product_id=product.pk)

    if request.method == "POST":
        answer = send_form(request, form, change, _("The product was changed."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/product_form.html",
        "products",
        form=form,
        product=product,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _initial(product: Product) -> dict[str, Any]:
    initial = {name: getattr(product, name) for name in ProductForm.base_fields}
    for name in ("unit_cost", "unit_price"):
        if initial[name] is not None:
            initial[name] = f"{initial[name].normalize():f}"
    return initial
