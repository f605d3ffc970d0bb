"""Find tenants and memberships."""

from __future__ import annotations

from tenancy.models import Membership, Tenant
from tenancy.scope import identity_scope


def find_tenant(slug: str) -> Tenant | None:
    """Return the active tenant of that slug, or None."""
    return Tenant.objects.filter(slug=slug, is_active=True).first()


def active_tenants() -> list[Tenant]:
    """Return every active tenant, for work that goes through all of them one by one."""
    return list(Tenant.objects.filter(is_active=True).order_by("id"))


def find_membership(user_id: int) -> Membership | None:
    """Return the user's active membership of the active tenant, or None."""
    return (
        Membership.objects.select_related("user")
        .filter(user_id=user_id, is_active=True, user__is_active=True)
        .first()
    )


def memberships_of(user_id: int) -> list[Membership]:
    """Return the user's own active memberships of active tenants, ordered by the tenant's name."""
    with identity_scope(user_id):
        return list(
            Membership.own.select_related("tenant")
            .filter(is_active=True, tenant__is_active=True)
            .order_by("tenant__name", "id")
        )


def get_tenant(tenant_id: int) -> Tenant:
    """Return the tenant; raise ``Tenant.DoesNotExist``."""
    return Tenant.objects.get(pk=tenant_id)
