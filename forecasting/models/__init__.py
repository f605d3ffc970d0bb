"""Forecasting tables. A model is a table; a network is what was trained."""

from forecasting.models.explanations import ForecastExplanation
from forecasting.models.forecasts import ForecastRun, SeriesForecast
from forecasting.models.replenishment import ReorderSuggestion, SuggestionState
from forecasting.models.risk import RiskKind, RiskWarning, WarningState
from forecasting.models.signals import ExternalSignal, SignalKind, SignalValue
from forecasting.models.training import NetworkState, TrainedNetwork

__all__ = [
    "ExternalSignal",
    "ForecastExplanation",
    "ForecastRun",
    "NetworkState",
    "ReorderSuggestion",
    "RiskKind",
    "RiskWarning",
    "SeriesForecast",
    "SignalKind",
    "SignalValue",
    "SuggestionState",
    "TrainedNetwork",
    "WarningState",
]
