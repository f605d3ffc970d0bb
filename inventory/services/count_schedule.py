"""Counts by risk: the riskiest places are requested, every night and when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext

from inventory.models import CountReason, CycleCount, Warehouse
from inventory.queries.count_risk import RiskyPlace, count_risks, riskiest
from inventory.queries.counting import requested_by_schedule
from inventory.queries.places import warehouses
from inventory.queries.settings import inventory_settings
from inventory.rules.business_day import business_day
from inventory.services.numbers import take_numbers
from inventory.services.rows import load
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit
from tenancy.services.job_outcomes import Outcome, describes

MOST_AT_ONCE = 200


def request_riskiest(*, warehouse_id: int, most: int) -> list[CycleCount]:
    """Request counts of the riskiest places of a warehouse; places with an open count are passed.

    Raises ``NotFound``, ``Invalid`` for a number that is not between 1 and 200.
    """
    require(Permission.APPROVE)
    warehouse = load(Warehouse, warehouse_id)
    if not 1 <= most <= MOST_AT_ONCE:
        message = _("Ask for 1 to %(most)d counts at once.") % {"most": MOST_AT_ONCE}
        raise Invalid.field("most", "out_of_range", message)
    return _request(warehouse, most)


def request_scheduled_counts() -> dict[str, int]:
    """Request today's counts of every warehouse by risk; return how many, by warehouse code.

    Run again on the same day it requests what is missing of ``counts_per_day``, so it may run
    twice without harm.
    """
    require(Permission.APPROVE)
    a_day = inventory_settings().counts_per_day
    requested: dict[str, int] = {}
    for warehouse in warehouses().filter(is_active=True):
        done = requested_by_schedule(warehouse)
        found = _request(warehouse, a_day - done) if done < a_day else []
        requested[warehouse.code] = len(found)
    return requested


@describes("request_counts")
def schedule_outcome(result: dict[str, Any]) -> Outcome:
    """Say how many counts were requested where."""
    places = ", ".join(f"{code}: {number}" for code, number in result["requested"].items())
    words = ngettext(
        "%(count)d count was requested by risk",
        "%(count)d counts were requested by risk",
        result["total"],
    ) % {"count": result["total"]}
    return Outcome((f"{words} ({places})." if places else f"{words}.",), "inventory:count_list")


def _request(warehouse: Warehouse, most: int) -> list[CycleCount]:
    """Insert the requests in a fixed number of statements; who opened one first keeps it."""
    places = riskiest(count_risks(warehouse.pk), most)
    if not places:
        return []
    numbers = take_numbers("CC", len(places))
    rows = _rows(warehouse, places, numbers)
    CycleCount.objects.bulk_create(rows, ignore_conflicts=True)
    made = list(CycleCount.objects.filter(number__in=numbers).order_by("id"))
    audit.record_each(
        "cycle_count.requested",
        [(count, {"number": count.number, "reason": str(CountReason.SCHEDULED)}) for count in made],
    )
    return made


def _rows(
    warehouse: Warehouse,
    places: Sequence[RiskyPlace],
    numbers: Sequence[str],
) -> list[CycleCount]:
    is_blind = inventory_settings().blind_counts
    today = business_day(timezone.now(), warehouse.time_zone)
    return [
        CycleCount(
            number=number,
            warehouse=warehouse,
            location_id=place.risk.location_id,
            reason=CountReason.SCHEDULED,
            is_blind=is_blind,
            due_on=today,
            risk=place.risk.risk,
            requested_by_label=active_scope().actor.label[:160],
        )
        for number, place in zip(numbers, places, strict=True)
    ]
