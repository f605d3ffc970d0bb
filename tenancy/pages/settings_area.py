"""What the pages of the settings share: the tabs, each shown to those who may open it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from tenancy.pages.web import address, show
from tenancy.permissions import Permission, allows
from tenancy.scope import active_scope

TABS = (
    ("tenancy:settings", gettext_lazy("Company"), Permission.READ),
    ("inventory:periods", gettext_lazy("Periods and valuation"), Permission.READ),
    ("inventory:warehouse_settings", gettext_lazy("Counting"), Permission.READ),
    ("tenancy:member_list", gettext_lazy("Members"), Permission.MANAGE_MEMBERS),
    ("tenancy:api_key_list", gettext_lazy("API keys"), Permission.MANAGE_KEYS),
    ("tenancy:audit_list", gettext_lazy("Audit trail"), Permission.READ_AUDIT),
)


def show_setting(
    request: HttpRequest, template: str, tab: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of the settings with ``tab`` (the name of its address) as the current tab."""
    actor = active_scope().actor
    tabs = [
        {"label": label, "href": address(request, name), "current": name == tab}
        for name, label, permission in TABS
        if allows(actor, permission)
    ]
    return show(request, template, "settings", status=status, tabs=tabs, **context)
