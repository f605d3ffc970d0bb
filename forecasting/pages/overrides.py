"""Planners' changes of a forecast: made on its page, withdrawn there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from forecasting.pages.forecasts import detail_context
from forecasting.pages.override_forms import OverrideForm
from forecasting.queries.forecasts import get_series
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

    sent = send_form(request, form, effect, _("The forecast is changed. Plan now to order by it."))
    if sent is not None:
        return sent
    context = detail_context(tenant, get_series(product_id, warehouse_id), form)
    return render(request, "forecasting/forecast_detail.html", context, status=UNPROCESSABLE)


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
