"""Numbers of documents: per tenant and kind, ascending, never given twice."""

from __future__ import annotations

from django.db import connection

from tenancy.scope import active_tenant_id

TAKE_NUMBERS = """
    INSERT INTO inventory_documentnumber (tenant_id, kind, last_number) VALUES (%s, %s, %s)
    ON CONFLICT (tenant_id, kind)
    DO UPDATE SET last_number = inventory_documentnumber.last_number + EXCLUDED.last_number
    RETURNING last_number
"""


def take_numbers(kind: str, count: int = 1) -> list[str]:
    """Return the next ``count`` numbers of that kind, e.g. ``PO-000042``.

    Others who want a number of the kind wait until this transaction ends, which keeps the row free
    of gaps. So take it last, when everything is checked and only the document is left to write.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBERS, [active_tenant_id(), kind, count])
        [last] = cursor.fetchone()
    return [f"{kind}-{number:06d}" for number in range(last - count + 1, last + 1)]
