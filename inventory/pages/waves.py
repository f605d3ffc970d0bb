"""Waves: what is to be picked, releasing with a preview, and one wave with its progress."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Wave, WaveState, WorkKind
from inventory.pages.worklists import WorkFilters
from inventory.queries.movements import movements_of
from inventory.queries.picking import can_go_back, orders_to_pick, waiting_goods, wave_tasks
from inventory.queries.places import warehouses
from inventory.queries.waves import (
    get_wave,
    released_waves,
    search_waves,
    wave_progress,
)
from inventory.queries.worklists import live_claims
from inventory.rules.business_day import business_day
from inventory.services.picking import undo_pick
from inventory.services.waves import cancel_wave
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import address, do, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

NAV = "to_pick"
DETAIL = "inventory:wave_detail"
MOST_WAVES = 50
LATEST_MOVEMENTS = 20
BY_URGENCY = ("priority", "due_on", "id")


class WaveFilters(forms.Form):
    q = search_field(gettext_lazy("Wave or order number"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *WaveState.choices],
    )
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        offer(self, "warehouse", _("All warehouses"), known)


@require_safe
def pick_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show what is to be picked: released waves, then orders that wait for one."""
    require(Permission.READ)
    filters = WorkFilters(request.GET, with_zones=True)
    chosen = filters.chosen
    text, warehouse_id = chosen.get("q", "").strip(), chosen.get("warehouse")
    zone_id, assignee = chosen.get("zone"), chosen.get("assignee", "")
    released = released_waves(warehouse_id=warehouse_id, zone_id=zone_id, assignee=assignee)
    if text:
        released = released & search_waves(text=text)
    waves = list(released[: MOST_WAVES + 1])
    orders = orders_to_pick(warehouse_id=warehouse_id, zone_id=zone_id, text=text)
    page = keyset_page(orders, order=BY_URGENCY, cursor=request.GET.get("cursor", ""))
    progress = wave_progress([wave.pk for wave in waves])
    claims = live_claims(WorkKind.PICK, [wave.pk for wave in waves])
    goods = waiting_goods([order.pk for order in page.items])
    return show(
        request,
        "inventory/pick_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        tabs=tabs(request, "inventory:pick_list"),
        waves=[(w, progress[w.pk], claims.get(w.pk)) for w in waves[:MOST_WAVES]],
        has_more_waves=len(waves) > MOST_WAVES,
        rows=[(order, goods[order.pk]) for order in page.items],
        next_cursor=page.next_cursor,
        today=today(),
    )


@require_safe
def wave_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List all waves, the newest first."""
    require(Permission.READ)
    filters = WaveFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_waves(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        state=chosen.get("state", ""),
    )
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    progress = wave_progress([wave.pk for wave in page.items])
    return show(
        request,
        "inventory/wave_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        tabs=tabs(request, "inventory:wave_list"),
        rows=[(wave, progress[wave.pk]) for wave in page.items],
        next_cursor=page.next_cursor,
    )


@require_safe
def wave_detail(request: HttpRequest, tenant: str, wave_id: int) -> HttpResponse:
    """Show a wave: how far it is, and its tasks along the way."""
    require(Permission.READ)
    wave = get_wave(wave_id)
    tasks = list(wave_tasks(wave.pk))
    return show(
        request,
        "inventory/wave_detail.html",
        NAV,
        wave=wave,
        progress=wave_progress([wave.pk])[wave.pk],
        progress_tone="" if wave.state == WaveState.RELEASED else "success",
        tasks=[(task, can_go_back(task)) for task in tasks],
        claim=live_claims(WorkKind.PICK, [wave.pk]).get(wave.pk),
        is_open=wave.state == WaveState.RELEASED,
        movements=list(movements_of(wave)[:LATEST_MOVEMENTS]),
    )


@require_POST
def wave_cancel(request: HttpRequest, tenant: str, wave_id: int) -> HttpResponse:
    """Call a wave off: its open tasks end."""
    require(Permission.FLOOR_WORK)
    given = request.POST.get("version", "")
    version = int(given) if given.isdecimal() and len(given) < 10 else None
    return do(
        request,
        lambda: cancel_wave(wave_id=wave_id, version=version),
        done=_("The wave was cancelled: its goods wait for another one."),
        target=address(request, DETAIL, wave_id=wave_id),
    )


@require_POST
def wave_put_back(
    request: HttpRequest, tenant: str, wave_id: int, pick_task_id: int
) -> HttpResponse:
    """Put the goods of one pick back where they were taken from."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: undo_pick(wave_id=wave_id, task_ids=[pick_task_id]),
        done=_("The pick was taken back: bring the goods to their place."),
        target=address(request, DETAIL, wave_id=wave_id),
    )


def tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """Return the tabs of picking: the work, and all waves."""
    known = {"inventory:pick_list": _("To pick"), "inventory:wave_list": _("All waves")}
    return [
        {"label": label, "href": address(request, name), "current": name == current}
        for name, label in known.items()
    ]


def today() -> Any:
    """Return the tenant's business day: what was promised before it is late."""
    return business_day(timezone.now(), active_scope().tenant.time_zone)


def first_wave(waves: list[Wave]) -> Wave | None:
    """Return the only wave of a release, or None when there are several."""
    return waves[0] if len(waves) == 1 else None
