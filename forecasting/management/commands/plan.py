"""``manage.py plan --tenant T``."""

from __future__ import annotations

from forecasting.management.planning import PlanningCommand


class Command(PlanningCommand):
    help = "Forecast, suggest orders and look for risks of a tenant, in this process."
    kind = "run_planning"
