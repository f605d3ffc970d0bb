"""Health: alive says the process answers, ready says it may serve."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from tenancy.database import isolation_faults


def livez(request: HttpRequest) -> JsonResponse:
    """Answer that the process lives."""
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 503 with the faults when the database, its roles or the fences are not right."""
    try:
        faults = isolation_faults()
    except DatabaseError:
        faults = ["the database does not answer"]
    return JsonResponse(
        {"status": "ready" if not faults else "refused", "faults": faults},
        status=503 if faults else 200,
    )
