"""``manage.py forecast --tenant T``."""

from __future__ import annotations

from forecasting.management.planning import PlanningCommand


class Command(PlanningCommand):
    help = "Forecast every series of a tenant in this process."
    kind = "make_forecasts"
