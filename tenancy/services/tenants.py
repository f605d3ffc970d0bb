"""Tenants: created with what every tenant needs from the first day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Invalid, Problem
from tenancy.models import Membership, Role, Tenant, User
from tenancy.permissions import Permission, require
from tenancy.scope import Actor, active_scope, tenant_scope
from tenancy.services import audit


@dataclass(frozen=True, kw_only=True)
class TenantFields:
    """What is said about a new tenant."""

    slug: str
    name: str
    time_zone: str = "UTC"
    currency: str = "EUR"
    country: str = ""
    is_demo: bool = False


def create_tenant(*, fields: TenantFields, owner: User | None = None) -> Tenant:
    """Create a tenant, with its owner if given. Platform work: called by commands and the admin.

    What another app needs in every tenant it creates itself (see ``on_tenant_created``). Raises
    ``Invalid`` naming the field, also for a slug that is taken.
    """
    tenant = Tenant(**vars(fields))
    try:
        tenant.full_clean(validate_unique=False)
    except ValidationError as error:
        raise Invalid(_problems(error)) from error
    with transaction.atomic():
        try:
            with transaction.atomic():
                tenant.save()
        except IntegrityError as error:
            raise Invalid.field("slug", "taken", _("This slug is in use already.")) from error
        with tenant_scope(tenant, actor=Actor.system("platform")):
            if owner is not None:
                Membership.objects.create(user=owner, role=Role.OWNER)
            for prepare in _preparations:
                prepare()
            audit.record("tenant.created", tenant, slug=tenant.slug)
    return tenant


@dataclass(frozen=True, kw_only=True)
class CompanyFields:
    """What the owner may change. The currency is a label: amounts are not converted."""

    name: str
    time_zone: str
    currency: str
    country: str


def update_company(*, fields: CompanyFields) -> Tenant:
    """Change what is said about the active tenant. Raises ``Invalid``, ``PermissionRefused``."""
    require(Permission.OWN)
    tenant = Tenant.objects.select_for_update().get(pk=active_scope().tenant.pk)
    given = asdict(fields)
    before = {name: getattr(tenant, name) for name in given if getattr(tenant, name) != given[name]}
    if not before:
        return tenant
    for name in before:
        setattr(tenant, name, given[name])
    try:
        tenant.full_clean(validate_unique=False)
    except ValidationError as error:
        raise Invalid(_problems(error)) from error
    tenant.save(update_fields=list(before))
    after = {name: given[name] for name in before}
    audit.record("tenant.changed", tenant, before=before, after=after)
    return tenant


_preparations: list[Callable[[], None]] = []


def on_tenant_created(prepare: Callable[[], None]) -> None:
    """Register a function that runs in the scope of every new tenant, in its transaction."""
    if prepare not in _preparations:
        _preparations.append(prepare)


def _problems(error: ValidationError) -> list[Problem]:
    return [
        Problem(field, fault.code or "invalid", message)
        for field, faults in error.error_dict.items()
        for fault in faults
        for message in fault.messages
    ]
