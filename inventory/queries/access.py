"""Which warehouses the active actor works in: a member may be restricted to some of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from inventory.models import Location, Warehouse, WarehouseAccess
from tenancy.errors import NotFound
from tenancy.models import ApiKey, Role
from tenancy.scope import Actor, active_scope

M = TypeVar("M", bound=Model)

OF_A_WAREHOUSE = ("warehouse_id", "from_warehouse_id", "to_warehouse_id")


def allowed_warehouses() -> frozenset[int] | None:
    """Return the ids of the warehouses the active actor is restricted to, or None for all.

    Owners and unattended work reach everywhere, without a look; an API key reaches as far as the
    member who made it. Read once in a scope: it ends with the request.
    """
    scope = active_scope()
    return scope.once("allowed_warehouses", lambda: _look_up(scope.actor))


def _look_up(actor: Actor) -> frozenset[int] | None:
    if actor.kind == "system" or (actor.kind == "user" and actor.role == Role.OWNER):
        return None
    if actor.id is None:
        return frozenset()
    rows = WarehouseAccess.objects.exclude(membership__role=Role.OWNER)
    if actor.kind == "api_key":
        maker = ApiKey.objects.filter(pk=actor.id).values("created_by_id")
        rows = rows.filter(membership__user_id__in=maker)
    else:
        rows = rows.filter(membership__user_id=actor.id)
    return frozenset(rows.values_list("warehouse_id", flat=True)) or None


def may_work_in(warehouse_ids: Iterable[int]) -> bool:
    """Tell whether the actor works in one of these warehouses at least."""
    allowed = allowed_warehouses()
    return allowed is None or not allowed.isdisjoint(warehouse_ids)


def require_warehouse(warehouse_id: int) -> None:
    """Answer ``NotFound``, as for a missing row, for a warehouse the actor does not work in."""
    if not may_work_in([warehouse_id]):
        raise NotFound("warehouse", warehouse_id)


def require_locations(location_ids: Iterable[int]) -> None:
    """Answer ``NotFound`` for the first location in a warehouse the actor does not work in."""
    allowed = allowed_warehouses()
    if allowed is None:
        return
    wanted = list(location_ids)
    rows = Location.objects.filter(pk__in=wanted, warehouse_id__in=allowed)
    known = set(rows.values_list("pk", flat=True))
    for location_id in wanted:
        if location_id not in known:
            raise NotFound("location", location_id)


def in_allowed(rows: QuerySet[M], *paths: str) -> QuerySet[M]:
    """Keep the rows of the actor's warehouses.

    A path leads to the warehouse's id, e.g. ``location__warehouse_id``; with several, as of a
    transfer, one end in such a warehouse is enough.
    """
    allowed = allowed_warehouses()
    if allowed is None:
        return rows
    condition = Q()
    for path in paths:
        condition |= Q(**{f"{path}__in": sorted(allowed)})
    return rows.filter(condition)


def is_reachable(row: Model) -> bool:
    """Tell whether the row is of no warehouse, or of one the actor works in."""
    allowed = allowed_warehouses()
    if allowed is None:
        return True
    if isinstance(row, Warehouse):
        return row.pk in allowed
    ids = {getattr(row, name, None) for name in OF_A_WAREHOUSE}
    place = getattr(row, "location", None)
    if isinstance(place, Location):
        ids.add(place.warehouse_id)
    ids.discard(None)
    return not ids or not allowed.isdisjoint(ids)


def access_of(membership_id: int) -> list[Warehouse]:
    """Return the warehouses a member is restricted to, by code; empty when to none of them."""
    rows = WarehouseAccess.objects.filter(membership_id=membership_id).select_related("warehouse")
    return [row.warehouse for row in rows.order_by("warehouse__code", "id")]
