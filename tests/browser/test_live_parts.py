"""The part of a page that renews itself every two seconds: asked about, left by the network, used by keys."""

from __future__ import annotations

from typing import Any

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


def training_page(page: Page, live_server: Any, house: House) -> None:
    with house.scope():
        Job.objects.create(
            kind="train_network", queue="training", state=JobState.RUNNING, payload={},
            progress_done=1, progress_total=24,
            progress_detail={"epochs": [{"stage": "holdout", "network": "lstm", "epoch": 1,
                                         "training_loss": 0.9, "validation_loss": 0.5, "best": True}]},
        )  # fmt: skip
    enter(page, live_server, house)
    page.goto(address(live_server, house, "networks/"))


def test_the_focus_and_what_was_unfolded_stay_when_the_page_renews_itself(
    page: Page, live_server, north: House
) -> None:
    training_page(page, live_server, north)
    page.locator("#training").evaluate("element => { element.dataset.first = 'yes'; }")
    page.locator("#training summary").click()
    page.get_by_role("button", name="Stop").focus()
    expect(page.locator("#training")).not_to_have_attribute("data-first", "yes")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator("#training details table")).to_be_visible()


def test_a_lost_connection_is_said_once_and_no_longer_when_it_is_back(
    page: Page, live_server, north: House
) -> None:
    training_page(page, live_server, north)
    said = "() => [...document.querySelectorAll('.toast')].map(one => one.textContent.trim())"
    page.evaluate("""() => { for (let n = 0; n < 3; n += 1) {
      document.querySelector('#training').dispatchEvent(
        new CustomEvent('htmx:sendError', { bubbles: true })); } }""")
    assert page.evaluate(said) == ["No connection to the server. Check the network and try again."]
    expect(page.locator(".toast")).to_have_count(0)  # the next time it asks it is answered


def test_a_filter_that_applied_itself_has_the_focus_again(
    page: Page, live_server, north: House
) -> None:
    enter(page, live_server, north)
    page.goto(address(live_server, north, "accuracy/"))
    page.get_by_label("Demand").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**?demand_class=*")
    expect(page.get_by_label("Demand")).to_be_focused()


def test_the_end_of_a_search_orders_no_other_from_the_page_that_refused_a_second_one(
    page: Page, live_server, north: House
) -> None:
    enter(page, live_server, north, role="manager")
    page.goto(address(live_server, north, "networks/tuning"))
    with north.scope():
        search = Job.objects.create(
            kind="tune_network", queue="training", state=JobState.RUNNING,
            payload={"budget_minutes": 1, "network": "lstm"},
        )  # fmt: skip
    page.get_by_role("button", name="Tune").click()
    expect(page.locator("main")).to_contain_text("A search is under way already")
    with north.scope():
        Job.objects.filter(pk=search.pk).update(state=JobState.CANCELLED)
    expect(page.locator("main")).to_contain_text("The last search was stopped")
    expect(page.get_by_role("button", name="Tune")).to_be_visible()
    with north.scope():
        assert Job.objects.count() == 1
