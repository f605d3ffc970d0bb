"""What takes turns within a tenant: the writers of a work list, requests for the same job."""

from __future__ import annotations

from django.db import connection

from tenancy.scope import active_tenant_id


def one_at_a_time(name: str) -> None:
    """Let one transaction of the tenant at a time pass here; the next follows when it ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s::int)",
            [f"forecasting.{name}", active_tenant_id() % 2**31],
        )
