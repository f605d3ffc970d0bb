"""Addresses of forecasting's API, below ``/api/v1/<tenant>/``."""

from django.urls import path

from forecasting.api import (
    accuracy,
    explanations,
    forecasts,
    groups,
    risk,
    settings,
    signals,
    suggestions,
    training,
)

urlpatterns = [
    path("forecasts", forecasts.ForecastList.as_view()),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>",
        forecasts.ForecastDetail.as_view(),
    ),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>/explanation",
        explanations.Explanation.as_view(),
    ),
    path("accuracy", accuracy.AccuracyDetail.as_view()),
    path("overrides", accuracy.OverrideList.as_view()),
    path(
        "overrides/<int:forecast_override_id>/withdraw",
        accuracy.OverrideWithdrawal.as_view(),
    ),
    path("forecast-totals", groups.GroupList.as_view()),
    path("forecast-totals/<int:group_forecast_id>", groups.GroupDetail.as_view()),
    path("plan", forecasts.Planning.as_view()),
    path("suggestions", suggestions.SuggestionList.as_view()),
    path("suggestions/blocked", suggestions.BlockedNeedList.as_view()),
    path("suggestions/budget", suggestions.SuggestionBudget.as_view()),
    path("planning-settings", settings.PlanningSettingsDetail.as_view()),
    path("suggestions/accept", suggestions.SuggestionAcceptance.as_view()),
    path("suggestions/dismiss", suggestions.SuggestionDismissal.as_view()),
    path("suggestions/snooze", suggestions.SuggestionSnooze.as_view()),
    path("suggestions/<int:suggestion_id>", suggestions.SuggestionDetail.as_view()),
    path("warnings", risk.WarningList.as_view()),
    path("warnings/acknowledge", risk.WarningAcknowledgement.as_view()),
    path("warnings/snooze", risk.WarningSnooze.as_view()),
    path("warnings/assign", risk.WarningAssignment.as_view()),
    path("warnings/resolve", risk.WarningResolution.as_view()),
    path("signals", signals.SignalList.as_view()),
    path("signals/effects", signals.SignalEffects.as_view()),
    path("signals/<int:external_signal_id>", signals.SignalDetail.as_view()),
    path("signals/<int:external_signal_id>/values", signals.SignalValues.as_view()),
    path("signals/<int:external_signal_id>/remove", signals.SignalRemoval.as_view()),
    path("holidays", signals.Holidays.as_view()),
    path("networks", training.NetworkList.as_view()),
    path("networks/train", training.Training.as_view()),
    path("networks/limits", training.Limits.as_view()),
    path("networks/resume/<int:job_id>", training.TrainingResumption.as_view()),
    path("networks/<int:network_id>", training.NetworkDetail.as_view()),
    path("networks/<int:network_id>/roll-back", training.NetworkRollBack.as_view()),
]
