"""Settings: API keys. A secret is shown on the page that answers its creation, and never again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from tenancy.errors import Refused
from tenancy.models import ApiKey, Role
from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, do, put_refusal, send_once
from tenancy.permissions import Permission, require
from tenancy.queries.api_keys import api_keys
from tenancy.queries.keyset import keyset_page
from tenancy.scope import Actor
from tenancy.services.api_keys import NewApiKey, create_api_key, revoke_api_key

TAB = "tenancy:api_key_list"
SCOPE_LABELS = {
    Permission.READ: gettext_lazy("Read everything but the audit trail"),
    Permission.FLOOR_WORK: gettext_lazy("Floor work: receive, move, pick, ship"),
    Permission.PLAN: gettext_lazy("Plan: forecasts, suggestions, warnings, jobs"),
    Permission.BUY: gettext_lazy("Buy: suppliers and purchase orders"),
    Permission.SELL: gettext_lazy("Sell: sales orders, customers, channels"),
    Permission.EDIT_CATALOG: gettext_lazy("Edit products and warehouses"),
    Permission.APPROVE: gettext_lazy("Approve counts and adjustments"),
    Permission.ADJUST: gettext_lazy("Adjust stock"),
    Permission.IMPORT: gettext_lazy("Import files"),
    Permission.MANAGE_MEMBERS: gettext_lazy("Manage members"),
    Permission.MANAGE_KEYS: gettext_lazy("Manage API keys"),
    Permission.READ_AUDIT: gettext_lazy("Read the audit trail"),
    Permission.OWN: gettext_lazy("Change the company"),
}
LIFETIMES_DAYS = (30, 90, 180, 365)


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What uses it, e.g. web shop."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        initial=Role.VIEWER,
        help_text=gettext_lazy("The key can do what both its role and its rights allow."),
    )
    lifetime_days = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"), coerce=int, initial=LIFETIMES_DAYS[-1]
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(p.value, SCOPE_LABELS[p]) for p in Permission],
        initial=[Permission.READ.value],
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = [(role.value, role.label) for role in _roles_up_to(actor)]
        self.fields["role"].choices = given  # type: ignore[attr-defined]
        self.fields["lifetime_days"].choices = [  # type: ignore[attr-defined]
            (str(days), _("%(days)d days") % {"days": days}) for days in LIFETIMES_DAYS
        ]


@require_safe
def api_key_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List keys, newest first."""
    require(Permission.MANAGE_KEYS)
    page = keyset_page(api_keys(), order=("-id",), cursor=request.GET.get("cursor", ""))
    return show_setting(
        request,
        "tenancy/api_key_list.html",
        TAB,
        rows=[(key, _state(key), _scopes(key)) for key in page.items],
        next_cursor=page.next_cursor,
    )


def api_key_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a key and show its secret in the very answer, so that it is stored nowhere."""
    actor = require(Permission.MANAGE_KEYS)
    form = ApiKeyForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        try:
            made = _create_once(request, form.cleaned_data)
        except Refused as refusal:
            put_refusal(form, refusal, {"expires_at": "lifetime_days"})
        else:
            if made is None:
                message = _("This key was created already. Its secret was shown once.")
                messages.warning(request, message)
                return redirect(address(request, TAB))
            return show_setting(request, "tenancy/api_key_created.html", TAB, made=made)
    status = UNPROCESSABLE if form.errors else 200
    return show_setting(request, "tenancy/api_key_form.html", TAB, form=form, status=status)


@require_POST
def api_key_revoke(request: HttpRequest, tenant: str, key_id: int) -> HttpResponse:
    """End a key at once and for ever."""
    require(Permission.MANAGE_KEYS)
    return do(
        request,
        lambda: revoke_api_key(api_key_id=key_id),
        done=_("The key was revoked."),
        target=address(request, TAB),
    )


def _create_once(request: HttpRequest, data: dict[str, Any]) -> NewApiKey | None:
    """Return the new key, or None when this form was sent before."""
    made: list[NewApiKey] = []

    def create() -> str:
        until = timezone.now() + dt.timedelta(days=data["lifetime_days"])
        chosen = {name: data[name] for name in ("name", "role", "scopes")}
        made.append(create_api_key(**chosen, expires_at=until))
        return address(request, TAB)

    send_once(request, create)
    return made[0] if made else None


def _roles_up_to(actor: Actor) -> list[Role]:
    """Return the roles a key may have: none above its maker's."""
    roles = list(Role)
    return roles[: roles.index(Role(actor.role or Role.VIEWER)) + 1]


def _state(key: ApiKey) -> tuple[str, str]:
    """Return (label, tone): is the key good, ended by itself, or revoked?"""
    if key.revoked_at is not None:
        return _("Revoked"), "neutral"
    if key.expires_at is not None and key.expires_at <= timezone.now():
        return _("Expired"), "danger"
    return _("Active"), "success"


def _scopes(key: ApiKey) -> str:
    return ", ".join(scope.replace("_", " ") for scope in key.scopes)
