"""The platform's admin pages of tenancy: tenants, users, members, keys, jobs, the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenancy.admin_base import ReadOnlyTenantAdmin, TenantAdmin
from tenancy.middleware import CHOSEN_TENANT
from tenancy.models import ApiKey, AuditEvent, IdempotencyKey, Job, Membership, Tenant, User
from tenancy.queries.tenants import get_tenant

admin.site.unregister(Group)


@admin.register(Tenant)
class TenantTableAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = (
        "name",
        "slug",
        "time_zone",
        "currency",
        "country",
        "is_active",
        "is_demo",
        "created_at",
    )
    list_filter = ("is_active", "is_demo")
    search_fields = ("name", "slug")
    actions_detail = ("work_in_tenant",)
    actions_row = ("work_in_tenant",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A tenant is switched off; erasing one is a job of its own, not a click.
        return False

    @action(  # type: ignore[untyped-decorator]
        description=gettext_lazy("Work in this tenant"), url_path="work-in-tenant"
    )
    def work_in_tenant(self, request: HttpRequest, object_id: int) -> HttpResponse:
        tenant = get_tenant(int(object_id))
        request.session[CHOSEN_TENANT] = tenant.slug
        messages.success(request, _("You now work in %(name)s.") % {"name": tenant.name})
        return redirect("admin:index")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "first_name", "last_name")
    list_filter = ("is_active", "is_staff")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name")}),
        (gettext_lazy("Platform"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    list_display = ("user", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("user__email",)
    list_select_related = ("user",)
    autocomplete_fields = ("user",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyTenantAdmin):
    """Keys are made and revoked on the settings page, where the key is shown once."""

    list_display = (
        "name",
        "prefix",
        "role",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    exclude = ("tenant", "key_hash")


@admin.register(Job)
class JobAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "id",
        "kind",
        "state",
        "attempt",
        "progress_message",
        "queued_at",
        "finished_at",
    )
    list_filter = ("state", "kind")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyTenantAdmin):
    list_display = ("at", "actor_label", "action", "subject_kind", "subject_id")
    list_filter = ("action",)
    search_fields = ("actor_label", "action")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyTenantAdmin):
    list_display = ("key", "principal", "status_code", "created_at")
    search_fields = ("key",)
