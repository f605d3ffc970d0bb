"""What the jobs of forecasting say at their end."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _, ngettext

from forecasting.models import NetworkState
from forecasting.services import (
    accuracy,
    digest,
    explanations,
    forecasts,
    replenishment,
    risk,
    signal_files,
    training,
    tuning,
)
from forecasting.services.retraining import retraining_words
from forecasting.services.wrong_rows import more_wrong
from tenancy.services.job_outcomes import Outcome, describes

NETWORKS = "forecasting:network_list"


@describes(training.KIND)
def training_outcome(result: dict[str, Any]) -> Outcome:
    """Say whether the network serves, and if not, why."""
    if result.get("kept"):
        why = retraining_words(result["why"], result["facts"])
        return Outcome((_("Nothing was trained: %(why)s.") % {"why": why},), NETWORKS)
    number = result.get("number", 0)
    if result.get("state") == NetworkState.REJECTED:
        sentence = _("Network %(number)d did not pass the gate.") % {"number": number}
        sentences: tuple[str, ...] = (sentence, str(result.get("gate_reason", "")))
    else:
        sentences = (_("Network %(number)d was published and now serves.") % {"number": number},)
    told = tuple(filter(None, sentences))
    if "network" not in result:
        return Outcome(told, NETWORKS)
    return Outcome(told, "forecasting:network_detail", {"network_id": result["network"]})


@describes(tuning.KIND)
def tuning_outcome(result: dict[str, Any]) -> Outcome:
    """Say how many settings were tried, and that the best can be used."""
    count = len(result.get("trials", []))
    sentence = ngettext(
        "%(count)d choice of settings was tried.",
        "%(count)d choices of settings were tried.",
        count,
    )
    return Outcome((sentence % {"count": count},), "forecasting:tuning")


@describes(signal_files.KIND)
def signal_import_outcome(result: dict[str, Any]) -> Outcome:
    """Say what came in, and which rows were left out."""
    created, values = result.get("signals_created", 0), result.get("values_set", 0)
    signals = ngettext("%(count)s new signal", "%(count)s new signals", created)
    days = ngettext("%(count)s value of a day", "%(count)s values of days", values)
    told = [f"{signals % {'count': f'{created:,}'}}, {days % {'count': f'{values:,}'}}."]
    bad = result.get("bad_rows", 0)
    if bad:
        text = ngettext("%(count)d row was left out.", "%(count)d rows were left out.", bad)
        told.append(text % {"count": bad})
        problems = result.get("problems", [])
        told += problems
        if bad > len(problems):
            told.append(more_wrong(bad - len(problems)))
    return Outcome(tuple(told), "forecasting:signal_list")


@describes(digest.KIND)
def digest_outcome(result: dict[str, Any]) -> Outcome:
    """Say how many members were written to."""
    count = result.get("digests_sent", 0)
    sentence = ngettext("%(count)d digest was sent.", "%(count)d digests were sent.", count)
    return Outcome((sentence % {"count": count},), "forecasting:warning_list")


@describes(forecasts.KIND, forecasts.PLANNING_KIND, replenishment.KIND, risk.KIND)
def planning_outcome(result: dict[str, Any]) -> Outcome:
    """Say how much was forecast, suggested and warned of; each step adds its own figures."""
    sentences: list[str] = []
    page = "forecasting:forecast_list"
    if "series" in result:
        count = result["series"]
        sentences.append(
            ngettext("%(count)d series was forecast.", "%(count)d series were forecast.", count)
            % {"count": count}
        )
    if "suggestions_new" in result:
        page = "forecasting:suggestion_list"
        sentences.append(
            _("Suggestions: %(new)d new, %(kept)d kept, %(gone)d no longer needed.")
            % {
                "new": result["suggestions_new"],
                "kept": result.get("suggestions_kept", 0),
                "gone": result.get("suggestions_superseded", 0),
            }
        )
        sentences += _blocked(result.get("blocked", {}))
    if "warnings_new" in result:
        page = page if "suggestions_new" in result else "forecasting:warning_list"
        sentences.append(
            _("Warnings: %(new)d new, %(standing)d still standing, %(resolved)d resolved.")
            % {
                "new": result["warnings_new"],
                "standing": result.get("warnings_standing", 0),
                "resolved": result.get("warnings_resolved", 0),
            }
        )
    return Outcome(tuple(sentences), page)


@describes(accuracy.KIND)
def accuracy_outcome(result: dict[str, Any]) -> Outcome:
    """Say how many weeks of stored forecasts were compared with demand."""
    count = result.get("weeks_scored", 0)
    text = ngettext("%(count)d week was scored.", "%(count)d weeks were scored.", count)
    return Outcome((text % {"count": count},), "forecasting:accuracy_detail")


@describes(explanations.KIND)
def explanation_outcome(result: dict[str, Any]) -> Outcome:
    """Say how many forecasts were taken apart."""
    count = result.get("explained", 0)
    text = ngettext(
        "%(count)d forecast was explained.", "%(count)d forecasts were explained.", count
    )
    return Outcome((text % {"count": count},), "forecasting:forecast_list")


def _blocked(blocked: dict[str, int]) -> list[str]:
    count = sum(blocked.values())
    if not count:
        return []
    sentence = ngettext(
        "%(count)d product could not be decided on.",
        "%(count)d products could not be decided on.",
        count,
    )
    return [sentence % {"count": count}]
