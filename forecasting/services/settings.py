"""What moving and ordering cost, as planning reckons with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from forecasting.models import PlanningSettings
from forecasting.services.work_lists import one_at_a_time
from inventory.services.rows import check_version, save
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, kw_only=True)
class SettingsFields:
    """Money in the tenant's currency."""

    transfer_cost: Decimal
    transfer_cost_per_unit: Decimal
    transfer_days: int
    order_line_cost: Decimal


def change_settings(*, fields: SettingsFields, version: int | None = None) -> PlanningSettings:
    """Replace what planning reckons with. Raises ``Invalid`` naming the field, ``StaleVersion``."""
    require(Permission.PLAN)
    problems = [
        Problem(name, "negative", _("A cost or a time cannot be below zero."))
        for name, value in asdict(fields).items()
        if value < 0
    ]
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        one_at_a_time("planning settings")
        row = PlanningSettings.objects.first() or PlanningSettings()
        if row.pk:
            check_version(row, version)
            row.version += 1
        for name, value in asdict(fields).items():
            setattr(row, name, value)
        save(row)
        said = {name: str(value) for name, value in asdict(fields).items()}
        audit.record("planning_settings.changed", row, **said)
    return row
