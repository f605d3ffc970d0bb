"""What the planning commands share: a tenant by its slug, a job run here, its progress as lines."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from forecasting.management.saying import SayingCommand
from tenancy.models import Job, JobState, Tenant
from tenancy.queries.tenants import find_tenant
from tenancy.services.jobs import JobBusy, run_job_here

SECONDS_BETWEEN_LINES = 3.0


class PlanningCommand(SayingCommand):
    """Runs one job of one tenant in this process and prints how it goes."""

    kind = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the tenant's name in the address")

    def handle(self, *args: Any, **options: Any) -> None:
        job = self.run_here(self.tenant(options["tenant"]), self.kind, self.payload(options))
        for name, value in (job.result or {}).items():
            self.stdout.write(f"  {name}: {value}")

    def payload(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what the job is told."""
        return {}

    def tenant(self, slug: str) -> Tenant:
        """Return the active tenant of that name."""
        tenant = find_tenant(slug)
        if tenant is None:
            raise CommandError(f"There is no active tenant {slug!r}.")
        return tenant

    def run_here(self, tenant: Tenant, kind: str, payload: dict[str, Any]) -> Job:
        """Run the job to its end; a job that does not end well is an error of the command."""
        shown_at = 0.0
        shown = ""

        def report(done: int, total: int, message: str) -> None:
            nonlocal shown_at, shown
            now = time.monotonic()
            is_new = message.partition(" ")[0] != shown.partition(" ")[0]
            if is_new or now - shown_at >= SECONDS_BETWEEN_LINES:
                shown_at, shown = now, message
                percent = 100 * done // total if total else 0
                self.say(f"  {tenant.name}: {percent:3d} %, {message}")

        try:
            job = run_job_here(tenant=tenant, kind=kind, payload=payload, report=report)
        except JobBusy as busy:
            raise CommandError("A training of this tenant is running already.") from busy
        if job.state != JobState.DONE:
            raise CommandError(f"{tenant.name}: {job.get_state_display()}. {job.reason}")
        return job
