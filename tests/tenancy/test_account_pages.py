"""Sign-in, account and error pages: they render in our frame and obey the strict policy."""

import re

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD, House

BLOCKED = re.compile(r"<style\b|\sstyle=|\son[a-z]+=|<script(?![^>]*\b(?:src=|application/json))")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["account_login", "account_reset_password"])
def test_a_stranger_sees_the_entrance_pages(page: str) -> None:
    response = Client().get(reverse(page))
    html = response.content.decode()

    assert response.status_code == 200
    assert "bare-card" in html
    assert not BLOCKED.search(html)
    assert "unsafe-inline" not in response["Content-Security-Policy"]


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_is_refused_with_a_message(north) -> None:
    email = north.members["planner"].email
    response = Client().post(reverse("account_login"), {"login": email, "password": "wrong"})

    assert response.status_code == 200
    assert "data-error-summary" in response.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "page", ["account_change_password", "account_email", "account_logout", "mfa_index"]
)
def test_a_member_sees_the_pages_of_the_own_account(north, page: str) -> None:
    response = north.client("planner").get(reverse(page))
    html = response.content.decode()

    assert response.status_code == 200
    assert "bare-card" in html
    assert not BLOCKED.search(html)


@pytest.mark.parametrize("page", ["400", "403", "403_csrf", "404", "429", "500"])
def test_an_error_page_needs_no_context(page: str) -> None:
    html = render_to_string(f"{page}.html")

    assert page[:3] in html
    assert not BLOCKED.search(html)


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/admin/login/", "/api/docs/"])
def test_pages_of_other_projects_run_inline_scripts_and_nothing_from_outside(page: str) -> None:
    policy = Client().get(page)["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@pytest.mark.django_db(transaction=True)
def test_a_member_can_set_up_two_factor_sign_in(north) -> None:
    client = Client()
    email = north.members["planner"].email
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    address = reverse("mfa_activate_totp")
    asked = client.get(address, follow=True)
    if "reauthenticate" in asked.request["PATH_INFO"]:
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": address})
    set_up = client.get(address)
    html = set_up.content.decode()
    assert set_up.status_code == 200
    assert not BLOCKED.search(html)
    secret = set_up.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302

    again = Client()
    answer = again.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    assert answer["Location"] == reverse("mfa_authenticate")
    # control: the password alone opens nothing
    assert again.get(north.path("products/")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page_and_says_it_was_not_saved(
    north: House,
) -> None:
    visitor, page = Client(), north.path("forecasts/1/2/")
    form = f"{page}override"
    answer = visitor.post(
        form, {"value": "20"}, headers={"Referer": f"http://testserver{page}?a=1"}
    )
    assert answer["Location"] == f"/accounts/login/?next={page}%3Fa%3D1"
    assert "not saved" in visitor.get(answer["Location"]).content.decode()
    for elsewhere in ("https://evil.example/t/", ""):
        away = Client().post(form, headers={"Referer": elsewhere})
        assert away["Location"] == "/accounts/login/?next=/"
    assert Client().get(page)["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.django_db(transaction=True)
def test_the_address_of_a_form_says_in_words_that_it_is_no_page(north: House) -> None:
    answer = north.client("planner").get(north.path("networks/train"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "There is no page at this address" in answer.content.decode()
