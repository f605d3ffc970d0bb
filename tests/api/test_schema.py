"""The OpenAPI schema: committed, current, free of warnings, and true."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, settings as hypothesis_settings

from tests.api.calls import key_of
from tests.cast import make_house

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yaml"
EXAMPLES = 25 if os.environ.get("STOCKCAST_LONG") else 3


def test_the_committed_schema_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--file", str(fresh), "--validate", "--fail-on-warn")
    remedy = "run: manage.py spectacular --validate --file docs/openapi.yaml"
    assert fresh.read_text() == COMMITTED.read_text(), remedy


def test_schema_and_docs_are_served(db: None) -> None:
    served = Client().get("/api/schema/")
    assert served.status_code == 200
    assert served.content.decode() == COMMITTED.read_text()
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    assert b"cdn" not in page.content.lower()


def test_operation_ids_are_unique_and_speak(db: None) -> None:
    paths: dict[str, Any] = schemathesis.openapi.from_path(COMMITTED).raw_schema["paths"]
    names = [
        operation["operationId"] for methods in paths.values() for operation in methods.values()
    ]
    assert len(names) == len(set(names)) > 40
    verbs = {name.partition("_")[0] for name in names}
    assert not {"v1", "api"} & verbs, verbs


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fuzzing_finds_no_error_of_ours_and_no_answer_the_schema_does_not_know(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few examples of every operation, made from the schema, against the real application."""
    settings.API_CALLS_PER_MINUTE = settings.API_TENANT_CALLS_PER_MINUTE = 1_000_000
    headers = {"Authorization": f"Bearer {key_of(make_house('north'))}"}
    schema = schemathesis.openapi.from_path(COMMITTED)
    schema.app = get_wsgi_application()
    checks = [
        schemathesis.checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        tried += _fuzz(operation, headers, checks)
    assert tried > 40


def _fuzz(operation: Any, headers: dict[str, str], checks: list[Any]) -> int:
    from hypothesis import given

    @given(case=operation.as_strategy())
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def knock(case: Any) -> None:
        case.path_parameters["tenant"] = "north"
        case.call_and_validate(headers=headers, checks=checks)

    knock()
    return 1
