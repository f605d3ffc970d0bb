"""Stock policies: the list, and the form that says what holds for whom."""

from __future__ import annotations

from dataclasses import fields as fields_of
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import AbcClass, PolicyTarget, StockPolicy, XyzClass
from inventory.pages.fields import (
    ProductCodeField,
    day_field,
    money_field,
    number_field,
    quantity_field,
)
from inventory.pages.sales_steps import given_version
from inventory.queries.places import warehouses
from inventory.queries.policies import get_policy, policies
from inventory.services.policies import (
    PolicyFields,
    PolicyScope,
    add_class_policies,
    remove_policy,
    set_policy,
)
from tenancy.pages.filters import search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "policies"
LIST = "inventory:policy_list"
FIELDS = tuple(one.name for one in fields_of(PolicyFields))


class PolicyFilters(forms.Form):
    q = search_field(gettext_lazy("SKU or name"))


class PolicyForm(forms.Form):
    """What a policy says; shares of a hundred are typed as percent."""

    target = forms.ChoiceField(
        label=gettext_lazy("How much stock is enough"), choices=PolicyTarget.choices
    )
    cycle_service_level = number_field(
        gettext_lazy("Service level"), min_value=Decimal("0.1"), max_value=Decimal("99.99"),
        max_digits=4, decimal_places=2,
        help_text=gettext_lazy("Chance that nothing runs out until the next delivery."),
    )  # fmt: skip
    lost_sale_cost = money_field(
        gettext_lazy("Cost of a lost sale, per unit"),
        required=False,
        help_text=gettext_lazy("Empty: price less cost."),
    )
    holding_cost_per_year = number_field(
        gettext_lazy("Holding cost per year"), min_value=0, max_value=1000,
        max_digits=6, decimal_places=2,
    )  # fmt: skip
    review_period_days = forms.IntegerField(
        label=gettext_lazy("Days between two orders"), min_value=1, max_value=365
    )
    excess_cover_days = forms.IntegerField(
        label=gettext_lazy("Cover that is fine"), min_value=0, max_value=3650
    )
    minimum_stock = quantity_field(gettext_lazy("Minimum stock"), required=False, min_value=0)
    maximum_stock = quantity_field(
        gettext_lazy("Maximum stock"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("What there is room for."),
    )
    season_ends_on = day_field(
        gettext_lazy("Season ends on"),
        required=False,
        help_text=gettext_lazy("What cannot be sold by then is not bought."),
    )
    do_not_stock = forms.BooleanField(
        label=gettext_lazy("Do not stock: never suggest an order"), required=False
    )


class NewPolicyForm(PolicyForm):
    """Whom it is for comes on top when a policy is new."""

    product_id = ProductCodeField(
        label=gettext_lazy("Product"),
        required=False,
        help_text=gettext_lazy("SKU or barcode. Empty: a class, or everything."),
    )
    warehouse_id = forms.TypedChoiceField(
        label=gettext_lazy("Warehouse"), required=False, coerce=int, empty_value=None
    )
    abc_class = forms.ChoiceField(
        label=gettext_lazy("ABC class"),
        required=False,
        choices=[("", gettext_lazy("Any")), *AbcClass.choices],
    )
    xyz_class = forms.ChoiceField(
        label=gettext_lazy("XYZ class"),
        required=False,
        choices=[("", gettext_lazy("Any")), *XyzClass.choices],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["warehouse_id"].choices = [("", _("All warehouses")), *known]  # type: ignore[attr-defined]


@require_safe
def policy_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the policies; the most specific one holds."""
    require(Permission.READ)
    filters = PolicyFilters(request.GET)
    text = filters.cleaned_data["q"].strip() if filters.is_valid() else ""
    page = keyset_page(policies(text=text), order=("id",), cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/policy_list.html",
        NAV,
        filters=filters,
        is_filtered=bool(text),
        rows=page.items,
        next_cursor=page.next_cursor,
    )


def policy_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Say what holds for a product, a class or everything."""
    require(Permission.PLAN)
    form = NewPolicyForm(request.POST or None, initial=_shown(StockPolicy()))

    def create(data: dict[str, Any]) -> str:
        product = data["product_id"]
        scope = PolicyScope(
            product_id=None if product is None else product.pk,
            warehouse_id=data["warehouse_id"],
            abc_class=data["abc_class"],
            xyz_class=data["xyz_class"],
        )
        set_policy(scope=scope, fields=_fields(data))
        return address(request, LIST)

    return _form_page(request, form, create, policy=None)


def policy_edit(request: HttpRequest, tenant: str, stock_policy_id: int) -> HttpResponse:
    """Change what a policy says."""
    require(Permission.PLAN)
    policy = get_policy(stock_policy_id)
    form = PolicyForm(request.POST or None, initial=_shown(policy))

    def change(data: dict[str, Any]) -> str:
        scope = PolicyScope(
            product_id=policy.product_id,
            warehouse_id=policy.warehouse_id,
            abc_class=policy.abc_class,
            xyz_class=policy.xyz_class,
        )
        set_policy(scope=scope, fields=_fields(data), version=given_version(request))
        return address(request, LIST)

    return _form_page(request, form, change, policy=policy)


@require_POST
def policy_remove(request: HttpRequest, tenant: str, stock_policy_id: int) -> HttpResponse:
    """Let the next less specific policy hold again."""
    require(Permission.PLAN)
    get_policy(stock_policy_id)
    return do(
        request,
        lambda: remove_policy(stock_policy_id=stock_policy_id, version=given_version(request)),
        done=_("The policy was removed."),
        target=address(request, LIST),
    )


@require_POST
def policy_defaults(request: HttpRequest, tenant: str) -> HttpResponse:
    """Write the usual policies of the nine classes, to be changed where they do not fit."""
    require(Permission.PLAN)
    return do(
        request,
        add_class_policies,
        done=_("The usual policies of the classes stand in the list."),
        target=address(request, LIST),
    )


def _shown(policy: StockPolicy) -> dict[str, Any]:
    shown = {name: getattr(policy, name) for name in FIELDS}
    for name in ("cycle_service_level", "holding_cost_per_year"):
        shown[name] = f"{(shown[name] * 100).normalize():f}"
    for name in ("minimum_stock", "maximum_stock", "lost_sale_cost"):
        if shown[name] is not None:
            shown[name] = f"{shown[name].normalize():f}"
    return shown


def _fields(data: dict[str, Any]) -> PolicyFields:
    given = {name: data[name] for name in FIELDS}
    for name in ("cycle_service_level", "holding_cost_per_year"):
        given[name] = given[name] / 100
    return PolicyFields(**given)


def _form_page(
    request: HttpRequest, form: PolicyForm, effect: Any, *, policy: StockPolicy | None
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, _("The policy holds from the next planning on."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/policy_form.html",
        NAV,
        form=form,
        policy=policy,
        status=UNPROCESSABLE if request.method == "POST" else 200,
    )
