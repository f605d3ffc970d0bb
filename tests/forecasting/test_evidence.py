"""Evidence of warnings in words: every kind of finding has them, with the numbers it brings."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from django.template import Context, Template
from structlog.testing import capture_logs

from forecasting.decisions.order_risk import LateOrderRisk
from forecasting.decisions.risk import RiskFinding, RiskKind as FindingKind, SuggestedAction
from forecasting.decisions.sales_risk import SalesSpike
from forecasting.decisions.surplus_risk import ExcessRisk, ExpiryRisk
from forecasting.models import RiskWarning
from forecasting.services import risk_search
from forecasting.templatetags.evidence import EvidenceUnknown, evidence_sentence
from inventory.models import Product
from tenancy.templatetags.formats import DASH

SAMPLES = {"int": 3, "float": 2.5, "str": "PO-7", "float | None": 2.5}


def kinds_of_findings(base: type[RiskFinding] = RiskFinding) -> list[type[RiskFinding]]:
    found = [base] if "kind" in vars(base) else []
    return found + [one for child in base.__subclasses__() for one in kinds_of_findings(child)]


def warn(kind: type[RiskFinding], **changed: Any) -> RiskWarning:
    """A warning as the search for risks makes it of a finding of this kind."""
    values: dict[str, Any] = {}
    for one in fields(kind):
        name = one.type if isinstance(one.type, str) else getattr(one.type, "__name__", "")
        values[one.name] = SAMPLES.get(name or str(one.type), 2.5)
    finding = kind(**values | {"key": "1:1", "action": SuggestedAction.EXPEDITE} | changed)
    evidence = risk_search._plain(dict(finding.evidence)) | {"finding": str(finding.kind)}
    return RiskWarning(
        kind=risk_search.KINDS[finding.kind],
        product=Product(base_unit="pcs"),
        evidence=evidence,
    )


def test_every_kind_of_finding_has_a_sentence_that_its_numbers_fill() -> None:
    kinds = kinds_of_findings()
    assert {kind.kind for kind in kinds} == set(FindingKind)
    for kind in kinds:
        told = evidence_sentence(warn(kind), "EUR")
        assert "pcs" in told
        assert "%(" not in told
        assert DASH not in told  # a number that is not known


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.update(finding="meteor"),
        lambda found: found.pop("finding"),
        lambda found: found.pop("short_units"),
    ],
)
def test_what_has_no_words_is_refused_logged_and_said_to_the_reader(spoil: Any) -> None:
    warning = warn(LateOrderRisk)
    spoil(warning.evidence)
    with pytest.raises(EvidenceUnknown):
        evidence_sentence(warning, "EUR")
    with capture_logs() as logs:
        page = Template("{% load evidence %}{% evidence row %}").render(Context({"row": warning}))
    assert [one["event"] for one in logs] == ["evidence_unknown"]
    assert "recorded by another version" in page


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        (
            LateOrderRisk,
            {"age_days": 1, "promised_days": 1, "expected_days_late": 1.04, "probability": 1.0},
            "promised after 1 day: late with a probability of 100%, by about 1 day; 2.5 pcs would",
        ),
        (
            LateOrderRisk,
            {"age_days": 0, "promised_days": 5, "probability": 0.5},
            "ordered today and promised after 5 days: late with a probability of 50%, by about 2.5",
        ),
        (LateOrderRisk, {"age_days": 1}, "ordered 1 day ago"),
        # days out of stock and closed days count on neither side
        (SalesSpike, {"days": 7, "days_seen": 1}, "pcs in 1 day where"),
        (ExcessRisk, {"cover_days": None}, "and none are expected to sell."),
        (ExcessRisk, {"cover_days": 1.0}, "all of it lasts 1 day."),
        (ExpiryRisk, {"days_left": 1}, "within the 1 day left."),
        (ExpiryRisk, {"days_left": 0}, "will not sell today, the last day."),
    ],
)
def test_one_is_told_as_one_and_nothing_as_nothing(
    kind: type[RiskFinding], changed: dict[str, Any], words: str
) -> None:
    assert words in evidence_sentence(warn(kind, **changed), "EUR")
