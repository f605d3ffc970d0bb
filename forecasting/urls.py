"""Pages of forecasting, below /t/<tenant>/."""

from django.urls import path

from forecasting.pages import (
    accuracy,
    budget,
    channels,
    dashboard,
    explanations,
    forecasts,
    overrides,
    risk,
    scorecard,
    settings,
    stock_cycle,
    suggestions,
    training,
    what_if,
)

app_name = "forecasting"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("plan", forecasts.plan_now, name="plan_now"),
    path("forecasts/", forecasts.forecast_list, name="forecast_list"),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>/",
        forecasts.forecast_detail,
        name="forecast_detail",
    ),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>/explanation",
        explanations.explanation_detail,
        name="explanation_detail",
    ),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>/explain",
        explanations.explain_now,
        name="explain_now",
    ),
    path(
        "forecasts/<int:product_id>/<int:warehouse_id>/override",
        overrides.override_create,
        name="override_create",
    ),
    path(
        "overrides/<int:forecast_override_id>/withdraw",
        overrides.override_withdraw,
        name="override_withdraw",
    ),
    path("accuracy/", accuracy.accuracy_detail, name="accuracy_detail"),
    path("accuracy/csv", accuracy.accuracy_export, name="accuracy_export"),
    path("products/<int:product_id>/forecast", forecasts.product_forecast, name="product_forecast"),
    path("suggestions/", suggestions.suggestion_list, name="suggestion_list"),
    path("suggestions/blocked/", suggestions.blocked_list, name="blocked_list"),
    path("suggestions/budget/", budget.budget_page, name="budget"),
    path("planning/settings/", settings.planning_settings, name="planning_settings"),
    path("suggestions/decide", suggestions.suggestions_decide, name="suggestions_decide"),
    path(
        "suggestions/<int:suggestion_id>/",
        suggestions.suggestion_detail,
        name="suggestion_detail",
    ),
    path("what-if/", what_if.what_if, name="what_if"),
    path("suppliers/scorecard/", scorecard.scorecard, name="scorecard"),
    path("stock-cycle/", stock_cycle.stock_cycle, name="stock_cycle"),
    path("channel-demand/", channels.channel_demand, name="channel_demand"),
    path("warnings/", risk.warning_list, name="warning_list"),
    path("warnings/digest", risk.digest_choose, name="digest_choose"),
    path("warnings/quality/", risk.warning_quality, name="warning_quality"),
    path("warnings/decide", risk.warnings_decide, name="warnings_decide"),
    path("networks/", training.network_list, name="network_list"),
    path("networks/train", training.train_now, name="train_now"),
    path("networks/progress", training.training_progress, name="training_progress"),
    path("networks/<int:network_id>/", training.network_detail, name="network_detail"),
    path(
        "networks/<int:network_id>/roll-back",
        training.network_roll_back,
        name="network_roll_back",
    ),
]
