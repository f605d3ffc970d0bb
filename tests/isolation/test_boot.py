"""Web and workers refuse to start on a database that would not keep tenants apart."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from tenancy import database
from tenancy.database import FencesDown, refuse_without_fences


@pytest.mark.django_db(transaction=True)
def test_with_the_fences_up_nothing_is_said() -> None:
    refuse_without_fences()


@pytest.mark.django_db(transaction=True)
def test_a_fault_stops_the_boot_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "isolation_faults", lambda: ["table x lacks a policy"])
    with pytest.raises(FencesDown, match="table x lacks a policy"):
        refuse_without_fences()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_there_yet_does_not_stop_the_boot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent() -> list[str]:
        raise OperationalError("no answer")

    monkeypatch.setattr(database, "isolation_faults", silent)
    refuse_without_fences()
