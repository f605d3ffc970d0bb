"""How a job changes hands: claimed, kept alive, given back, taken from the dead.

Every change is one conditional update under the fencing token; its row count decides who won. The
clock is always the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField, Expression, ExpressionWrapper, F, Func, Q, Value
from django.utils.translation import gettext as _

from tenancy.models import Job, JobQueue, JobState, JobTurn, Tenant
from tenancy.scope import Actor, tenant_scope

RINGS_PER_SWEEP = 4


class ClockTimestamp(Func):
    """The database's clock now, not at the start of the transaction."""

    template = "clock_timestamp()"
    output_field = DateTimeField()


def seconds_from_now(seconds: float) -> Expression:
    """Return an expression for an instant counted from the database's clock."""
    return ExpressionWrapper(
        ClockTimestamp() + Value(timedelta(seconds=seconds)), output_field=DateTimeField()
    )


def new_lease() -> Expression:
    """Return when a lease taken or renewed now ends."""
    return seconds_from_now(settings.JOB_LEASE_SECONDS)


@dataclass(frozen=True)
class Lease:
    """The right to work on a job: good as long as nobody has a newer token."""

    tenant: Tenant
    job_id: int
    fencing_token: int

    @property
    def actor(self) -> Actor:
        """The job itself, in the name of whoever asked for it."""
        return Actor.system(f"job {self.job_id}")


def held(lease: Lease) -> Any:
    """Return the job of this lease as a queryset: empty once the lease was taken over."""
    return Job.objects.filter(
        pk=lease.job_id, state=JobState.RUNNING, fencing_token=lease.fencing_token
    )


# -- the doorbell ---------------------------------------------------------------------------------
def announce(tenant: Tenant, queue: str, *, times: int = 1) -> bool:
    """Note that a tenant waits for a queue and ring its workers; tell whether the broker took it.

    A broker that is down never fails the caller: the sweeper rings again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenancy_jobturn (queue, served_tenant_id, is_waiting, rung_at)"
            " VALUES (%s, %s, true, clock_timestamp())"
            " ON CONFLICT (queue, served_tenant_id)"
            " DO UPDATE SET is_waiting = true, rung_at = clock_timestamp()",
            [queue, tenant.pk],
        )
    return all(_ring(queue) for _number in range(times))


def _ring(queue: str) -> bool:
    try:
        current_app.send_task(
            "tenancy.answer_doorbell", args=[queue], queue=queue, retry=False, ignore_result=True
        )
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the Job row stands
        structlog.get_logger().warning("doorbell_not_sent", queue=queue, error=str(error))
        return False
    return True


def ring_if_waiting(queue: str) -> None:
    """Ring once when any tenant still waits for the queue (after a job ended a cap has room)."""
    if JobTurn.objects.filter(queue=queue, is_waiting=True).exists():
        _ring(queue)


# -- claiming -------------------------------------------------------------------------------------
def claim_next(queue: str) -> Lease | None:
    """Claim the oldest queued job of the least recently served tenant that is under its cap."""
    turns = (
        JobTurn.objects.filter(queue=queue, is_waiting=True, served_tenant__is_active=True)
        .select_related("served_tenant")
        .order_by(F("served_at").asc(nulls_first=True), "id")
    )
    for turn in turns:
        lease = _claim_for(turn)
        if lease is not None:
            return lease
    return None


def _claim_for(turn: JobTurn) -> Lease | None:
    tenant = turn.served_tenant
    with tenant_scope(tenant, actor=Actor.system("worker")):
        # one claim at a time for this tenant and queue: the cap is counted under this lock
        JobTurn.objects.select_for_update(of=("self",)).get(pk=turn.pk)
        queued = Job.objects.filter(queue=turn.queue, state=JobState.QUEUED)
        runnable = queued.filter(Q(retry_at=None) | Q(retry_at__lte=ClockTimestamp()))
        running = Job.objects.filter(queue=turn.queue, state=JobState.RUNNING).count()
        if running >= running_cap(turn.queue):
            return None
        for job_id in runnable.order_by("id").values_list("id", flat=True)[:5]:
            lease = claim(tenant, job_id)
            if lease is not None:
                JobTurn.objects.filter(pk=turn.pk).update(served_at=ClockTimestamp())
                return lease
        if not queued.exists():
            # rung again in between: the job of that ring may not have been visible yet
            JobTurn.objects.filter(pk=turn.pk, rung_at=turn.rung_at).update(is_waiting=False)
    return None


def running_cap(queue: str) -> int:
    """Return how many jobs of one tenant may run on a queue at once."""
    return 1 if queue == JobQueue.TRAINING else int(settings.JOB_RUNNING_CAP)


def claim(tenant: Tenant, job_id: int) -> Lease | None:
    """Take the lease of one queued job; None when it is taken or a training runs already."""
    with tenant_scope(tenant, actor=Actor.system("worker")):
        try:
            with transaction.atomic():
                won = Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
                    state=JobState.RUNNING,
                    fencing_token=F("fencing_token") + 1,
                    attempt=F("attempt") + 1,
                    lease_expires_at=new_lease(),
                    started_at=ClockTimestamp(),
                    finished_at=None,
                    reason="",
                )
        except IntegrityError:
            return None  # job_one_running_training
        if not won:
            return None
        token = Job.objects.values_list("fencing_token", flat=True).get(pk=job_id)
    return Lease(tenant=tenant, job_id=job_id, fencing_token=token)


# -- endings --------------------------------------------------------------------------------------
def close(lease: Lease, state: JobState, *, reason: str = "", result: Any = None) -> bool:
    """Bring the job to an end under its lease; False when the lease was lost."""
    changes: dict[str, Any] = {
        "state": state,
        "reason": reason,
        "result": result,
        "finished_at": ClockTimestamp(),
        "lease_expires_at": None,
        "retry_at": None,
    }
    with tenant_scope(lease.tenant, actor=lease.actor):
        return bool(held(lease).update(**changes))


def hand_back(lease: Lease) -> bool:
    """Queue the job again without counting the attempt: its worker is being stopped."""
    with tenant_scope(lease.tenant, actor=lease.actor):
        return bool(
            held(lease).update(
                state=JobState.QUEUED,
                attempt=F("attempt") - 1,
                lease_expires_at=None,
                sent_at=None,
            )
        )


def fail_or_retry(lease: Lease, reason: str) -> bool:
    """Queue the job again after a pause, or fail it when its attempts are used up.

    Tells whether it was queued again.
    """
    with tenant_scope(lease.tenant, actor=lease.actor):
        job = held(lease).select_for_update().first()
        if job is None:
            return False
        if job.attempt >= job.most_attempts:
            close(lease, JobState.FAILED, reason=reason)
            return False
        pause_seconds = settings.JOB_RETRY_SECONDS * 4 ** (job.attempt - 1)
        held(lease).update(
            state=JobState.QUEUED,
            reason=reason,
            lease_expires_at=None,
            sent_at=None,
            retry_at=seconds_from_now(pause_seconds),
        )
        return True


# -- care -----------------------------------------------------------------------------------------
def reap(tenant: Tenant) -> int:
    """Take back the jobs of workers that died: queue them again, or fail them at the end.

    Returns how many were found. A job whose row is locked is being published: its worker lives.
    """
    with tenant_scope(tenant, actor=Actor.system("reaper")):
        expired = Job.objects.select_for_update(skip_locked=True).filter(
            state=JobState.RUNNING, lease_expires_at__lt=ClockTimestamp()
        )
        jobs = list(expired)
        for job in jobs:
            lease = Lease(tenant=tenant, job_id=job.pk, fencing_token=job.fencing_token)
            if job.cancel_requested_at is not None:
                close(lease, JobState.CANCELLED, reason=_("Cancelled."))
                continue
            fail_or_retry(
                lease,
                _("The worker stopped answering (attempt %(attempt)d of %(most)d).")
                % {"attempt": job.attempt, "most": job.most_attempts},
            )
    for job in jobs:
        structlog.get_logger().warning("job_lease_expired", job=job.pk, tenant=tenant.slug)
    return len(jobs)


def sweep(tenant: Tenant) -> int:
    """Ring again for queued jobs without a recent message; return for how many.

    A message is recent for ``JOB_RESEND_SECONDS``: losing the broker delays work, never loses it.
    """
    with tenant_scope(tenant, actor=Actor.system("sweeper")):
        stale = Job.objects.filter(
            Q(sent_at=None) | Q(sent_at__lt=seconds_from_now(-settings.JOB_RESEND_SECONDS)),
            Q(retry_at=None) | Q(retry_at__lte=ClockTimestamp()),
            state=JobState.QUEUED,
        )
        waiting: dict[str, list[int]] = {}
        for job_id, queue in stale.order_by("id").values_list("id", "queue"):
            waiting.setdefault(queue, []).append(job_id)
    for queue, job_ids in waiting.items():
        if announce(tenant, queue, times=min(len(job_ids), RINGS_PER_SWEEP)):
            mark_sent(tenant, job_ids)
    return sum(map(len, waiting.values()))


def mark_sent(tenant: Tenant, job_ids: list[int]) -> None:
    """Remember that a doorbell was rung for these jobs."""
    with tenant_scope(tenant, actor=Actor.system("sweeper")):
        Job.objects.filter(pk__in=job_ids, state=JobState.QUEUED).update(sent_at=ClockTimestamp())
