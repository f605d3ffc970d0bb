"""Reviewing a count: approved, posted, sent back, or brought up to what moved since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.pages.counting import DETAIL, version_of
from inventory.services.count_review import (
    approve_count,
    post_count,
    rebase_stale,
    recount_lines,
    recount_stale,
)
from tenancy.pages.web import address, do
from tenancy.permissions import Permission, require


@require_POST
def cycle_count_approve(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Accept what was counted and post it."""
    return _act(
        request,
        cycle_count_id,
        lambda **which: approve_count(then_post=True, **which),
        _("The count was approved, and its differences are posted."),
    )


@require_POST
def cycle_count_post(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Post the differences of an approved count."""
    return _act(request, cycle_count_id, post_count, _("The differences are posted."))


@require_POST
def cycle_count_recount(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Have the ticked lines counted again; without any, those whose stock moved since."""
    chosen = [int(pk) for pk in request.POST.getlist("line") if pk.isdecimal() and len(pk) < 19]
    done = _("The lines are on the list of what to count, for another round.")
    if request.POST.get("which") == "stale":
        return _act(request, cycle_count_id, recount_stale, done)
    return _act(
        request,
        cycle_count_id,
        lambda **which: recount_lines(line_ids=chosen, **which),
        done,
    )


@require_POST
def cycle_count_rebase(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Keep what was counted and add what moved since."""
    done = _("What moved since was added to the count: the difference stays the same.")
    return _act(request, cycle_count_id, rebase_stale, done)


def _act(
    request: HttpRequest, cycle_count_id: int, service: Callable[..., Any], done: str
) -> HttpResponse:
    require(Permission.APPROVE)
    return do(
        request,
        lambda: service(cycle_count_id=cycle_count_id, version=version_of(request)),
        done=done,
        target=address(request, DETAIL, cycle_count_id=cycle_count_id),
    )
