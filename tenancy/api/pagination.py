"""One page of a list as the API gives it: ``items`` and the address of the ``next`` page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from tenancy.errors import Invalid
from tenancy.queries.keyset import LARGEST_PAGE, PAGE_SIZE, Page, keyset_page


def paginate(
    request: Request, queryset: QuerySet[Any], order: Sequence[str]
) -> tuple[Page[Any], str | None]:
    """Return the page that ``cursor`` and ``limit`` ask for, and the address of the next one."""
    cursor = request.query_params.get("cursor", "")
    page = keyset_page(queryset, order=order, cursor=cursor, size=_limit(request))
    if not page.next_cursor:
        return page, None
    query = request._request.GET.copy()  # noqa: SLF001 - the query as it was sent
    query["cursor"] = page.next_cursor
    return page, request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        message = _("Between 1 and %(most)d.") % {"most": LARGEST_PAGE}
        raise Invalid.field("limit", "out_of_range", message)
    return int(text)
