"""Channels: the list, one channel with the stock kept for and from it, and their forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Channel, ChannelKind
from inventory.pages.fields import ProductCodeField, in_use_field, quantity_field
from inventory.pages.sales_steps import given_version
from inventory.queries.channels import (
    channel_stocks,
    get_channel,
    get_channel_stock,
    promisable_for_channel,
    search_channels,
)
from inventory.queries.places import warehouses
from inventory.services.channels import (
    ChannelFields,
    KeptStock,
    create_channel,
    remove_channel_stock,
    set_channel_stock,
    update_channel,
)
from tenancy.pages.filters import search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "sales_channels"
DETAIL = "inventory:channel_detail"


class ChannelFilters(forms.Form):
    q = search_field(gettext_lazy("Code or name"))
    state = in_use_field()


class ChannelForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=32, help_text=gettext_lazy("Short and unique.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=ChannelKind.choices)
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)


class KeptForm(forms.Form):
    """What is kept for and from the channel of one product in one warehouse."""

    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    ring_fenced = quantity_field(
        gettext_lazy("Kept for the channel"),
        min_value=0,
        initial=Decimal(0),
        help_text=gettext_lazy("Other channels are not promised these."),
    )
    buffer = quantity_field(
        gettext_lazy("Kept from the channel"),
        min_value=0,
        initial=Decimal(0),
        help_text=gettext_lazy("The last ones: a guard against selling what is not there."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["warehouse_id"].choices = known  # type: ignore[attr-defined]


@require_safe
def channel_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the channels."""
    require(Permission.READ)
    filters = ChannelFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_channels(
        text=chosen.get("q", "").strip(),
        is_active={"": True, "inactive": False}.get(chosen.get("state", "")),
    )
    page = keyset_page(rows, order=("code", "id"), cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/channel_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=page.items,
        next_cursor=page.next_cursor,
    )


@require_safe
def channel_detail(request: HttpRequest, tenant: str, channel_id: int) -> HttpResponse:
    """Show a channel: what is kept for it and from it, and what that leaves it to sell."""
    require(Permission.READ)
    return _show_channel(request, get_channel(channel_id))


def channel_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a channel."""
    require(Permission.SELL)
    form = ChannelForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        channel = create_channel(fields=_fields(data))
        return address(request, DETAIL, channel_id=channel.pk)

    return _form_page(request, form, create, _("The channel was created."), channel=None)


def channel_edit(request: HttpRequest, tenant: str, channel_id: int) -> HttpResponse:
    """Change a channel, or take it out of use."""
    require(Permission.SELL)
    channel = get_channel(channel_id)
    initial = {name: getattr(channel, name) for name in ChannelForm.base_fields}
    form = ChannelForm(request.POST or None, initial=initial)

    def change(data: dict[str, Any]) -> str:
        update_channel(channel_id=channel.pk, fields=_fields(data))
        return address(request, DETAIL, channel_id=channel.pk)

    return _form_page(request, form, change, _("The channel was changed."), channel=channel)


@require_POST
def channel_keep(request: HttpRequest, tenant: str, channel_id: int) -> HttpResponse:
    """Keep stock of a product for the channel or from it; what was kept before is replaced."""
    require(Permission.SELL)
    channel = get_channel(channel_id)
    form = KeptForm(request.POST)

    def keep(data: dict[str, Any]) -> str:
        set_channel_stock(
            channel_id=channel.pk,
            product_id=data["product_id"].pk,
            warehouse_id=data["warehouse_id"],
            kept=KeptStock(ring_fenced=data["ring_fenced"], buffer=data["buffer"]),
            version=given_version(request),
        )
        return address(request, DETAIL, channel_id=channel.pk)

    answer = send_form(request, form, keep, _("The stock is kept from now on."))
    return answer if answer is not None else _show_channel(request, channel, form)


@require_POST
def channel_stock_remove(request: HttpRequest, tenant: str, channel_stock_id: int) -> HttpResponse:
    """Keep nothing of a product for the channel or from it any more."""
    require(Permission.SELL)
    row = get_channel_stock(channel_stock_id)
    return do(
        request,
        lambda: remove_channel_stock(
            channel_stock_id=channel_stock_id, version=given_version(request)
        ),
        done=_("Nothing is kept any more."),
        target=address(request, DETAIL, channel_id=row.channel_id),
    )


def _show_channel(
    request: HttpRequest, channel: Channel, form: KeptForm | None = None
) -> HttpResponse:
    page = keyset_page(
        channel_stocks().filter(channel_id=channel.pk),
        order=("product__sku", "id"),
        cursor=request.GET.get("cursor", ""),
    )
    left: dict[tuple[int, int], Decimal] = {}
    for warehouse_id in {row.warehouse_id for row in page.items}:
        found = promisable_for_channel(
            product_ids=[r.product_id for r in page.items if r.warehouse_id == warehouse_id],
            warehouse_id=warehouse_id,
            channel_id=channel.pk,
        )
        left |= {(one.product_id, warehouse_id): one.available for one in found}
    return show(
        request,
        "inventory/channel_detail.html",
        NAV,
        channel=channel,
        rows=[(r, left[r.product_id, r.warehouse_id]) for r in page.items],
        next_cursor=page.next_cursor,
        form=form or KeptForm(),
        status=UNPROCESSABLE if form is not None else 200,
    )


def _fields(data: dict[str, Any]) -> ChannelFields:
    return ChannelFields(**(data | {"kind": ChannelKind(data["kind"])}))


def _form_page(
    request: HttpRequest, form: ChannelForm, effect: Any, done: str, *, channel: Channel | None
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    template = "inventory/channel_form.html"
    return show(request, template, NAV, form=form, channel=channel, status=status)
