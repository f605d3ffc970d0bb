"""Suggestions: the work list, why each number, and what planners decide."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from forecasting.models import SuggestionState
from forecasting.pages.actions import attempt, chosen_ids, go_back
from forecasting.queries import forecasts, suggestions
from forecasting.queries.series import business_today
from forecasting.services.reorder_record import replay, sentences
from forecasting.services.suggestions import (
    Drafts,
    accept_suggestions,
    dismiss_suggestions,
    snooze_suggestions,
)
from tenancy.errors import Invalid
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.queries.keyset import keyset_page

ORDER = ("-priority", "id")
SNOOZE_DAYS = 7
THOUSANDS = re.compile(r",\d{3}(?!\d)")
"""1,500 is fifteen hundred to some and one and a half to others: nobody orders by a guess."""
STATES = [
    ("open", gettext_lazy("Open")),
    (SuggestionState.SNOOZED.value, gettext_lazy("Snoozed")),
    ("accepted", gettext_lazy("Accepted")),
    (SuggestionState.DISMISSED.value, gettext_lazy("Dismissed")),
]


class SuggestionFilterForm(forms.Form):
    q = search_field(gettext_lazy("SKU or name"))
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=STATES)
    supplier = row_field(gettext_lazy("Supplier"))
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        for name, everything, choices in (
            ("supplier", _("All suppliers"), suggestions.suppliers()),
            ("warehouse", _("All warehouses"), suggestions.warehouses()),
        ):
            offer(self, name, everything, choices)

    def wanted(self) -> suggestions.SuggestionFilter:
        """Return the filter; a value that is not on offer filters nothing."""
        self.is_valid()
        cleaned = self.cleaned_data
        return suggestions.SuggestionFilter(
            state=cleaned.get("state") or "open",
            supplier_id=cleaned.get("supplier"),
            warehouse_id=cleaned.get("warehouse"),
            text=cleaned.get("q", ""),
        )


@require_safe
def suggestion_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what to order, the most gain first."""
    form = SuggestionFilterForm(request.GET or None)
    wanted = form.wanted() if form.is_bound else suggestions.SuggestionFilter()
    rows = suggestions.suggestions(wanted)
    page = keyset_page(rows, order=ORDER, cursor=request.GET.get("cursor", ""))
    run = forecasts.latest_run()
    today = business_today()
    context = {
        "filters": form,
        "wanted": wanted,
        "page": page,
        "totals": suggestions.totals(rows, today),
        "run": run,
        "is_stale": run is not None and forecasts.is_stale(run),
        "age_days": forecasts.age_days(run) if run else 0,
        "blocked": suggestions.blocked_orders(),
        "today": today,
        "snooze_until": today + timedelta(days=SNOOZE_DAYS),
        "nav_section": "suggestions",
    }
    return render(request, "forecasting/suggestion_list.html", context)


@require_safe
def suggestion_detail(request: HttpRequest, tenant: str, suggestion_id: int) -> HttpResponse:
    """Show why a suggestion is what it is: its inputs and the sums, decided again if asked."""
    suggestion = suggestions.get_suggestion(suggestion_id)
    run = forecasts.latest_run()
    today = business_today()
    context = {
        "suggestion": suggestion,
        "bought_quantity": suggestion.quantity - (suggestion.transfer_quantity or 0),
        "steps": sentences(suggestion.inputs),
        "position": suggestion.inputs["inputs"]["position"],
        "demand": suggestion.inputs["inputs"]["demand"],
        "sources": suggestions.named_sources(suggestion),
        "policy": suggestion.inputs["inputs"]["policy"],
        "terms": suggestion.inputs["inputs"]["terms"],
        "replay": replay(suggestion) if request.GET.get("check") == "yes" else None,
        "is_open": suggestion.state in SuggestionState.open(),
        "is_stale": run is not None and forecasts.is_stale(run),
        "today": today,
        "snooze_until": today + timedelta(days=SNOOZE_DAYS),
        "nav_section": "suggestions",
    }
    template = "forecasting/suggestion_detail.html"
    if request.headers.get("HX-Request") and request.GET.get("part") == "why":
        template = "forecasting/_why.html"
    return render(request, template, context)


@require_safe
def blocked_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what is needed but cannot be ordered, and what to do about each."""
    reason = request.GET.get("reason", "")
    page = keyset_page(
        suggestions.blocked_needs(reason), order=("id",), cursor=request.GET.get("cursor", "")
    )
    context = {
        "rows": [
            (row, [one["text"] for one in sentences({"steps": row.steps})]) for row in page.items
        ],
        "next_cursor": page.next_cursor,
        "reasons": suggestions.blocked_orders(),
        "reason": reason,
        "nav_section": "suggestions",
    }
    return render(request, "forecasting/blocked_list.html", context)


@require_POST
def suggestions_decide(request: HttpRequest, tenant: str) -> HttpResponse:
    """Accept, dismiss or snooze the suggestions ticked (or the one of the page)."""
    ids = chosen_ids(request, "suggestion")
    usual = reverse("forecasting:suggestion_list", args=[tenant])
    match request.POST.get("action"):
        case "accept":
            drafts = attempt(request, lambda: _accept(request, ids), _drafts_said)
            if drafts:
                return _to_draft(tenant, drafts) or redirect(usual)
        case "dismiss":
            note = request.POST.get("note", "")
            attempt(
                request,
                lambda: dismiss_suggestions(suggestion_ids=ids, note=note),
                lambda rows: _count_said(len(rows), _("dismissed")),
            )
        case "snooze":
            attempt(
                request,
                lambda: snooze_suggestions(suggestion_ids=ids, until=day_chosen(request)),
                lambda rows: _count_said(len(rows), _("snoozed")),
            )
        case _:
            raise Http404
    return go_back(request, usual)


def _accept(request: HttpRequest, ids: list[int]) -> Drafts:
    quantities = {pk: quantity for pk in ids if (quantity := _quantity(request, pk)) is not None}
    return accept_suggestions(
        suggestion_ids=ids,
        quantities=quantities,
        confirm_stale=request.POST.get("confirm_stale") == "yes",
        reason=request.POST.get("note", ""),
    )


def _quantity(request: HttpRequest, suggestion_id: int) -> Decimal | None:
    """Return the quantity typed beside a suggestion; None where nothing was."""
    text = request.POST.get(f"quantity-{suggestion_id}", "").strip()
    if not text:
        return None
    if THOUSANDS.search(text):
        message = _("“%(text)s” can be read in two ways. Write thousands without a comma.")
        raise Invalid.field("quantity", "ambiguous", message % {"text": text[:40]})
    try:
        return Decimal(text.replace(" ", "").replace(",", "."))
    except InvalidOperation as error:
        message = _("“%(text)s” is not a quantity. Write it as 12.5.") % {"text": text[:40]}
        raise Invalid.field("quantity", "not_a_number", message) from error


def day_chosen(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.POST.get("until", ""))
    except ValueError as error:
        message = _("Choose the day until which to snooze.")
        raise Invalid.field("until", "required", message) from error


def _drafts_said(drafts: Drafts) -> str:
    numbers = [order.number for order in drafts.orders]
    numbers += [transfer.number for transfer in drafts.transfers]
    return ngettext(
        "Draft %(numbers)s has been made.",
        "%(count)d drafts have been made: %(numbers)s.",
        len(numbers),
    ) % {"count": len(numbers), "numbers": ", ".join(numbers)}


def _count_said(count: int, done: str) -> str:
    return ngettext("%(count)d suggestion %(done)s.", "%(count)d suggestions %(done)s.", count) % {
        "count": count,
        "done": done,
    }


def _to_draft(tenant: str, drafts: Drafts) -> HttpResponse | None:
    """Go to the draft when there is exactly one."""
    match drafts:
        case Drafts([order], []):
            return redirect(reverse("inventory:purchase_order_detail", args=[tenant, order.pk]))
        case Drafts([], [transfer]):
            return redirect(reverse("inventory:transfer_detail", args=[tenant, transfer.pk]))
    return None
