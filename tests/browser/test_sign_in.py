"""Signing in, as a person sees it."""

import pytest
from playwright.sync_api import Page, expect

from tests.cast import PASSWORD, make_house


@pytest.mark.django_db(transaction=True)
def test_a_member_signs_in_with_mail_and_password_and_lands_in_the_tenant(
    page: Page, live_server
) -> None:
    house = make_house("north")

    page.goto(f"{live_server.url}/")
    page.locator("input[name=login]").fill(house.members["planner"].email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").first.click()

    expect(page).to_have_url(f"{live_server.url}{house.path()}")
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_stays_outside_and_is_told_so(page: Page, live_server) -> None:
    house = make_house("north")

    page.goto(f"{live_server.url}/")
    page.locator("input[name=login]").fill(house.members["planner"].email)
    page.locator("input[name=password]").fill("not the password")
    page.locator("form button[type=submit]").first.click()

    expect(page.get_by_text("not correct")).to_be_visible()
    assert "/t/" not in page.url
