"""Signals from a CSV file: read by a job, whole or without its wrong rows, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from forecasting.models import ExternalSignal, SignalValue
from forecasting.services import signal_files, signal_rows
from forecasting.services.signal_files import request_signal_import
from forecasting.services.signals import SignalFields, create_signal
from tenancy.errors import Invalid
from tenancy.models import Job, JobState
from tenancy.services import jobs
from tenancy.services.jobs import run_job
from tests.cast import House
from tests.forecasting.world import build_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


PROMOTION = SignalFields(name="Spring sale", kind="promotion", is_known_ahead=True)
GOOD = """name,kind,day,value,known_ahead,sku,warehouse
Sale,promotion,2026-05-03,1,yes,P-001,
Sale,promotion,2026-05-04,1,yes,P-001,
Rain,weather,2026-05-03,4.5,no,,W1
Rain,weather,2026-05-03,5.5,no,,W1
"""


def upload(house: House, text: str, **options: Any) -> Job:
    with house.scope("planner"):
        job = request_signal_import(data=text.encode(), **options)
    return run_job(job)


def imported(job: Job) -> dict[str, Any]:
    assert job.state == JobState.DONE, job.reason
    assert job.result is not None
    return job.result


def stored_files() -> list[str]:
    root = Path(default_storage.location)
    return [path.name for path in root.rglob("*.csv")]


def test_a_row_that_contradicts_a_known_signal_is_refused_by_its_number(north: House) -> None:
    with north.scope():
        build_world(products=1, days=5)
        create_signal(fields=PROMOTION)
    head = "name,kind,day,value,known_ahead,sku\n"
    plain = "Spring sale,,2026-05-03,1,,\n"
    for row, told in (
        ("Spring sale,price,2026-05-04,1,yes,\n", "Row 3: “Spring sale” is of kind promotion"),
        ("Spring sale,,2026-05-04,1,no,P-001\n", "Row 3: “Spring sale” has known_ahead yes"),
        ("Fair,market,2026-05-04,1,,\nFair,,2026-05-05,1,yes,\n", "Row 4: “Fair” has known_"),
    ):
        refused = upload(north, head + plain + row)
        assert refused.state == JobState.FAILED
        assert told in refused.reason
        with north.scope():
            assert not SignalValue.objects.exists()
            assert ExternalSignal.objects.count() == 1
    # what is left empty is as it is known, also for another scope
    own = "Spring sale,promotion,2026-05-04,1,yes,P-001\nSpring sale,,2026-05-05,1,,P-001\n"
    assert imported(upload(north, head + plain + own))["signals_created"] == 1
    with north.scope():
        assert set(ExternalSignal.objects.values_list("kind", "is_known_ahead")) == {
            ("promotion", True)
        }


def test_a_file_is_read_whole_and_again_without_harm(north: House) -> None:
    with north.scope():
        build_world(products=1, days=5)
    assert imported(upload(north, GOOD))["signals_created"] == 2
    again = imported(upload(north, "\ufeff" + GOOD.replace(",", ";")))
    assert (again["signals_created"], again["values_set"]) == (0, 4)
    with north.scope():
        found = SignalValue.objects.order_by("signal__name", "day")
        assert [row.value for row in found] == [5.5, 1.0, 1.0]  # the last of a day counts


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("P-001,\nSale", "NOPE,\nSale"), "Row 2: product “NOPE” is unknown"),
        (("2026-05-04", "4 May"), "Row 3: “4 May” is not a day"),
        (("4.5", "wet"), "Row 4: “wet” is not a number"),
        (("4.5", "nan"), "Row 4: “nan” cannot be used; write a number from -1,000,000,000,000 to"),
        (
            ("2026-05-04", "1999-12-31"),
            "“1999-12-31” is out of range; write a day from 2000 to 2099",
        ),
        (("weather,2026-05-03,4.5", "wether,2026-05-03,4.5"), "Row 4: kind “wether”"),
        ((GOOD, "name,day,value\n"), "no rows"),
    ],
)
def test_a_wrong_row_refuses_the_whole_file_by_its_number(
    north: House, changed: tuple[str, str], told: str
) -> None:
    with north.scope():
        build_world(products=1, days=5)
    refused = upload(north, GOOD.replace(*changed, 1))
    assert refused.state == JobState.FAILED
    assert told in refused.reason
    with north.scope():
        assert not ExternalSignal.objects.exists()


@pytest.mark.parametrize(
    ("data", "told"),
    [(GOOD.replace("name", "title", 1).encode(), "missing: name"), (b"\xff\xfe\x00name", "UTF-8")],
)
def test_what_is_no_such_file_is_refused_before_a_job_is_made(
    north: House, data: bytes, told: str
) -> None:
    with north.scope("planner"):
        with pytest.raises(Invalid) as refused:
            request_signal_import(data=data)
        assert told in str(refused.value)
        assert not Job.objects.exists()


def test_a_file_is_imported_by_a_job_whole_or_without_its_wrong_rows(north: House) -> None:
    with north.scope():
        build_world(products=1, days=5)
    wrong = GOOD.replace("4.5", "wet")
    refused = upload(north, wrong)
    assert refused.state == JobState.FAILED
    assert "Row 4: “wet” is not a number" in refused.reason
    with north.scope():
        assert not ExternalSignal.objects.exists()
    done = upload(north, wrong, skip_bad_rows=True)
    assert done.state == JobState.DONE
    assert done.result is not None
    assert (done.result["values_set"], done.result["bad_rows"]) == (3, 1)
    assert done.result["problems"] == ["Row 4: “wet” is not a number; write 12.5"]
    assert stored_files() == []  # neither run leaves its upload
    # ten wrong rows are told, the others counted, whatever becomes of the file
    many = GOOD + "Rain,weather,2026-05-05,wet,no,,W1\n" * 12
    told = upload(north, many).reason.splitlines()
    assert (told[9][:7], told[10:]) == (
        "Row 15:", ["2 more rows are wrong.", "Nothing was imported."],
    )  # fmt: skip
    result = imported(upload(north, many, skip_bad_rows=True))
    assert (len(result["problems"]), result["bad_rows"]) == (10, 12)


def test_a_cancelled_import_leaves_nothing_and_a_strangers_file_is_not_read(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with north.scope("planner"):
        build_world(products=1, days=5)
        job = request_signal_import(data=GOOD.encode())
        foreign = Job.objects.create(
            kind="import_signals",
            payload={"path": "tenants/0/signals/x.csv", "skip_bad_rows": False, "warehouses": None},
        )
    monkeypatch.setattr(signal_files, "WATCHED_ROWS", 1)
    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0.0)
    rows = signal_rows._row

    def cancel_first(*parts: Any) -> Any:
        with north.scope():
            Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
        return rows(*parts)

    monkeypatch.setattr(signal_rows, "_row", cancel_first)
    assert run_job(job).state == JobState.CANCELLED
    assert stored_files() == []
    assert run_job(foreign).state == JobState.FAILED
    with north.scope():
        assert not ExternalSignal.objects.exists()
