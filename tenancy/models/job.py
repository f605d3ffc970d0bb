"""Jobs: long work as rows. The row is the truth; Celery only carries the doorbell."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.models.base import TenantOwned


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list[JobState]:
        """Return the states that still want work."""
        return [cls.QUEUED, cls.RUNNING]


class JobQueue(models.TextChoices):
    DEFAULT = "default", _("Short work")
    TRAINING = "training", _("Training")


class Job(TenantOwned):
    """``fencing_token`` grows with every lease: whose lease was taken over can publish nothing."""

    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=16, choices=JobQueue.choices, default=JobQueue.DEFAULT)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    payload = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    reason = models.TextField(blank=True, help_text="Why it failed or was cancelled, for people.")
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    progress_message = models.CharField(max_length=200, blank=True)
    progress_detail = models.JSONField(default=dict, help_text="Live figures, e.g. the loss curve.")
    attempt = models.PositiveSmallIntegerField(default=0)
    most_attempts = models.PositiveSmallIntegerField(default=3)
    fencing_token = models.BigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_by_label = models.CharField(max_length=160, blank=True)
    schedule_key = models.CharField(
        max_length=80,
        null=True,
        help_text="Kind and period of a scheduled job: two beats start it once.",
    )
    queued_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(
        null=True, help_text="Not before this instant, after a failure."
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "schedule_key"], name="job_schedule_once"),
            models.UniqueConstraint(
                fields=["tenant", "queue"],
                condition=models.Q(queue="training", state="running"),
                name="job_one_running_training",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="job_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "queue", "id"], name="job_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"

    @property
    def progress_percent(self) -> int:
        """Whole percent done, 0 to 100."""
        if self.state == JobState.DONE:
            return 100
        return (
            min(100, 100 * self.progress_done // self.progress_total) if self.progress_total else 0
        )
