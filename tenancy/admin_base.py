"""What the platform's admin pages share: a chosen tenant, rights to look, and an audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from tenancy.scope import NoTenantScope, active_tenant_id
from tenancy.services.audit import record


def tenant_is_chosen() -> bool:
    """Tell whether the admin request runs inside a tenant's scope."""
    try:
        return bool(active_tenant_id())
    except NoTenantScope:
        return False


class TenantAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows of the tenant chosen on the tenants page; every change is recorded like any other."""

    exclude: tuple[str, ...] = ("tenant",)
    list_per_page = 50
    show_full_result_count = False

    def _unless_chosen(self, request: HttpRequest) -> HttpResponse | None:
        if tenant_is_chosen():
            return None
        messages.info(
            request, _("Choose a tenant first: open one and press “Work in this tenant”.")
        )
        return redirect("admin:tenancy_tenant_changelist")

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_chosen(request) or super().changelist_view(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_chosen(request) or super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_chosen(request) or super().delete_view(request, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_chosen(request) or super().history_view(request, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        record(
            "admin.changed" if change else "admin.created", obj, fields=sorted(form.changed_data)
        )

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        record("admin.deleted", obj, name=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)


class ReadOnlyTenantAdmin(TenantAdmin):
    """Rows nobody edits by hand: the ledger, demand, jobs, forecasts, the audit trail."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
