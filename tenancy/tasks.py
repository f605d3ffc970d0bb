"""What Celery runs: the doorbell of a queue and the minute's tick; neither knows any work."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_init, worker_shutting_down
from django.utils.translation import gettext_lazy as _

from tenancy.queries.tenants import active_tenants
from tenancy.services import job_leases, jobs
from tenancy.services.housekeeping import forget_old_idempotency_keys
from tenancy.services.schedules import register_schedule, start_due_jobs
from tenancy.services.worker_stop import is_worker_stopping, note_worker_stopping

DOORBELL_SOFT_LIMIT_SECONDS = 55 * 60


@shared_task(  # type: ignore[untyped-decorator]
    name="tenancy.answer_doorbell",
    ignore_result=True,
    soft_time_limit=DOORBELL_SOFT_LIMIT_SECONDS,
    time_limit=DOORBELL_SOFT_LIMIT_SECONDS + 300,
)
def answer_doorbell(queue: str) -> None:
    """Run the next job of the queue, whoever's turn it is; do nothing when there is none."""
    if is_worker_stopping():
        return
    lease = job_leases.claim_next(queue)
    if lease is None:
        return
    try:
        jobs.execute(lease)
    finally:
        job_leases.ring_if_waiting(queue)


@shared_task(  # type: ignore[untyped-decorator]
    name="tenancy.tick", ignore_result=True, soft_time_limit=50, time_limit=120
)
def tick() -> None:
    """Start what is due, take back what died, ring again for what waits: once a minute."""
    for tenant in active_tenants():
        try:
            start_due_jobs(tenant)
            job_leases.reap(tenant)
            job_leases.sweep(tenant)
        except Exception:  # noqa: BLE001
            # one tenant's trouble is not the next one's
            structlog.get_logger().exception("tick_failed", tenant=tenant.slug)


@jobs.job_handler("housekeeping", title=_("Housekeeping"))
def housekeeping(run: jobs.JobRun) -> dict[str, Any]:
    """Delete what nobody needs any more."""
    with run.publishing():
        result = {"idempotency_keys": forget_old_idempotency_keys()}
        run.finish(result)
    return result


register_schedule("housekeeping", "day", at_hour=1)


@worker_init.connect  # type: ignore[untyped-decorator]
def _worker_starts(**_kwargs: Any) -> None:
    note_worker_stopping(stopping=False)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _worker_stops(**_kwargs: Any) -> None:
    note_worker_stopping()
