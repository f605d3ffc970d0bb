"""Tenants: created with what every tenant needs from the first day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Invalid, Problem
from tenancy.models import Membership, Role, Tenant, User
from tenancy.scope import Actor, tenant_scope
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


_preparations: list[Any] = []


def on_tenant_created(prepare: Any) -> Any:
    """Register a function that runs in the scope of every new tenant, in its transaction."""
    if prepare not in _preparations:
        _preparations.append(prepare)
    return prepare


def _problems(error: ValidationError) -> list[Problem]:
    return [
        Problem(field, fault.code or "invalid", message)
        for field, faults in error.error_dict.items()
        for fault in faults
        for message in fault.messages
    ]
