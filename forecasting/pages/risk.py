"""Warnings: the work list with its evidence, and what planners decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from forecasting.models import RiskKind, WarningState
from forecasting.pages.actions import attempt, chosen_ids, go_back
from forecasting.pages.suggestions import SNOOZE_DAYS, day_chosen
from forecasting.queries import forecasts, risk, suggestions
from forecasting.queries.digest import wants_digest
from forecasting.queries.series import business_today
from forecasting.queries.warning_quality import warning_figures
from forecasting.queries.warning_replay import other_figures
from forecasting.services.digest import choose_digest
from forecasting.services.risk import (
    acknowledge_warnings,
    assign_warnings,
    resolve_warnings,
    snooze_warnings,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import address, do
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

ORDER = ("-severity_money", "id")


class WarningFilterForm(forms.Form):
    q = search_field(gettext_lazy("SKU or name"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"), required=False, choices=WarningState.choices
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    warehouse = row_field(gettext_lazy("Warehouse"))
    mine = forms.ChoiceField(
        label=gettext_lazy("Whose"),
        required=False,
        choices=[("", gettext_lazy("Everybody's")), ("yes", gettext_lazy("Mine"))],
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        offer(self, "kind", _("All kinds"), RiskKind.choices)
        offer(self, "warehouse", _("All warehouses"), suggestions.warehouses())

    def wanted(self, user_id: int | None) -> risk.WarningFilter:
        """Return the filter; a value that is not on offer filters nothing."""
        self.is_valid()
        cleaned = self.cleaned_data
        return risk.WarningFilter(
            state=cleaned.get("state") or WarningState.OPEN,
            kind=cleaned.get("kind", ""),
            warehouse_id=cleaned.get("warehouse"),
            text=cleaned.get("q", ""),
            user_id=user_id if cleaned.get("mine") == "yes" else None,
        )


@require_safe
def warning_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the warnings, the dearest first."""
    form = WarningFilterForm(request.GET or None)
    wanted = form.wanted(request.user.pk) if form.is_bound else risk.WarningFilter()
    page = keyset_page(risk.warnings(wanted), order=ORDER, cursor=request.GET.get("cursor", ""))
    totals = risk.totals_by_kind()
    context = {
        "filters": form,
        "wanted": wanted,
        "page": page,
        "kinds": [(kind, totals[kind.value]) for kind in RiskKind if kind.value in totals],
        "run": forecasts.latest_run(),
        "wants_digest": wants_digest(request.user.pk or 0),
        "members": risk.members_to_assign(),
        "snooze_until": business_today() + timedelta(days=SNOOZE_DAYS),
        "nav_section": "warnings",
    }
    return render(request, "forecasting/warning_list.html", context)


@require_POST
def warnings_decide(request: HttpRequest, tenant: str) -> HttpResponse:
    """Acknowledge, snooze or resolve the warnings ticked."""
    ids = chosen_ids(request, "warning")
    match request.POST.get("action"):
        case "acknowledge":
            attempt(request, lambda: acknowledge_warnings(warning_ids=ids), _said)
        case "resolve":
            attempt(request, lambda: resolve_warnings(warning_ids=ids), _said)
        case "snooze":
            attempt(
                request, lambda: snooze_warnings(warning_ids=ids, until=day_chosen(request)), _said
            )
        case "assign":
            attempt(
                request,
                lambda: assign_warnings(warning_ids=ids, membership_id=_member(request)),
                lambda rows: (
                    ngettext(
                        "%(count)d warning was assigned.",
                        "%(count)d warnings were assigned.",
                        len(rows),
                    )
                    % {"count": len(rows)}
                ),
            )
        case _:
            raise Http404
    return go_back(request, reverse("forecasting:warning_list", args=[tenant]))


@require_POST
def digest_choose(request: HttpRequest, tenant: str) -> HttpResponse:
    """Ask for the warnings by mail every morning, or for no more of it."""
    wanted = request.POST.get("wanted") == "yes"
    return do(
        request,
        lambda: choose_digest(user_id=request.user.pk or 0, wanted=wanted),
        done=_("You get the warnings by mail every morning.") if wanted else _("No more mail."),
        target=address(request, "forecasting:warning_list"),
    )


def _member(request: HttpRequest) -> int | None:
    chosen = request.POST.get("member", "")
    return int(chosen) if chosen.isdecimal() else None


@require_safe
def warning_quality(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show how often warnings came true, and how many of what they warn of had one."""
    require(Permission.READ)
    others = [(RiskKind(one.kind).label, one) for one in other_figures()]
    context = {"quality": warning_figures(), "others": others, "nav_section": "warnings"}
    return render(request, "forecasting/warning_quality.html", context)


def _said(rows: list[Any]) -> str:
    return ngettext(
        "%(count)d warning is now: %(state)s.", "%(count)d warnings are now: %(state)s.", len(rows)
    ) % {"count": len(rows), "state": rows[0].get_state_display()}
