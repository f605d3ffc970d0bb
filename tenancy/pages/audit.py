"""Settings: the audit trail. Who did what, in the words of the system, never edited."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from tenancy.database import tenant_tables
from tenancy.models import AuditEvent
from tenancy.pages.filters import offer, search_field
from tenancy.pages.settings_area import show_setting
from tenancy.permissions import Permission, require
from tenancy.queries.audit import search_audit_events
from tenancy.queries.keyset import keyset_page

TAB = "tenancy:audit_list"
LONGEST_VALUE = 80
ZEROS_AFTER_POINT = re.compile(r"^(-?\d+)(?:\.0+|(\.\d*?[1-9])0+)$")


class AuditFilters(forms.Form):
    q = search_field(gettext_lazy("Action or person"))
    subject = forms.ChoiceField(label=gettext_lazy("Subject"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ["Tenant", *(model.__name__ for model in tenant_tables().values())]
        known = sorted((name, _words(name)) for name in names)
        offer(self, "subject", _("All subjects"), known)


@require_safe
def audit_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List audit events, newest first."""
    require(Permission.READ_AUDIT)
    filters = AuditFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_audit_events(
        text=chosen.get("q", "").strip(), subject_kind=chosen.get("subject", "")
    )
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    return show_setting(
        request,
        "tenancy/audit_list.html",
        TAB,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(event, _words(event.subject_kind), _facts(event)) for event in page.items],
        next_cursor=page.next_cursor,
    )


def _words(model_name: str) -> str:
    """Write the name of a model as words: PurchaseOrder becomes "Purchase order"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model_name).capitalize()


def _facts(event: AuditEvent) -> list[tuple[str, str]]:
    """Return what the event says besides, as short pairs."""
    return [
        (name.replace("_", " "), _short(value))
        for name, value in event.data.items()
        if value not in (None, "", [], {})
    ]


def _short(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key}: {entry}" for key, entry in value.items())
    elif isinstance(value, list):
        value = ", ".join(str(entry) for entry in value)
    text = ZEROS_AFTER_POINT.sub(r"\1\2", str(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
