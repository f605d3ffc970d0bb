"""Make the demo ready to look at: data, networks, forecasts, suggestions, warnings.

Run again, it does what is missing, which after the first time is nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from forecasting.management.planning import PlanningCommand
from forecasting.queries.forecasts import latest_run
from forecasting.queries.series import latest_origin
from forecasting.queries.training import newest_network
from tenancy.models import Tenant
from tenancy.scope import Actor, tenant_scope

BUDGET_SECONDS = 120.0


class Command(PlanningCommand):
    help = "Load the demo companies, train, forecast, suggest and warn for each of them, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", help="prepare one company whose data is loaded")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo creates known passwords: it does not run in production.")
        if options["only"]:
            self._prepare(self.tenant(options["only"]))
            return
        self.stdout.write("Demo data")
        call_command("load_demo", stdout=self.stdout)
        tenants = list(Tenant.objects.filter(is_demo=True, is_active=True).order_by("slug"))
        waiting = [tenant for tenant in tenants if not _is_ready(tenant)]
        if waiting:
            self.stdout.write("Networks, forecasts, suggestions, warnings")
            self.stdout.flush()
            _side_by_side(waiting)

    def _prepare(self, tenant: Tenant) -> None:
        if not _is_trained(tenant):
            self.run_here(tenant, "train_network", {"budget_seconds": BUDGET_SECONDS})
        if not _is_ready(tenant):
            done = self.run_here(tenant, "run_planning", {}).result or {}
            self.stdout.write(
                f"  {tenant.name}: {done['series']} series forecast, "
                f"{done['suggestions_new'] + done['suggestions_kept']} suggestions, "
                f"{done['warnings_new'] + done['warnings_standing']} warnings"
            )
            self.run_here(tenant, "explain_forecasts", {})


def _is_trained(tenant: Tenant) -> bool:
    with tenant_scope(tenant, actor=Actor.system("demo")):
        return newest_network() is not None


def _is_ready(tenant: Tenant) -> bool:
    """Tell whether the company has a network and forecasts from its last day."""
    with tenant_scope(tenant, actor=Actor.system("demo")):
        run = latest_run()
        return (
            newest_network() is not None
            and run is not None
            and run.origin == latest_origin()
            and run.warnings.exists()
        )


def _side_by_side(tenants: list[Tenant]) -> None:
    """Prepare each company in a process of its own, so that two cores do two companies."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    # what Django checks was checked when this command began
    command = [*manage, "prepare_demo", "--skip-checks", "--only"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    processes = [
        subprocess.Popen([*command, tenant.slug], env=environment)  # noqa: S603  our own command
        for tenant in tenants
    ]
    try:
        failed = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.terminate()
    if any(failed):
        raise CommandError("A company could not be prepared: see above. Run prepare_demo again.")
