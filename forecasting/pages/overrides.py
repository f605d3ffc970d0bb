"""Planners' changes of a forecast: made on its page, withdrawn there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from forecasting.models import SeriesForecast
from forecasting.pages.forecasts import detail_context
from forecasting.pages.override_forms import OverrideForm
from forecasting.queries.forecasts import get_series, last_day_of
from forecasting.queries.overrides import get_override
from forecasting.services.overrides import OverrideWish, create_override, withdraw_override
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form


@require_POST
def override_create(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Lay a change over the forecast; a refused form is shown with what is wrong."""
    form = OverrideForm(request.POST)
    page = address(
        request, "forecasting:forecast_detail", product_id=product_id, warehouse_id=warehouse_id
    )

    def effect(data: dict[str, Any]) -> str:
        create_override(product_id=product_id, warehouse_id=warehouse_id, wish=OverrideWish(**data))
        return page

    series = get_series(product_id, warehouse_id)
    sent = send_form(request, form, effect, lambda: _made(form.cleaned_data, series))
    if sent is not None:
        return sent
    context = detail_context(tenant, series, form)
    return render(request, "forecasting/forecast_detail.html", context, status=UNPROCESSABLE)


def _made(wish: dict[str, Any], series: SeriesForecast) -> str:
    """Say what a change does, and from when on where the forecast does not reach all its days."""
    last = last_day_of(series.run)
    if wish["last_day"] <= last:
        return _("The forecast is changed. Plan now to order by it.")
    days = {
        "first": date_format(wish["first_day"], "j M Y"),
        "last": date_format(last, "j M Y"),
    }
    if wish["first_day"] <= last:
        text = _("The forecast is changed. Days after %(last)s count once forecasts reach them.")
        return text % days
    text = _(
        "The change is kept. Forecasts end on %(last)s now: it counts once they reach %(first)s."
    )
    return text % days


@require_POST
def override_withdraw(request: HttpRequest, tenant: str, forecast_override_id: int) -> HttpResponse:
    """Take a change back."""
    row = get_override(forecast_override_id)
    return do(
        request,
        lambda: withdraw_override(forecast_override_id=forecast_override_id),
        done=_("The change is withdrawn. It stays for the record."),
        target=address(
            request,
            "forecasting:forecast_detail",
            product_id=row.product_id,
            warehouse_id=row.warehouse_id,
        ),
    )
