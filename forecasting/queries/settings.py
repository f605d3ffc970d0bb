"""What planning reckons with."""

from __future__ import annotations

from forecasting.models import PlanningSettings


def planning_settings() -> PlanningSettings:
    """Return the tenant's settings, the defaults where nothing was said."""
    return PlanningSettings.objects.first() or PlanningSettings()
