"""Forecasting tables. A model is a table; a network is what was trained."""

from forecasting.models.accuracy import AccuracySum
from forecasting.models.buffers import BufferSuggestion
from forecasting.models.compute import ComputeCost, ForecastSettings, MissingDays, Scaling
from forecasting.models.embeddings import ProductEmbedding
from forecasting.models.explanations import ForecastExplanation
from forecasting.models.forecasts import ForecastRun, SeriesForecast
from forecasting.models.groups import GroupForecast
from forecasting.models.overrides import ForecastOverride, OverrideKind, OverrideState
from forecasting.models.replenishment import (
    BlockedNeed,
    PlanningSettings,
    ReorderSuggestion,
    SuggestionSource,
    SuggestionState,
)
from forecasting.models.risk import RiskKind, RiskWarning, WarningDigest, WarningState
from forecasting.models.segments import SegmentForecast
from forecasting.models.signals import ExternalSignal, SignalKind, SignalValue
from forecasting.models.training import NetworkState, TrainedNetwork

__all__ = [
    "AccuracySum",
    "BlockedNeed",
    "BufferSuggestion",
    "ComputeCost",
    "ExternalSignal",
    "ForecastExplanation",
    "ForecastOverride",
    "ForecastRun",
    "ForecastSettings",
    "GroupForecast",
    "MissingDays",
    "NetworkState",
    "OverrideKind",
    "OverrideState",
    "PlanningSettings",
    "ProductEmbedding",
    "ReorderSuggestion",
    "RiskKind",
    "RiskWarning",
    "Scaling",
    "SegmentForecast",
    "SeriesForecast",
    "SignalKind",
    "SignalValue",
    "SuggestionSource",
    "SuggestionState",
    "TrainedNetwork",
    "WarningDigest",
    "WarningState",
]
