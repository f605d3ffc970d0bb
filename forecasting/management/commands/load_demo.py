"""Load two simulated companies. Run again, it finishes what is missing and changes nothing else."""

from __future__ import annotations

import datetime as dt
import time
import zoneinfo
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecasting.demo.loading import load_trade
from forecasting.demo.people import PASSWORD, create_people
from forecasting.demo.trades import TRADES, Trade
from tenancy.models import Tenant


class Command(BaseCommand):
    help = "Load two simulated companies with two years of trading (for trying Stockcast out)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--through", type=dt.date.fromisoformat, help="last day, default: yesterday"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo creates known passwords: it does not run in production.")
        companies = [(company, _tenant(company)) for company in TRADES]
        sign_ins = create_people(companies)
        for company, tenant in companies:
            self._load(company, tenant, options["through"])
        for sign_in in sign_ins:
            self.stdout.write(f"  {sign_in.email:<36} {PASSWORD}   {sign_in.what}")

    def _load(self, company: Trade, tenant: Tenant, through: dt.date | None) -> None:
        begin = time.monotonic()
        today = dt.datetime.now(zoneinfo.ZoneInfo(company.time_zone)).date()

        def show(done: int, total: int, day: str) -> None:
            self.stdout.write(f"  {tenant.name}: {day}  {100 * done // total:3d} %", ending="\r")
            self.stdout.flush()

        last = through or today - dt.timedelta(days=1)
        added = load_trade(company, tenant, through=last, progress=show)
        seconds = time.monotonic() - begin
        self.stdout.write(
            f"  {tenant.name}: {added} simulated days loaded in {seconds:.0f} s" + " " * 12
        )


def _tenant(company: Trade) -> Tenant:
    tenant, _created = Tenant.objects.get_or_create(
        slug=company.slug,
        defaults={
            "name": company.name,
            "time_zone": company.time_zone,
            "currency": company.currency,
            "country": company.country,
            "is_demo": True,
        },
    )
    return tenant
