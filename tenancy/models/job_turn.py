"""Whose turn it is: one row a queue and tenant, so that claiming work never scans every tenant.

Deliberately outside row level security (a worker reads it before any tenant is chosen), so it holds
nothing of a tenant but its number and two times. A hint only: the ``Job`` rows are the truth.
"""

from __future__ import annotations

from django.db import models

from tenancy.models.job import JobQueue
from tenancy.models.tenant import Tenant


class JobTurn(models.Model):
    queue = models.CharField(max_length=16, choices=JobQueue.choices)
    served_tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    is_waiting = models.BooleanField(default=True)
    rung_at = models.DateTimeField(help_text="When work was last announced.")
    served_at = models.DateTimeField(null=True, help_text="When a job was last started.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "served_tenant"], name="job_turn_unique")
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.served_tenant_id}"
