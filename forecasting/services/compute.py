"""The cost of forecasting: measured for every job, limited by the tenant's managers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from forecasting.models import ComputeCost, ForecastSettings
from forecasting.pipeline.arrays import mapping_to
from forecasting.queries.compute import Spending, read_spending
from forecasting.services import artefacts
from inventory.services.rows import check_version, save
from tenancy.errors import Conflict
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun

T = TypeVar("T")


class BudgetSpent(Conflict):
    """The CPU minutes of the month are spent; ``data`` has how many, and the limit."""

    code = "budget_spent"

    def __init__(self, spending: Spending) -> None:
        super().__init__(budget_words(spending), spent=spending.training, limit=spending.limit)


def budget_words(spending: Spending) -> str:
    """Say that the month's minutes are spent, and what to do."""
    return _(
        "%(spent).0f of %(limit)d CPU minutes of this month are spent on training. A manager can "
        "raise the limit on the page of networks."
    ) % {"spent": spending.training, "limit": spending.limit or 0}


def check_budget() -> None:
    """Raise ``BudgetSpent`` when no further training may begin this month."""
    spending = read_spending()
    if spending.is_spent:
        raise BudgetSpent(spending)


def measured(run: JobRun, work: Callable[[JobRun], T]) -> T:
    """Do the work of a job and record its CPU seconds, also when it fails or is cancelled.

    They are written with every heartbeat: of a worker that was killed at most one beat is missing.
    Large arrays lie in the tenant's folder meanwhile; networks compute on FORECAST_DEVICE. Raises
    ``JobFailed`` where that is a GPU and there is none.
    """
    from forecasting.pipeline.compute import DeviceMissing, computing_on

    began = time.process_time()
    with run.scope():
        cost = ComputeCost.objects.create(job_id=run.job_id, kind=run.kind, cpu_seconds=0)

    def note() -> None:
        spent = Value(time.process_time() - began)
        ComputeCost.objects.filter(pk=cost.pk).update(cpu_seconds=Greatest("cpu_seconds", spent))

    run.at_heartbeat.append(note)
    try:
        with (
            mapping_to(artefacts.scratch_folder(run.tenant)),
            computing_on(settings.FORECAST_DEVICE),
        ):
            return work(run)
    except DeviceMissing as error:
        raise JobFailed(
            _("FORECAST_DEVICE is cuda, but this worker finds no GPU. Set it to auto or cpu, or "
              "install a driver and a torch built for it.")
        ) from error  # fmt: skip
    finally:
        run.at_heartbeat.remove(note)
        with run.scope():
            note()


def lock_settings() -> ForecastSettings:
    """Return the tenant's settings, locked until the transaction ends; made when first needed."""
    found = ForecastSettings.objects.select_for_update().first()
    if found is None:
        ForecastSettings.objects.bulk_create([ForecastSettings()], ignore_conflicts=True)
        found = ForecastSettings.objects.select_for_update().get()
    return found


def update_forecast_settings(
    *, cpu_minutes_per_month: int | None, training_seconds: int | None, version: int | None = None
) -> ForecastSettings:
    """Limit what training may cost; None lifts a limit.

    Raises ``PermissionRefused``, ``StaleVersion``, ``Invalid``.
    """
    require(Permission.APPROVE)
    found = lock_settings()
    check_version(found, version)
    before = [found.cpu_minutes_per_month, found.training_seconds]
    found.cpu_minutes_per_month = cpu_minutes_per_month
    found.training_seconds = training_seconds
    found.version += 1
    save(found)
    after = [cpu_minutes_per_month, training_seconds]
    audit.record("forecast_settings.changed", found, before=before, after=after)
    return found
