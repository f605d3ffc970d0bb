"""The command card: what the buttons of handheld pages are called, as codes to be scanned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.labels import LabelForm, Paper, answer, sent
from inventory.pages.scan_commands import TASKS, command_labels
from inventory.pages.scan_steps import working_warehouse
from inventory.queries.shipping import known_carriers
from tenancy.pages.web import address
from tenancy.permissions import Permission, require


class CommandLabelForm(LabelForm):
    what = forms.MultipleChoiceField(
        label=gettext_lazy("For which work"),
        choices=[(task.key, task.title) for task in TASKS],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["what"])


def command_card(request: HttpRequest, tenant: str) -> HttpResponse:
    """Print the command codes, all of them or those of some work."""
    require(Permission.READ)
    every = [task.key for task in TASKS]
    form = CommandLabelForm(sent(request), initial={"what": every})
    wanted = form.cleaned_data.get("what", []) if form.is_valid() else every
    warehouse_id = working_warehouse(request)
    carriers = known_carriers(warehouse_id) if warehouse_id is not None else []
    back = address(request, "inventory:scan")
    paper = Paper(_("Command card"), back, "commands", "scan", "a4-3x8", _("Scan"))
    return answer(request, form, command_labels(wanted, carriers), paper)
