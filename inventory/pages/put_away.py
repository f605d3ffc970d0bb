"""Put-away at the desk: what waits at the docks, where it belongs, and the rules of a warehouse."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Location, StockBalance, WorkKind
from inventory.pages.fields import ProductCodeField, plain, quantity_field
from inventory.pages.worklists import WorkFilters
from inventory.queries.catalog import categories
from inventory.queries.places import find_location, get_warehouse, zones_of
from inventory.queries.put_away import (
    WORK_ORDER,
    get_put_away_rule,
    get_put_away_work,
    put_away_rules,
    put_away_work,
    suggestions,
)
from inventory.queries.worklists import live_claims
from inventory.rules.put_away import Why
from inventory.services.put_away import put_away
from inventory.services.put_away_rules import (
    RuleFields,
    create_put_away_rule,
    delete_put_away_rule,
)
from tenancy.errors import Text
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "to_put_away"
LIST = "inventory:put_away_list"
RULES = "inventory:put_away_rule_list"
WHY_WORDS: dict[Why, Text] = {
    Why.SAME_LOT: gettext_lazy("the same lot lies there"),
    Why.FIXED_PLACE: gettext_lazy("its fixed place"),
    Why.ZONE: gettext_lazy("its zone"),
    Why.OVERFLOW_ZONE: gettext_lazy("its zone is full: the next one"),
    Why.ROOM: gettext_lazy("has room"),
    Why.LAST_RESORT: gettext_lazy("nothing has room: last resort"),
}


class PutAwayFilters(WorkFilters):
    q = search_field(gettext_lazy("SKU, name, lot or place"))


class PutAwayForm(forms.Form):
    """Where to and how much. ``override_reason`` counts only when the place does not take it."""

    place = forms.CharField(
        label=gettext_lazy("To"),
        max_length=48,
        widget=forms.TextInput(
            attrs={"list": "suggested-places", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("The suggested place, or any other storage place."),
    )
    quantity = quantity_field(gettext_lazy("Quantity"))
    override_reason = forms.CharField(
        label=gettext_lazy("Why although it does not fit"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Only when the place does not take it; kept in the audit trail."),
    )

    def __init__(self, *args: Any, warehouse_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warehouse_id = warehouse_id

    def clean_place(self) -> Location:
        """Return the location of that code in the warehouse."""
        return found_location(self.warehouse_id, self.cleaned_data["place"])


class RuleForm(forms.Form):
    """A rule: for what (neither: for everything), and to a place or a zone."""

    product_id = ProductCodeField(
        label=gettext_lazy("Product"), required=False, help_text=gettext_lazy("SKU or barcode.")
    )
    category_id = row_field(gettext_lazy("or category"))
    location = forms.CharField(
        label=gettext_lazy("Fixed place"),
        required=False,
        max_length=48,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    zone_id = row_field(gettext_lazy("or zone"))
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=0,
        max_value=32767,
        initial=10,
        help_text=gettext_lazy("The lowest is tried first."),
    )

    def __init__(self, *args: Any, warehouse_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warehouse_id = warehouse_id
        offer(self, "category_id", "-", [(str(c.pk), c.name) for c in categories()])
        known = [(str(z.pk), z.name or z.code) for z in zones_of(warehouse_id)]
        offer(self, "zone_id", "-", known)

    def clean_location(self) -> Location | None:
        """Return the location of that code in the warehouse, or None."""
        code = self.cleaned_data["location"]
        return found_location(self.warehouse_id, code) if code else None

    def fields_of(self, data: dict[str, Any]) -> RuleFields:
        """Return what was entered as the service understands it."""
        product, location = data["product_id"], data["location"]
        return RuleFields(
            product_id=product.pk if product is not None else None,
            category_id=data["category_id"],
            location_id=location.pk if location is not None else None,
            zone_id=data["zone_id"],
            priority=data["priority"],
        )


@require_safe
def put_away_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what waits to be put away: what orders wait for first, then the oldest."""
    require(Permission.READ)
    filters = PutAwayFilters(request.GET, with_zones=True)
    chosen = filters.chosen
    rows = put_away_work(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        zone_id=chosen.get("zone"),
        assignee=chosen.get("assignee", ""),
    )
    page = keyset_page(rows, order=WORK_ORDER, cursor=request.GET.get("cursor", ""))
    places = suggestions(page.items)
    claims = live_claims(WorkKind.PUT_AWAY, [balance.pk for balance in page.items])
    return show(
        request,
        "inventory/put_away_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[
            (balance, _told(places[balance.pk]), claims.get(balance.pk)) for balance in page.items
        ],
        next_cursor=page.next_cursor,
    )


def put_away_form(request: HttpRequest, tenant: str, stock_balance_id: int) -> HttpResponse:
    """Put one piece of the list away, at the suggested place or another."""
    require(Permission.FLOOR_WORK)
    balance = get_put_away_work(stock_balance_id)
    places = suggestions([balance])[balance.pk]
    form = PutAwayForm(
        request.POST or None,
        warehouse_id=balance.location.warehouse_id,
        initial=_initial(balance, places),
    )

    def effect(data: dict[str, Any]) -> str:
        put_away(
            stock_balance_id=balance.pk,
            to_location_id=data["place"].pk,
            quantity=data["quantity"],
            override_reason=data["override_reason"],
        )
        return address(request, LIST)

    if request.method == "POST":
        answer = send_form(request, form, effect, _("Put away."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/put_away_form.html",
        NAV,
        balance=balance,
        places=_told(places),
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def put_away_rule_list(request: HttpRequest, tenant: str, warehouse_id: int) -> HttpResponse:
    """Show the rules of a warehouse in the order they are tried; add one."""
    require(Permission.READ)
    warehouse = get_warehouse(warehouse_id)
    form = RuleForm(request.POST or None, warehouse_id=warehouse.pk)

    def effect(data: dict[str, Any]) -> str:
        create_put_away_rule(warehouse_id=warehouse.pk, fields=form.fields_of(data))
        return address(request, RULES, warehouse_id=warehouse.pk)

    if request.method == "POST":
        require(Permission.EDIT_CATALOG)
        answer = send_form(request, form, effect, _("The rule was added."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/put_away_rule_list.html",
        "warehouses",
        warehouse=warehouse,
        rules=list(put_away_rules(warehouse.pk)),
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


@require_POST
def put_away_rule_delete(request: HttpRequest, tenant: str, put_away_rule_id: int) -> HttpResponse:
    """Take a rule away."""
    require(Permission.EDIT_CATALOG)
    rule = get_put_away_rule(put_away_rule_id)
    return do(
        request,
        lambda: delete_put_away_rule(put_away_rule_id=rule.pk),
        done=_("The rule was taken away."),
        target=address(request, RULES, warehouse_id=rule.warehouse_id),
    )


def found_location(warehouse_id: int, code: str) -> Location:
    """Return the location of that code; raise ``ValidationError`` in words."""
    found = find_location(warehouse_id, code)
    if found is None:
        message = _("There is no location %(code)s in this warehouse.")
        raise forms.ValidationError(message % {"code": code})
    return found


def _told(places: Any) -> list[tuple[Any, Text]]:
    return [(place, WHY_WORDS[place.why]) for place in places]


def _initial(balance: StockBalance, places: Any) -> dict[str, str]:
    free = plain(balance.on_hand - balance.allocated)
    if not places:
        return {"quantity": free}
    return {"place": places[0].location.code, "quantity": plain(places[0].quantity)}
