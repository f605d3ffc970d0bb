"""Load two simulated companies. Run again, it finishes what is missing and changes nothing else."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
import zoneinfo
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting.demo.floor import open_floor
from forecasting.demo.loading import ACTOR, load_trade
from forecasting.demo.people import PASSWORD, create_people
from forecasting.demo.specs import Trade
from forecasting.demo.trades import TRADES
from tenancy.models import Tenant
from tenancy.queries.tenants import find_tenant
from tenancy.services.tenants import TenantFields, create_tenant

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    help = "Load two simulated companies with two years of trading (for trying Stockcast out)."

    def add_arguments(self, parser: CommandParser) -> None:
        slugs = [company.slug for company in TRADES]
        parser.add_argument("--only", choices=slugs, help="load one company")
        parser.add_argument(
            "--through", type=dt.date.fromisoformat, help="last day, default: yesterday"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo creates known passwords: it does not run in production.")
        companies = [(company, _tenant(company)) for company in TRADES]
        if options["only"]:
            [(company, tenant)] = [c for c in companies if c[0].slug == options["only"]]
            self._load(company, tenant, options["through"])
            return
        sign_ins = create_people(companies)
        self._load_side_by_side(options["through"])
        for sign_in in sign_ins:
            self.stdout.write(f"  {sign_in.email:<30} {PASSWORD}   {sign_in.what}")

    def _load_side_by_side(self, through: dt.date | None) -> None:
        """Load each company in a process of its own: they share nothing."""
        last_day = ["--through", through.isoformat()] if through else []
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        # what Django checks was checked when this command began
        command = [*manage, "load_demo", "--skip-checks", *last_day]
        processes = [
            subprocess.Popen([*command, "--only", c.slug])  # noqa: S603  our own command
            for c in TRADES
        ]
        try:
            failed = [process.wait() for process in processes]
        finally:
            for process in processes:
                process.terminate()
        if any(failed):
            raise CommandError("A company could not be loaded: see above. Run load_demo again.")

    def _load(self, company: Trade, tenant: Tenant, through: dt.date | None) -> None:
        begin = time.monotonic()
        shown = begin

        def show(done: int, total: int, day: str) -> None:
            nonlocal shown
            if time.monotonic() - shown >= SECONDS_BETWEEN_LINES:
                shown = time.monotonic()
                self.stdout.write(f"  {tenant.name}: {100 * done // total:3d} %, traded to {day}")
                self.stdout.flush()

        today = dt.datetime.now(zoneinfo.ZoneInfo(company.time_zone)).date()
        last = through or today - dt.timedelta(days=1)
        added = load_trade(company, tenant, through=last, progress=show)
        open_floor(tenant, ACTOR, timezone.now())
        seconds = time.monotonic() - begin
        self.stdout.write(f"  {tenant.name}: {added} simulated days loaded in {seconds:.0f} s")


def _tenant(company: Trade) -> Tenant:
    fields = TenantFields(
        slug=company.slug,
        name=company.name,
        time_zone=company.time_zone,
        currency=company.currency,
        country=company.country,
        is_demo=True,
    )
    return find_tenant(company.slug) or create_tenant(fields=fields)
