"""Signals: the list with what each one does, one with its values, files, and holidays ahead."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forecasting.models import SignalKind
from forecasting.queries import forecasts, signal_list, suggestions
from forecasting.services.signal_files import request_signal_import
from forecasting.services.signals import (
    SignalFields,
    create_signal,
    delete_signal,
    fill_signal,
    set_known_ahead,
)
from inventory.pages.fields import float_field
from inventory.queries.catalog import find_product_by_code
from tenancy.errors import Invalid
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "signals"
ORDER = ("name", "id")


class SignalFilterForm(forms.Form):
    q = search_field(gettext_lazy("Name or SKU"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        offer(self, "kind", _("All kinds"), SignalKind.choices)

    def wanted(self) -> signal_list.SignalFilter:
        """Return the filter; a value that is not on offer filters nothing."""
        self.is_valid()
        cleaned = self.cleaned_data
        return signal_list.SignalFilter(cleaned.get("q", ""), cleaned.get("kind", ""))


class SignalForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=SignalKind.choices)
    is_known_ahead = forms.BooleanField(
        label=gettext_lazy("Known ahead"),
        required=False,
        help_text=gettext_lazy(
            "Planned: values of coming days drive the forecast. Otherwise the past ones do."
        ),
    )
    sku = forms.CharField(
        label=gettext_lazy("Only this product"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("Its SKU. Empty: every product."),
    )
    category = row_field(gettext_lazy("Only this category"))
    warehouse = row_field(gettext_lazy("Only this warehouse"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        offer(self, "category", _("Every category"), signal_list.categories())
        offer(self, "warehouse", _("Every warehouse"), suggestions.warehouses())


class FillForm(forms.Form):
    first_day = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    last_day = forms.DateField(
        label=gettext_lazy("To"), widget=forms.DateInput(attrs={"type": "date"})
    )
    value = float_field(
        gettext_lazy("Value"),
        required=False,
        help_text=gettext_lazy("1 for a promotion. Empty takes the days' values away."),
    )


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "Columns name, day, value; also kind, known_ahead, sku, category, warehouse."
        ),
    )
    skip_bad_rows = forms.BooleanField(
        label=gettext_lazy("Leave out wrong rows"),
        required=False,
        help_text=gettext_lazy("Else one wrong row refuses the whole file."),
    )


@require_safe
def signal_index(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the signals with what each one does, and the holidays ahead."""
    require(Permission.READ)
    return _index(request, FileForm())


def _index(request: HttpRequest, file_form: FileForm, status: int = 200) -> HttpResponse:
    form = SignalFilterForm(request.GET or None)
    wanted = form.wanted() if form.is_bound else signal_list.SignalFilter()
    page = keyset_page(
        signal_list.signals(wanted), order=ORDER, cursor=request.GET.get("cursor", "")
    )
    known = signal_list.effects()
    run = forecasts.latest_run()
    return show(
        request,
        "forecasting/signal_list.html",
        NAV,
        status=status,
        filters=form,
        page=page,
        rows=signal_list.with_effects(page.items, known),
        holidays=signal_list.holidays_ahead(),
        holiday_effect=known.get(signal_list.HOLIDAY),
        file_form=file_form,
        run=run,
        silent_signals=forecasts.silent_signals(run) if run else [],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def signal_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the form of a new signal, or make it."""
    require(Permission.PLAN)
    form = SignalForm(request.POST if request.method == "POST" else None)

    def effect(data: dict[str, Any]) -> str:
        fields = SignalFields(
            name=data["name"],
            kind=data["kind"],
            is_known_ahead=data["is_known_ahead"],
            product_id=_product(data["sku"]),
            category_id=data["category"],
            warehouse_id=data["warehouse"],
        )
        made = create_signal(fields=fields)
        return address(request, "forecasting:signal_detail", external_signal_id=made.pk)

    if request.method == "POST":
        sent = send_form(request, form, effect, _("The signal is made. Now give it values."))
        if sent is not None:
            return sent
    status = UNPROCESSABLE if form.is_bound else 200
    return show(request, "forecasting/signal_form.html", NAV, status=status, form=form)


def _product(sku: str) -> int | None:
    if not sku.strip():
        return None
    found = find_product_by_code(sku.strip())
    if found is None:
        text = _("There is no product “%(sku)s”.") % {"sku": sku}
        raise Invalid.field("sku", "unknown", text)
    return int(found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def signal_detail(request: HttpRequest, tenant: str, external_signal_id: int) -> HttpResponse:
    """Show a signal with its values and what it does; POST sets a range of days."""
    require(Permission.READ)
    signal = signal_list.get_signal(external_signal_id)
    here = address(request, "forecasting:signal_detail", external_signal_id=external_signal_id)
    form = FillForm(request.POST if request.method == "POST" else None)

    def effect(data: dict[str, Any]) -> str:
        fill_signal(external_signal_id=external_signal_id, **data)
        return here

    if request.method == "POST":
        sent = send_form(request, form, effect, _("The days are set. Forecast again to use them."))
        if sent is not None:
            return sent
    run = forecasts.latest_run()
    return show(
        request,
        "forecasting/signal_detail.html",
        NAV,
        status=UNPROCESSABLE if form.is_bound else 200,
        signal=signal,
        chart=signal_list.values_chart(signal),
        effect=signal_list.effects().get(signal.name),
        is_silent=run is not None and signal.name in forecasts.silent_signals(run),
        of_name=signal_list.count_of_name(signal.name),
        values=list(signal_list.values_of(signal.pk)[:60]),
        form=form,
    )


@require_POST
def signal_known_ahead(request: HttpRequest, tenant: str, external_signal_id: int) -> HttpResponse:
    """Say whether the signal's coming days are planned, for all signals of its name."""
    ahead = request.POST.get("is_known_ahead")
    if ahead not in ("yes", "no"):
        raise Http404
    if ahead == "yes":
        done = _("Known ahead from now on. The next training learns from its coming days.")
    else:
        done = _("Not known ahead any more. The next training learns from its past days only.")
    return do(
        request,
        lambda: set_known_ahead(
            external_signal_id=external_signal_id, is_known_ahead=ahead == "yes"
        ),
        done=done,
        target=address(request, "forecasting:signal_detail", external_signal_id=external_signal_id),
    )


@require_POST
def signal_delete(request: HttpRequest, tenant: str, external_signal_id: int) -> HttpResponse:
    """Remove a signal."""
    return do(
        request,
        lambda: delete_signal(external_signal_id=external_signal_id),
        done=_("The signal is removed."),
        target=address(request, "forecasting:signal_list"),
    )


@require_POST
def signal_import(request: HttpRequest, tenant: str) -> HttpResponse:
    """Queue the import of a file; the page of its job shows progress and wrong rows."""
    form = FileForm(request.POST, request.FILES)

    def effect(data: dict[str, Any]) -> str:
        job = request_signal_import(data=data["file"].read(), skip_bad_rows=data["skip_bad_rows"])
        return address(request, "tenancy:job_detail", job_id=job.pk)

    sent = send_form(request, form, effect, _("The file is being read."))
    return sent if sent is not None else _index(request, form, UNPROCESSABLE)
