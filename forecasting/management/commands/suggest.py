"""``manage.py suggest --tenant T``."""

from __future__ import annotations

from forecasting.management.planning import PlanningCommand


class Command(PlanningCommand):
    help = "Suggest what a tenant should order, in this process."
    kind = "make_suggestions"
