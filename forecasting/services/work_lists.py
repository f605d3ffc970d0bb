"""What the work lists of suggestions and warnings share: one writer of a list at a time."""

from __future__ import annotations

from django.db import connection

from tenancy.scope import active_tenant_id


def one_at_a_time(name: str) -> None:
    """Let one writer of the tenant's list pass at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s::int)",
            [f"forecasting.{name}", active_tenant_id() % 2**31],
        )
