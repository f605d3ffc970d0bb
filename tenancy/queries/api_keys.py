"""Read the API keys of the active tenant; the secrets are nowhere to be read."""

from __future__ import annotations

from django.db.models import QuerySet

from tenancy.models import ApiKey


def api_keys() -> QuerySet[ApiKey]:
    """Return every key, newest first."""
    return ApiKey.objects.select_related("created_by").order_by("-id")
