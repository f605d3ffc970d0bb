"""What every tenant table inherits: its tenant, the ORM fence, foreign keys that stay inside."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from tenancy.managers import TenantManager, adopt


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A foreign key to a row of the same tenant.

    The database constraint is composite ``(tenant_id, x_id)`` and comes from ``FenceTenantTables``,
    with an index on the same columns unless ``tenant_index=False``.
    """

    def __init__(
        self, to: Any, on_delete: Any, *, tenant_index: bool = True, **kwargs: Any
    ) -> None:
        self.tenant_index = tenant_index
        kwargs["db_constraint"] = False
        kwargs["db_index"] = False
        # the swappable model is the user, who is of no tenant; asking costs a migration much time
        kwargs["swappable"] = False
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        kwargs.pop("db_index", None)
        kwargs.pop("swappable", None)
        if not self.tenant_index:
            kwargs["tenant_index"] = False
        return name, path, args, kwargs


class TenantOwned(models.Model):
    """A row of one tenant. See ``docs/decisions/0001-tenant-keys.md``."""

    tenant = models.ForeignKey(
        "tenancy.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        adopt(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        adopt(self)
        return super().delete(*args, **kwargs)
