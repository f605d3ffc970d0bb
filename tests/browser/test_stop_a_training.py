"""A question about a part of the page that renews itself every two seconds keeps its form."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tenancy.models import Job, JobState
from tests.browser.doors import address, enter
from tests.cast import House

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_training_is_stopped_also_by_who_thinks_before_saying_yes(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        job = Job.objects.create(
            kind="train_network", queue="training", state=JobState.RUNNING, payload={}
        )
    enter(page, live_server, north)
    page.goto(address(live_server, north, "networks/"))
    expect(page.locator("#training")).to_contain_text("Running")
    page.locator("#training").evaluate("element => { element.dataset.first = 'yes'; }")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(2_600)  # the part would have been renewed meanwhile
    assert page.locator("#training").get_attribute("data-first") == "yes"
    page.locator("dialog[open]").get_by_role("button", name="Stop training").click()
    expect(page.locator("#training")).to_contain_text("Stopping after this epoch")
    with north.scope():
        job.refresh_from_db()
        assert job.cancel_requested_at is not None
    # and goes on renewing itself
    page.wait_for_function("!document.getElementById('training').dataset.first")
