"""The short way in: the session of a member as a cookie, for tests that are not about signing in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from playwright.sync_api import Page

from tests.cast import House


def enter(page: Page, live_server: Any, house: House, role: str = "owner") -> None:
    """Let the page act as the member of that role."""
    session = house.client(role).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )


def address(live_server: Any, house: House, rest: str = "") -> str:
    """Return the full address of a page of the tenant."""
    return f"{live_server.url}{house.path(rest)}"
