"""The ORM fence: managers that raise without a tenant and filter with one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models.sql import Query

from tenancy.scope import WrongTenant, active_identity, active_tenant_id

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=models.Model)


class TenantQuery(Query):
    """A query that runs only inside the scope of the tenant it was made for."""

    made_for: int | None = None

    def refuse_elsewhere(self) -> None:
        """Raise unless the tenant the query was made for is active."""
        if self.made_for is not None and self.made_for != active_tenant_id():
            raise WrongTenant(
                f"this query was made for tenant {self.made_for}, "
                f"tenant {active_tenant_id()} is active"
            )

    def chain(self, klass: type[Query] | None = None) -> Self:
        if klass is not None:  # updates go on as another class, which knows no tenant
            self.refuse_elsewhere()
        chained: Self = super().chain(klass)  # type: ignore[assignment]
        return chained

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        self.refuse_elsewhere()
        compiler: SQLCompiler = super().get_compiler(*args, **kwargs)
        return compiler


class TenantQuerySet(models.QuerySet[M]):
    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        rows = list(objs)
        for row in rows:
            adopt(row)
        return super().bulk_create(rows, *args, **kwargs)

    def _raw_delete(self, using: str | None) -> int:
        # Django turns the query into another class here, which knows no tenant
        if isinstance(self.query, TenantQuery):
            self.query.refuse_elsewhere()
        return super()._raw_delete(using)

    def update(self, **kwargs: Any) -> int:
        if {"tenant", "tenant_id"} & kwargs.keys():
            raise WrongTenant("rows never change their tenant")
        return super().update(**kwargs)


class TenantManager(models.Manager[M]):
    """Raises ``NoTenantScope`` when no tenant is active; sees only the active tenant's rows."""

    use_in_migrations = False

    def get_queryset(self) -> TenantQuerySet[M]:
        tenant_id = active_tenant_id()
        query = TenantQuery(self.model)
        query.made_for = tenant_id
        queryset: TenantQuerySet[M] = TenantQuerySet(self.model, query=query, using=self._db)
        return queryset.filter(tenant_id=tenant_id)


class OwnMembershipManager(models.Manager[M]):
    """Reads the memberships of the user of the active identity scope, of every tenant."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(user_id=active_identity())


def adopt(row: models.Model) -> None:
    """Give a new row the active tenant; refuse a row of another tenant, or pointing at one."""
    tenant_id = active_tenant_id()
    if row.tenant_id is None:  # type: ignore[attr-defined]
        row.tenant_id = tenant_id  # type: ignore[attr-defined]
    if row.tenant_id != tenant_id:  # type: ignore[attr-defined]
        raise WrongTenant(
            f"{type(row).__name__} of tenant {row.tenant_id} in the scope of tenant {tenant_id}"  # type: ignore[attr-defined]
        )
    for name, pointed_at in row._state.fields_cache.items():
        if getattr(pointed_at, "tenant_id", tenant_id) != tenant_id:
            raise WrongTenant(f"{type(row).__name__}.{name} is a row of another tenant")
