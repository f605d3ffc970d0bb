"""Boot checks: refuse to serve when the fences are down (``check --database default``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from tenancy.database import isolation_faults


@register("database", "tenancy")
def fences_stand(
    *,
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Return one error for each fault of roles and row level security."""
    if not databases:
        return []
    return [Error(fault, id="tenancy.E001") for fault in isolation_faults()]
