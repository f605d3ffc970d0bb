"""Make the demo ready to look at: data, networks, forecasts, suggestions, warnings.

A company's trading stops on the evenings of its last weeks: a network is trained on the first of
them and forecasts are made on each, with what was known then, so that the page of accuracy has
forecasts to compare. Run again, it does what is missing, which after the first time is nothing.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from forecasting.demo.companies import SLUGS, companies, find_company, load_company, side_by_side
from forecasting.demo.people import create_people
from forecasting.demo.planner import change_forecasts
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
        parser.add_argument("--only", choices=SLUGS, help="prepare one company")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo creates known passwords: it does not run in production.")
        if options["only"]:
            self._prepare(options["only"])
            return
        everyone = companies()
        create_people(everyone)
        waiting = [company.slug for company, tenant in everyone if not _is_ready(tenant)]
        if waiting and not side_by_side("prepare_demo", waiting):
            raise CommandError("A company could not be prepared: see above. Run it again.")

    def _prepare(self, slug: str) -> None:
        company, tenant = find_company(slug)
        load_company(company, tenant, self.say, on_evening=partial(self._plan_evening, tenant))
        self._train_once(tenant)
        if not _is_ready(tenant):
            done = self.run_here(tenant, "run_planning", {}).result or {}
            self.say(
                f"  {tenant.name}: {done['series']} series forecast, "
                f"{done['suggestions_new'] + done['suggestions_kept']} suggestions, "
                f"{done['warnings_new'] + done['warnings_standing']} warnings"
            )
            self.run_here(tenant, "explain_forecasts", {})

    def _plan_evening(self, tenant: Tenant, days_left: int) -> None:
        """Forecast as on an evening when the days left were still to come."""
        self._train_once(tenant)
        if not _is_forecast(tenant):
            self.run_here(tenant, "make_forecasts", {})
        change_forecasts(tenant, days_left)

    def _train_once(self, tenant: Tenant) -> None:
        with tenant_scope(tenant, actor=Actor.system("demo")):
            trained = newest_network() is not None
        if not trained:
            self.run_here(tenant, "train_network", {"budget_seconds": BUDGET_SECONDS})


def _is_forecast(tenant: Tenant) -> bool:
    """Tell whether there are forecasts from the last day known."""
    with tenant_scope(tenant, actor=Actor.system("demo")):
        run = latest_run()
        return run is not None and run.origin == latest_origin()


def _is_ready(tenant: Tenant) -> bool:
    """Tell whether the company has a network, forecasts from its last day and warnings."""
    with tenant_scope(tenant, actor=Actor.system("demo")):
        run = latest_run()
        return (
            newest_network() is not None
            and run is not None
            and run.origin == latest_origin()
            and run.warnings.exists()
        )
