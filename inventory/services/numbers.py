"""Numbers of documents: per tenant and kind, ascending as handed out, never given twice.

Each tenant and kind has a sequence of its own, which no transaction holds: whoever took a number
and is still busy holds up nobody. A transaction that is taken back leaves a gap.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from inventory.models import DocumentKind, DocumentNumber
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

TAKE_NUMBERS = "SELECT take_document_numbers(%s, %s, %s)"
OPEN_NUMBERS = "SELECT open_document_numbers(%s, kind) FROM unnest(%s::text[]) AS kind"
BEGIN_NUMBERS = "SELECT begin_document_numbers(%s, %s, %s)"
LARGEST_NUMBER = 999_999_999_999


class NumberGiven(Conflict):
    """The number, or a later one of its kind, has been given already."""

    code = "number_given"

    def __init__(self, kind: DocumentKind, asked: int, last: int) -> None:
        message = _("%(last)s has been given already: begin after it.")
        super().__init__(
            message % {"last": _shown(kind, last)}, kind=kind.value, asked=asked, last=last
        )


def take_numbers(kind: str, count: int = 1) -> list[str]:
    """Return the next ``count`` numbers of that kind, e.g. ``PO-000042``; ``kind`` as in
    ``DocumentKind``.

    Numbers taken together ascend, but others may take some in between.
    """
    prefix = DocumentKind(kind)
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBERS, [active_tenant_id(), prefix.value, count])
        [numbers] = cursor.fetchone()
    return [_shown(prefix, number) for number in numbers]


def open_numbers() -> None:
    """Prepare the numbers of every kind for the active tenant.

    A kind that nobody prepared is prepared by its first number; a second transaction that wants one
    meanwhile would wait for that first one.
    """
    with connection.cursor() as cursor:
        cursor.execute(OPEN_NUMBERS, [active_tenant_id(), DocumentKind.values])


def begin_numbers(*, kind: DocumentKind, next_number: int) -> DocumentNumber:
    """Let the numbers of a kind go on with ``next_number``: what another system gave is left out.

    Whoever wants a number of the kind meanwhile waits until this is committed. Raises ``Invalid``,
    and ``NumberGiven`` for what is not after the last one.
    """
    require(Permission.OWN)
    if not 0 < next_number <= LARGEST_NUMBER:
        message = _("A number is between 1 and %(most)s.") % {"most": LARGEST_NUMBER}
        raise Invalid.field("next_number", "out_of_range", message)
    with connection.cursor() as cursor:
        cursor.execute(BEGIN_NUMBERS, [active_tenant_id(), kind.value, next_number])
        [given] = cursor.fetchone()
    if given is not None:
        raise NumberGiven(kind, next_number, given)
    row, _new = DocumentNumber.objects.update_or_create(
        kind=kind.value, defaults={"last_number": next_number - 1}
    )
    audit.record("document_numbers.begun", row, kind=kind.value, next_number=next_number)
    return row


def _shown(kind: DocumentKind, number: int) -> str:
    return f"{kind.value}-{number:06d}"
