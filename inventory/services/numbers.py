"""Numbers of documents: per tenant and kind, ascending as handed out, never given twice.

Each tenant and kind has a sequence of its own, which no transaction holds: whoever took a number
and is still busy holds up nobody. A transaction that is taken back leaves a gap.
"""

from __future__ import annotations

from django.db import connection

from inventory.models import DocumentKind
from tenancy.scope import active_tenant_id

TAKE_NUMBERS = "SELECT take_document_numbers(%s, %s, %s)"
OPEN_NUMBERS = "SELECT open_document_numbers(%s, kind) FROM unnest(%s::text[]) AS kind"


def take_numbers(kind: str, count: int = 1) -> list[str]:
    """Return the next ``count`` numbers of that kind, e.g. ``PO-000042``; ``kind`` as in
    ``DocumentKind``.

    Numbers taken together ascend, but others may take some in between.
    """
    prefix = DocumentKind(kind).value
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBERS, [active_tenant_id(), prefix, count])
        [numbers] = cursor.fetchone()
    return [f"{prefix}-{number:06d}" for number in numbers]


def open_numbers() -> None:
    """Prepare the numbers of every kind for the active tenant.

    A kind that nobody prepared is prepared by its first number; a second transaction that wants one
    meanwhile would wait for that first one.
    """
    with connection.cursor() as cursor:
        cursor.execute(OPEN_NUMBERS, [active_tenant_id(), DocumentKind.values])
