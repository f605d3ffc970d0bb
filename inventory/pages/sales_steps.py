"""The buttons of a sales order: lines on and off, confirm, allocate, release, cancel, close."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.pages.sales import DETAIL, LineForm, show_order
from inventory.queries.sales import get_allocation, get_sales_line, get_sales_order
from inventory.services.allocation import allocate_orders, release_allocations
from inventory.services.sales import cancel_sales_order, close_sales_order, confirm_sales_order
from inventory.services.sales_lines import SalesLine, add_sales_lines, remove_sales_line
from tenancy.pages.web import address, do, send_form
from tenancy.permissions import Permission, require, require_one


@require_POST
def sales_order_add_line(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Add a line to a draft; a refused line is shown again with its errors."""
    require(Permission.SELL)
    order = get_sales_order(sales_order_id)
    form = LineForm(request.POST)

    def add(data: dict[str, Any]) -> str:
        line = SalesLine(data["product_id"].pk, data["quantity"], data["unit_price"])
        add_sales_lines(sales_order_id=order.pk, lines=[line], version=data["version"])
        return address(request, DETAIL, sales_order_id=order.pk)

    answer = send_form(request, form, add, _("The line was added."))
    return answer if answer is not None else show_order(request, order, form)


@require_POST
def sales_order_remove_line(
    request: HttpRequest, tenant: str, sales_order_id: int, sales_order_line_id: int
) -> HttpResponse:
    """Take a line off a draft."""
    require(Permission.SELL)
    line = get_sales_line(get_sales_order(sales_order_id), sales_order_line_id)
    return do(
        request,
        lambda: remove_sales_line(
            sales_order_id=sales_order_id, line_id=line.pk, version=given_version(request)
        ),
        done=_("The line was removed."),
        target=address(request, DETAIL, sales_order_id=sales_order_id),
    )


@require_POST
def sales_order_confirm(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Confirm a draft and promise stock to it."""
    require(Permission.SELL)
    return do(
        request,
        lambda: confirm_sales_order(sales_order_id=sales_order_id, version=given_version(request)),
        done=_("The order was confirmed: its demand is recorded, and stock was looked for."),
        target=address(request, DETAIL, sales_order_id=sales_order_id),
    )


@require_POST
def sales_order_allocate(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Look for stock for what is backordered."""
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    return do(
        request,
        lambda: allocate_orders(order_ids=[sales_order_id]),
        done=_("Stock was looked for: the lines say what was found."),
        target=address(request, DETAIL, sales_order_id=sales_order_id),
    )


@require_POST
def allocation_release(request: HttpRequest, tenant: str, allocation_id: int) -> HttpResponse:
    """Take the promise of one place back; an open pick of it is cancelled."""
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    promise = get_allocation(allocation_id)
    assert promise.order_line is not None  # noqa: S101 - promised to an order line
    return do(
        request,
        lambda: release_allocations(allocation_ids=[promise.pk]),
        done=_("The stock is free again."),
        target=address(request, DETAIL, sales_order_id=promise.order_line.order_id),
    )


@require_POST
def sales_order_cancel(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Cancel an order of which nothing has left."""
    require(Permission.SELL)
    return do(
        request,
        lambda: cancel_sales_order(
            sales_order_id=sales_order_id,
            version=given_version(request),
            reason=_reason(request),
            take_back_demand="take_back_demand" in request.POST,
        ),
        done=_("The order was cancelled: what it held is free again."),
        target=address(request, DETAIL, sales_order_id=sales_order_id),
    )


@require_POST
def sales_order_close(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Close an order: nothing more will leave for it."""
    require(Permission.SELL)
    return do(
        request,
        lambda: close_sales_order(
            sales_order_id=sales_order_id, version=given_version(request), reason=_reason(request)
        ),
        done=_("The order was closed."),
        target=address(request, DETAIL, sales_order_id=sales_order_id),
    )


def given_version(request: HttpRequest) -> int | None:
    """Return the version of the document that the page showed."""
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "").strip()[:200]
