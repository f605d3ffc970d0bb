"""Print how to sign in to the demo; `make demo` ends with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from forecasting.demo.people import PASSWORD, create_people
from forecasting.demo.trades import TRADES
from tenancy.models import Tenant


class Command(BaseCommand):
    help = "Print the sign-ins of the demo's people (for trying Stockcast out)."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's people have known passwords: none are in production.")
        tenants = {tenant.slug: tenant for tenant in Tenant.objects.filter(is_demo=True)}
        companies = [(trade, tenants[trade.slug]) for trade in TRADES if trade.slug in tenants]
        if not companies:
            raise CommandError("There is no demo company yet: run load_demo first.")
        self.stdout.write(f"    Sign in with the password  {PASSWORD}  as")
        for sign_in in create_people(companies):
            self.stdout.write(f"    {sign_in.email:<36} {sign_in.what}")
