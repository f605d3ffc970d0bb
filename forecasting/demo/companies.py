"""The simulated companies as tenants: created once, loaded in a process of its own each."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils import timezone

from forecasting.demo.floor import open_floor
from forecasting.demo.loading import ACTOR, Evening, load_trade
from forecasting.demo.specs import Trade
from forecasting.demo.trades import TRADES
from tenancy.models import Tenant
from tenancy.queries.tenants import find_tenant
from tenancy.services.tenants import TenantFields, create_tenant

SECONDS_BETWEEN_LINES = 5.0
SLUGS = tuple(company.slug for company in TRADES)


def companies() -> list[tuple[Trade, Tenant]]:
    """Return every simulated company with its tenant, created where it is missing."""
    return [(company, _tenant(company)) for company in TRADES]


def find_company(slug: str) -> tuple[Trade, Tenant]:
    """Return a simulated company with its tenant by its name in the address."""
    return next((company, _tenant(company)) for company in TRADES if company.slug == slug)


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


def load_company(
    company: Trade,
    tenant: Tenant,
    say: Callable[[str], None],
    *,
    through: dt.date | None = None,
    on_evening: Evening | None = None,
) -> None:
    """Load what is missing of a company's trading through a day (yesterday), and open its floor."""
    shown = time.monotonic()

    def show(done: int, total: int, day: str) -> None:
        nonlocal shown
        if time.monotonic() - shown >= SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            say(f"  {tenant.name}: {100 * done // total:3d} %, traded to {day}")

    today = dt.datetime.now(zoneinfo.ZoneInfo(company.time_zone)).date()
    last = through or today - dt.timedelta(days=1)
    added = load_trade(company, tenant, through=last, progress=show, on_evening=on_evening)
    open_floor(tenant, ACTOR, timezone.now())
    say(f"  {tenant.name}: {added} simulated days loaded")


def side_by_side(command: str, slugs: Sequence[str], *words: str) -> bool:
    """Run a command with ``--only`` for each company in a process of its own; tell if all ended."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    # what Django checks was checked when this command began
    argv = [*manage, command, "--skip-checks", *words, "--only"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    processes = [
        subprocess.Popen([*argv, slug], env=environment)  # noqa: S603  our own command
        for slug in slugs
    ]
    try:
        failed = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.terminate()
    return not any(failed)
