"""A training by the clock first asks whether it pays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy

from forecasting.decisions.retraining import Evidence, Why, training_pays
from forecasting.models import ForecastSettings
from forecasting.queries.retraining import retraining_evidence
from forecasting.services.training_choices import engine_config
from tenancy.models import Job, JobState
from tenancy.services import audit
from tenancy.services.jobs import JobRun

IF_IT_PAYS = {"if_it_pays": True}
"""What a schedule tells its trainings; nobody else's ask."""
COMPARED = ("networks", "cleaning", "scaling", "seed", "tuned")
"""What a training is made of by choice; its limits of time are not."""
WORDS: Mapping[str, Any] = {
    Why.NO_NETWORK: gettext_lazy("no network was ever trained"),
    Why.CHOICES: gettext_lazy("another training was chosen"),
    Why.OLD: gettext_lazy("the last one has not seen the newest %(new_days)d days"),
    Why.MORE_HISTORY: gettext_lazy(
        "the last one learned from %(known_days)d days and there are %(new_days)d more"
    ),
    Why.NEW_SERIES: gettext_lazy("there are %(series)d series, the last one knew %(known_series)d"),
    Why.DRIFT: gettext_lazy("forecasts that have begun to drift since the last one: %(drifting)d"),
    Why.WORSE: gettext_lazy("forecasts have become worse since the last one"),
    Why.NOTHING_NEW: gettext_lazy(
        "less than a week of demand has come since the last one (%(new_days)d of 7 days)"
    ),
    Why.STILL_GOOD: gettext_lazy(
        "the last one has seen all but %(new_days)d days, and its forecasts have not become worse"
    ),
}


def decide_training(run: JobRun, known: ForecastSettings) -> dict[str, Any] | None:
    """Return why a training by the clock does not pay, as its job reports it; None: train.

    Call inside the tenant's scope.
    """
    if not run.payload.get("if_it_pays") or run.attempt > 1:
        return None  # a training that had begun when its worker was killed goes on
    evidence = retraining_evidence(_chosen(known))
    why = training_pays(evidence)
    facts = _facts(evidence)
    job = Job.objects.get(pk=run.job_id)
    audit.record("training.considered", job, why=why.value, **facts)
    return None if why.pays else {"kept": True, "why": why.value, "facts": facts}


def without_asking(job: Job) -> Job:
    """Have the clock's training that still waits take place whether it pays or not: it was wanted.

    One that runs has asked already.
    """
    if any(name in job.payload for name in IF_IT_PAYS):
        told = {name: value for name, value in job.payload.items() if name not in IF_IT_PAYS}
        if Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(payload=told):
            job.payload = told
    return job


def retraining_words(why: str, facts: Mapping[str, int]) -> str:
    """Return in words why a training pays or does not."""
    words = WORDS.get(why)
    return _("Reason: %(why)s") % {"why": why} if words is None else str(words) % dict(facts)


def _chosen(known: ForecastSettings) -> dict[str, Any]:
    """Return what a training would be made of, as JSON holds it."""
    config = engine_config(known).to_json()
    chosen: dict[str, Any] = json.loads(json.dumps({name: config[name] for name in COMPARED}))
    return chosen


def _facts(evidence: Evidence | None) -> dict[str, int]:
    if evidence is None:
        return {}
    names = ("new_days", "known_days", "series", "known_series", "drifting")
    return {name: getattr(evidence, name) for name in names}
