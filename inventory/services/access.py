"""Restricting a member to some warehouses."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from inventory.models import Warehouse, WarehouseAccess
from inventory.queries.access import allowed_warehouses
from inventory.services.rows import load_many
from tenancy.errors import Conflict, NotFound
from tenancy.models import Membership, Role
from tenancy.permissions import Permission, require
from tenancy.services import audit


class OwnersWorkEverywhere(Conflict):
    """An owner is never restricted."""

    code = "owners_work_everywhere"

    def __init__(self) -> None:
        message = _("Owners work in every warehouse. Give the member another role first.")
        super().__init__(message)


class OwnAccess(Conflict):
    """Nobody changes where they work themselves."""

    code = "own_access"

    def __init__(self) -> None:
        super().__init__(_("Somebody else decides in which warehouses you work. Ask a manager."))


class BeyondOwnAccess(Conflict):
    """Who works in some warehouses decides about those only."""

    code = "beyond_own_access"

    def __init__(self) -> None:
        message = _(
            "You work in some warehouses only, so this is decided by somebody who works in all."
        )
        super().__init__(message)


def set_warehouse_access(*, membership_id: int, warehouse_ids: Collection[int]) -> list[Warehouse]:
    """Let a member work in these warehouses only; in all of them when none is named.

    Raises ``NotFound``, ``OwnersWorkEverywhere``, ``OwnAccess``, and ``BeyondOwnAccess`` when the
    actor is restricted and the change reaches further than that.
    """
    actor = require(Permission.MANAGE_MEMBERS)
    membership = Membership.objects.select_for_update().filter(pk=membership_id).first()
    if membership is None:
        raise NotFound("member", membership_id)
    if membership.role == Role.OWNER:
        raise OwnersWorkEverywhere
    if actor.kind == "user" and membership.user_id == actor.id:
        raise OwnAccess
    rows = WarehouseAccess.objects.filter(membership=membership)
    before = set(rows.values_list("warehouse_id", flat=True))
    chosen = load_many(Warehouse, set(warehouse_ids))
    _refuse_beyond(before, set(chosen))
    rows.exclude(warehouse_id__in=chosen).delete()
    WarehouseAccess.objects.bulk_create(
        [
            WarehouseAccess(membership=membership, warehouse=warehouse)
            for warehouse in chosen.values()
            if warehouse.pk not in before
        ]
    )
    named = sorted(chosen.values(), key=lambda warehouse: warehouse.code)
    if before != set(chosen):
        codes = [warehouse.code for warehouse in named]
        audit.record("member.warehouses_changed", membership, warehouses=codes)
    return named


def require_every_warehouse() -> None:
    """Refuse what concerns all warehouses to a member who works in some: ``BeyondOwnAccess``."""
    if allowed_warehouses() is not None:
        raise BeyondOwnAccess


def _refuse_beyond(before: set[int], after: set[int]) -> None:
    """Refuse to touch what a restricted actor does not reach; no row at all means everything."""
    allowed = allowed_warehouses()
    if allowed is None:
        return
    if not before or not after or not before <= allowed:
        raise BeyondOwnAccess
