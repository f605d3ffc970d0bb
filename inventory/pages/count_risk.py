"""Which places to count next, with the reasons, and asking for the riskiest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from inventory.pages.counting import NAV, tabs
from inventory.pages.fields import sent
from inventory.queries.count_risk import RiskyPlace, count_risks, riskiest
from inventory.queries.places import warehouses
from inventory.queries.settings import inventory_settings
from inventory.rules.count_schedule import LOOK_BACK_DAYS
from inventory.services.count_schedule import MOST_AT_ONCE, request_riskiest
from tenancy.errors import NotFound
from tenancy.pages.filters import row_field
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

PAGE = "inventory:count_risk"
MOST_SHOWN = 100


class PlaceForm(forms.Form):
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, known: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warehouse"].choices = known  # type: ignore[attr-defined]


class MostForm(forms.Form):
    most = forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


def count_risk(request: HttpRequest, tenant: str) -> HttpResponse:
    """Rank the places of a warehouse by risk, and request the first of them."""
    require(Permission.READ)
    known = [(w.pk, w.name) for w in warehouses() if w.is_active]
    chosen = _chosen(request, known)
    a_day = inventory_settings().counts_per_day
    form = MostForm(sent(request), initial={"most": a_day or 5})

    def ask(data: dict[str, Any]) -> str:
        request_riskiest(warehouse_id=chosen or 0, most=data["most"])
        return f"{address(request, PAGE)}?warehouse={chosen}"

    if request.method == "POST":
        require(Permission.APPROVE)
        done = _("The riskiest places are on the list of what to count.")
        answer = send_form(request, form, ask, done)
        if answer is not None:
            return answer
    places = count_risks(chosen) if chosen else []
    return show(
        request,
        "inventory/count_risk.html",
        NAV,
        tabs=tabs(request, PAGE),
        filters=PlaceForm({"warehouse": chosen}, known=known),
        has_choice=len(known) > 1,
        form=form,
        rows=[(place, reasons(place)) for place in places[:MOST_SHOWN]],
        total=len(places),
        waiting=len(riskiest(places, len(places))),
        a_day=a_day,
        days=LOOK_BACK_DAYS,
        status=UNPROCESSABLE if form.errors else 200,
    )


def reasons(place: RiskyPlace) -> list[str]:
    """Return in words what makes the place riskier than an ordinary one."""
    risk, facts, words = place.risk, place.facts, []
    if risk.value >= 2:
        words.append(_("worth %(times)s times the usual") % {"times": f"{risk.value:.1f}"})
    if facts.days_since_count is None:
        words.append(_("never counted"))
    elif risk.age >= 1:
        words.append(_("counted %(days)d days ago") % {"days": facts.days_since_count})
    if risk.variability >= 2:
        words.append(_("sells unsteadily"))
    if facts.anomalies:
        said = ngettext("%(count)d correction", "%(count)d corrections", facts.anomalies)
        words.append(said % {"count": facts.anomalies})
    if facts.short_picks:
        said = ngettext("%(count)d short pick", "%(count)d short picks", facts.short_picks)
        words.append(said % {"count": facts.short_picks})
    return words


def _chosen(request: HttpRequest, known: list[tuple[int, str]]) -> int | None:
    """Return the warehouse asked for, or the first; raise ``NotFound`` for another."""
    given = request.GET.get("warehouse", "")
    if not given:
        return known[0][0] if known else None
    if not (given.isascii() and given.isdigit()) or int(given[:18]) not in dict(known):
        raise NotFound("warehouse", given)
    return int(given)
