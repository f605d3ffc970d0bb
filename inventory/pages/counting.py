"""Cycle counts: the work list, one count from its request to its posting, and asking for one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import CountState, CycleCount, WorkKind
from inventory.pages.count_sheet import SheetForm
from inventory.pages.fields import ProductCodeField, day_field, sent
from inventory.pages.worklists import WorkFilters
from inventory.queries.counting import (
    count_totals,
    get_count,
    in_states,
    search_counts,
)
from inventory.queries.movements import movements_of
from inventory.queries.places import find_location, get_location, warehouses
from inventory.queries.worklists import live_claims, of_assignee
from inventory.rules.business_day import business_day
from inventory.services.count_entry import enter_count, submit_count
from inventory.services.counting import cancel_count, request_count, start_count
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

NAV = "to_count"
DETAIL = "inventory:cycle_count_detail"
LIST = "inventory:count_list"
LATEST_MOVEMENTS = 50
DUE_FIRST, NEWEST_FIRST = ("due", "id"), ("-id",)
TO_REVIEW = (CountState.COUNTED, CountState.APPROVED)


class CountFilters(WorkFilters):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, with_zones=True, **kwargs)
        placeholder = _("Number, location or SKU")
        self.fields["q"].widget.attrs["placeholder"] = placeholder


class AllCountsFilters(CountFilters):
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *CountState.choices],
    )


class RequestForm(forms.Form):
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    location = forms.CharField(
        label=gettext_lazy("Location"),
        max_length=48,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    product_id = ProductCodeField(
        label=gettext_lazy("Product"),
        required=False,
        help_text=gettext_lazy("SKU or barcode. Left empty: everything that lies there."),
    )
    due_on = day_field(
        gettext_lazy("Due"), required=False, help_text=gettext_lazy("Left empty: today.")
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["warehouse_id"].choices = known  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Turn the location's code into its row."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("location") and data.get("warehouse_id"):
            found = find_location(data["warehouse_id"], data["location"])
            if found is None:
                message = _("There is no such location in this warehouse.")
                self.add_error("location", message)
            data["location"] = found
        return data


@require_safe
def count_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what somebody has to go and count, the earliest due first."""
    return _list(request, LIST, CountFilters(request.GET), tuple(CountState.to_count()))


@require_safe
def count_review_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what was counted and waits for its approval or posting."""
    return _list(request, "inventory:count_review_list", CountFilters(request.GET), TO_REVIEW)


@require_safe
def count_history(request: HttpRequest, tenant: str) -> HttpResponse:
    """List every count, newest first."""
    filters = AllCountsFilters(request.GET)
    return _list(request, "inventory:count_history", filters, (), NEWEST_FIRST)


def _list(
    request: HttpRequest,
    name: str,
    filters: CountFilters,
    states: tuple[CountState, ...],
    order: tuple[str, ...] = DUE_FIRST,
) -> HttpResponse:
    require(Permission.READ)
    chosen = filters.chosen
    rows = search_counts(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        zone_id=chosen.get("zone"),
    )
    if states:
        rows = in_states(rows, states)
    elif chosen.get("state"):
        rows = in_states(rows, (CountState(chosen["state"]),))
    rows = of_assignee(rows, WorkKind.COUNT, chosen.get("assignee", ""))
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""))
    claims = live_claims(WorkKind.COUNT, [count.pk for count in page.items])
    return show(
        request,
        "inventory/count_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        tabs=tabs(request, name),
        which=name.removeprefix("inventory:"),
        rows=[(count, claims.get(count.pk), _is_late(count)) for count in page.items],
        next_cursor=page.next_cursor,
    )


def count_request(request: HttpRequest, tenant: str) -> HttpResponse:
    """Ask for a place to be counted."""
    require(Permission.FLOOR_WORK)
    form = RequestForm(sent(request), initial=_asked_for(request))

    def ask(data: dict[str, Any]) -> str:
        product = data["product_id"]
        count = request_count(
            location_id=data["location"].pk,
            product_id=product.pk if product else None,
            due_on=data["due_on"],
            note=data["note"],
        )
        return address(request, DETAIL, cycle_count_id=count.pk)

    if request.method == "POST":
        answer = send_form(request, form, ask, _("The place is on the list of what to count."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/count_request.html", NAV, form=form, status=status)


def cycle_count_detail(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Show a count: the sheet while it is counted, the differences afterwards."""
    require(Permission.READ)
    count = get_count(cycle_count_id)
    form = SheetForm(sent(request), count=count)

    def enter(data: dict[str, Any]) -> str:
        enter_count(cycle_count_id=count.pk, entries=form.entries())
        return address(request, DETAIL, cycle_count_id=count.pk)

    if request.method == "POST":
        require(Permission.FLOOR_WORK)
        answer = send_form(request, form, enter, _("What you counted is entered."))
        if answer is not None:
            return answer
    return _show(request, count, form)


@require_POST
def cycle_count_start(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Take a count and begin it."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: start_count(cycle_count_id=cycle_count_id),
        done=_("The count is yours. Enter what you find."),
        target=address(request, DETAIL, cycle_count_id=cycle_count_id),
    )


@require_POST
def cycle_count_submit(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Hand a round in; what was not counted is zero only when the button said so."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: submit_count(
            cycle_count_id=cycle_count_id,
            uncounted_are_zero="uncounted_are_zero" in request.POST,
            version=version_of(request),
        ),
        done=_("The count was handed in."),
        target=address(request, DETAIL, cycle_count_id=cycle_count_id),
    )


@require_POST
def cycle_count_cancel(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Give a count up."""
    require(Permission.APPROVE)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:200]
    return do(
        request,
        lambda: cancel_count(
            cycle_count_id=cycle_count_id, version=version_of(request), reason=reason
        ),
        done=_("The count was cancelled."),
        target=address(request, DETAIL, cycle_count_id=cycle_count_id),
    )


def tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """Return the tabs of counting."""
    known = {
        LIST: _("To count"),
        "inventory:count_review_list": _("To review"),
        "inventory:count_history": _("All counts"),
        "inventory:count_risk": _("By risk"),
    }
    return [
        {"label": label, "href": address(request, name), "current": name == current}
        for name, label in known.items()
    ]


def version_of(request: HttpRequest) -> int | None:
    """Return the version the form was drawn with."""
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _show(request: HttpRequest, count: CycleCount, form: SheetForm) -> HttpResponse:
    items = form.items
    rounds = range(1, count.round_number + 1)
    is_pending = count.state in TO_REVIEW
    claim = live_claims(WorkKind.COUNT, [count.pk]).get(count.pk)
    actor = active_scope().actor
    is_mine = claim is not None and (claim.actor_kind, claim.actor_id) == (actor.kind, actor.id)
    return show(
        request,
        "inventory/cycle_count_detail.html",
        NAV,
        count=count,
        form=form,
        items=items,
        rows=[(item, _by_round(item, rounds)) for item in items],
        rounds=rounds,
        open_items=[item for item in items if item.is_open],
        totals=count_totals(items),
        claim=claim,
        is_late=_is_late(count),
        is_to_count=count.state in CountState.to_count(),
        is_counting=count.state == CountState.COUNTING,
        is_mine=is_mine,
        is_pending=is_pending,
        is_over=count.state in {CountState.POSTED, CountState.CANCELLED},
        promised=[item for item in items if is_pending and item.is_below_allocated],
        movements=list(movements_of(count)[:LATEST_MOVEMENTS]) if count.posted_at else [],
        status=UNPROCESSABLE if form.is_bound and form.errors else 200,
    )


def _by_round(item: Any, rounds: range) -> list[Any]:
    known = {one.round_number: one for one in item.rounds}
    return [known.get(number) for number in rounds]


def _asked_for(request: HttpRequest) -> dict[str, Any]:
    """Return what the link asks to be counted: a location's id, which is looked up."""
    given = request.GET.get("location", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return {}
    location = get_location(int(given))
    return {"warehouse_id": location.warehouse_id, "location": location.code}


def _is_late(count: CycleCount) -> bool:
    if count.state not in CountState.to_count() or count.due_on is None:
        return False
    today = business_day(timezone.now(), count.warehouse.time_zone)
    return bool(count.due_on < today)
