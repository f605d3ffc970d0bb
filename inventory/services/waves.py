"""Waves: promised goods are released to be picked together; a wave may be called off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Location,
    LocationKind,
    PickState,
    PickTask,
    Warehouse,
    Wave,
    WaveState,
    WorkKind,
)
from inventory.queries.places import standard_locations
from inventory.queries.waves import WaveRequest, check_known, planned_waves, wave_candidates
from inventory.rules.wave_plan import PlannedWave
from inventory.services.numbers import take_numbers
from inventory.services.order_states import advance_orders, lock_orders
from inventory.services.picking_errors import NothingToRelease, WaveNotOpen
from inventory.services.rows import check_version, load
from inventory.services.worklists import release_work
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.services import audit

__all__ = ["cancel_wave", "release_waves"]

PACKING_KINDS = {LocationKind.PACKING, LocationKind.SHIPPING}


def release_waves(*, request: WaveRequest, to_location_id: int | None = None) -> list[Wave]:
    """Release what the request asks for as waves of pick tasks, in walking order.

    Picks are brought to ``to_location_id``, or the warehouse's first packing place. Of two people
    who release the same goods at once the second gets what is left. Raises ``NotFound``,
    ``NothingToRelease``, ``Invalid`` for limits without room or a place that is not for packing.
    """
    require(Permission.FLOOR_WORK)
    _check_limits(request)
    check_known(request)
    warehouse = load(Warehouse, request.warehouse_id)
    to_location = _packing_place(warehouse, to_location_id)
    with transaction.atomic():
        order_ids = {candidate.order_id for candidate in wave_candidates(request)}
        # whoever comes second waits here, and then sees these tasks
        lock_orders(sorted(order_ids))
        planned = planned_waves(replace(request, order_ids=tuple(order_ids))) if order_ids else []
        if not planned:
            raise NothingToRelease
        waves = _create(planned, warehouse, to_location)
        advance_orders(order_ids)
        audit.record(
            "waves.released",
            warehouse,
            waves=[wave.number for wave in waves],
            tasks=sum(len(plan.picks) for plan in planned),
        )
    return waves


def cancel_wave(*, wave_id: int, version: int | None = None) -> Wave:
    """Call a wave off: its open tasks end, the goods stay promised and wait for another wave.

    What was picked stays picked. Raises ``NotFound``, ``StaleVersion``, ``WaveNotOpen``,
    ``ClaimedByOther`` unless a manager calls it off.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        known = load(Wave, wave_id)
        release_work(kind=WorkKind.PICK, subject_id=known.pk)
        tasks = PickTask.objects.filter(wave=known, state=PickState.OPEN)
        order_ids = set(tasks.values_list("sales_order_id", flat=True))
        lock_orders(sorted(order_ids))
        wave = load(Wave, wave_id, lock=True)
        check_version(wave, version)
        if wave.state != WaveState.RELEASED:
            raise WaveNotOpen(wave)
        cancelled = tasks.update(state=PickState.CANCELLED)
        wave.state = WaveState.CANCELLED
        wave.version += 1
        wave.save(update_fields=["state", "version"])
        advance_orders(order_ids)
        audit.record("wave.cancelled", wave, number=wave.number, tasks=cancelled)
    return wave


def _check_limits(request: WaveRequest) -> None:
    limits = request.limits
    if limits.orders < 1 or limits.lines < 1:
        message = _("A wave needs room for one order and one line at least.")
        raise Invalid.field("limits", "no_room", message)
    if limits.volume_l is not None and not limits.volume_l > 0:
        message = _("The volume must be greater than zero, or left out.")
        raise Invalid.field("volume_l", "no_room", message)


def _packing_place(warehouse: Warehouse, location_id: int | None) -> Location:
    if location_id is None:
        place = standard_locations(warehouse.pk).get(LocationKind.PACKING)
        if place is None:
            message = _("%(warehouse)s has no packing place: create one.") % {
                "warehouse": warehouse.name
            }
            raise Invalid.field("to_location_id", "no_packing_place", message)
        return place
    place = load(Location, location_id)
    if place.warehouse_id != warehouse.pk or place.kind not in PACKING_KINDS:
        message = _("%(code)s is not a packing or shipping place of %(warehouse)s.") % {
            "code": place.code,
            "warehouse": warehouse.name,
        }
        raise Invalid.field("to_location_id", "not_for_packing", message)
    return place


def _create(
    planned: Sequence[PlannedWave], warehouse: Warehouse, to_location: Location
) -> list[Wave]:
    numbers = take_numbers("WV", len(planned))
    waves = Wave.objects.bulk_create(
        [
            Wave(
                number=number,
                warehouse=warehouse,
                kind=plan.kind.value,
                zone_id=plan.zone_id,
                to_location=to_location,
            )
            for number, plan in zip(numbers, planned, strict=True)
        ]
    )
    PickTask.objects.bulk_create(
        [
            PickTask(
                wave=wave,
                allocation_id=pick.allocation_id,
                sales_order_id=pick.order_id,
                product_id=pick.product_id,
                location_id=pick.place.location_id,
                lot_id=pick.lot_id,
                sequence=sequence,
                quantity=pick.quantity,
            )
            for wave, plan in zip(waves, planned, strict=True)
            for sequence, pick in enumerate(plan.picks, 1)
        ]
    )
    return waves
