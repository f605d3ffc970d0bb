"""What networks are trained, and how: the form on the page of networks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from forecasting.pages.training import networks_page
from forecasting.pages.training_forms import TrainingChoicesForm
from forecasting.services.training_choices import TrainingChoices, change_training_choices
from tenancy.pages.web import address, send_form


@require_POST
def training_choices_change(request: HttpRequest, tenant: str) -> HttpResponse:
    """Train like this from now on."""
    form = TrainingChoicesForm(request.POST)

    def change(data: dict[str, Any]) -> str:
        version = data.pop("version")
        choices = TrainingChoices(**data | {"networks": tuple(data["networks"])})
        change_training_choices(choices=choices, version=version)
        return address(request, "forecasting:network_list")

    answer = send_form(request, form, change, _("The next training is made of these choices."))
    return answer or networks_page(request, tenant, refused_choices=form)
