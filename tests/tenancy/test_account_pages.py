"""Sign-in, account and error pages: they render in our frame and obey the strict policy."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

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
