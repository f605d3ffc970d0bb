"""What training and forecasts read of a panel: what was known at an origin, cleaned."""

from datetime import date

from forecasting.pipeline.cleaning import CleaningConfig, clean
from forecasting.pipeline.closures import find_closures, without_closed_days
from forecasting.pipeline.series import SeriesPanel


def known_at(
    panel: SeriesPanel, origin: date, horizon: int, cleaning: CleaningConfig
) -> SeriesPanel:
    """Return what is known at the end of `origin`: closed days unseen, the rest as `cleaning` says.

    Later days play no part in it; see `SeriesPanel.up_to`.
    """
    known = panel.up_to(origin, horizon)
    return clean(without_closed_days(known, find_closures(known)), cleaning)
