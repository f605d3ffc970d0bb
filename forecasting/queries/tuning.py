"""Searches for better settings as they are shown: trials with their losses, the best marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forecasting.models import ForecastSettings
from tenancy.models import Job, JobState

KIND = "tune_network"
TUNABLE = ("lstm", "mlp", "gru", "cnn", "rnn")
"""What can be tuned; the first is what most tenants are served by."""
SHOWN = 10


@dataclass(frozen=True)
class TrialShown:
    """One choice of settings and what it came to; gain: loss saved against the first trial."""

    number: int
    settings: dict[str, float | int]
    state: str
    loss: float | None
    epochs: int
    cpu_seconds: float
    gain: float | None
    is_best: bool

    @property
    def label(self) -> int:
        return self.number + 1


def tunable(known: ForecastSettings) -> list[str]:
    """Return the networks that can be tuned and take part in the tenant's trainings."""
    return [name for name in TUNABLE if name in known.networks]


def tuned_settings(known: ForecastSettings) -> dict[str, dict[str, Any]]:
    """Return what searches found for the networks that take part: the next training uses it."""
    return {name: one for name, one in sorted(known.tuned.items()) if name in known.networks}


def searches() -> list[Job]:
    """Return the newest searches, the newest first."""
    return list(Job.objects.filter(kind=KIND).order_by("-id")[:SHOWN])


def read_trials(job: Job) -> list[TrialShown]:
    """Return the trials of a search, of its result or as far as it has come."""
    stored: list[dict[str, Any]] = (job.result or {}).get("trials") or job.progress_detail.get(
        "trials", []
    )
    losses = {one["number"]: min(one["losses"], default=None) for one in stored}
    complete = [one["number"] for one in stored if one["state"] == "complete" and one["losses"]]
    best = min(complete, key=lambda number: losses[number] or 0, default=None)
    usual = losses.get(0)
    return [
        TrialShown(
            number=one["number"],
            settings=one["settings"],
            state=one["state"],
            loss=losses[one["number"]],
            epochs=len(one["losses"]),
            cpu_seconds=one["cpu_seconds"],
            gain=_gain(losses[one["number"]], usual),
            is_best=one["number"] == best,
        )
        for one in stored
    ]


def _gain(loss: float | None, usual: float | None) -> float | None:
    return 1 - loss / usual if loss is not None and usual else None


def is_open(job: Job | None) -> bool:
    """Tell whether a search waits or runs."""
    return job is not None and job.state in JobState.open()
