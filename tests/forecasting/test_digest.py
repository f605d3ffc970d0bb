"""The digest of warnings by mail: who gets it, once, of what."""

from __future__ import annotations

from datetime import date

import pytest
from django.core import mail

from forecasting.models import RiskWarning, WarningDigest
from forecasting.services.digest import choose_digest
from tenancy.models import Job, JobState, Membership
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.test_pages import plan

pytestmark = pytest.mark.django_db(transaction=True)


def send(house: House) -> Job:
    job = run_job_here(tenant=house.tenant, kind="send_digests", payload={})
    assert job.state == JobState.DONE, job.reason
    return job


def test_who_asked_reads_the_open_warnings_once_a_day(north: House) -> None:
    plan(north)
    planner, viewer = north.members["planner"], north.members["viewer"]
    with north.scope("planner"):
        choose_digest(user_id=planner.pk, wanted=True)
        choose_digest(user_id=planner.pk, wanted=True)
    assert send(north).result == {"digests_sent": 1}
    assert send(north).result == {"digests_sent": 0}
    [letter] = mail.outbox
    assert letter.to == [planner.email]
    assert letter.subject == "North: 3 open warnings"
    assert "P-001 Product 1, Main, 90.00 EUR" in letter.body
    assert viewer.email not in letter.to
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        choose_digest(user_id=viewer.pk, wanted=True)
    with north.scope("planner"):
        choose_digest(user_id=planner.pk, wanted=False)
        assert not WarningDigest.objects.exists()


def test_what_is_another_members_and_what_is_closed_is_left_out(north: House) -> None:
    plan(north)
    planner = north.members["planner"]
    with north.scope("planner"):
        choose_digest(user_id=planner.pk, wanted=True)
        other = Membership.objects.exclude(user_id=planner.pk).earliest("id")
        first, second, _third = RiskWarning.objects.order_by("product__sku")
        RiskWarning.objects.filter(pk=first.pk).update(assigned_to=other)
        RiskWarning.objects.filter(pk=second.pk).update(state="acknowledged")
    send(north)
    [letter] = mail.outbox
    assert "P-003" in letter.body
    assert "P-001" not in letter.body
    assert "P-002" not in letter.body
    with north.scope():
        RiskWarning.objects.all().delete()
        WarningDigest.objects.update(sent_on=date(2020, 1, 1))
    assert send(north).result == {"digests_sent": 0}
