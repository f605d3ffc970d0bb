"""Every page that needs nothing to point at answers in a company that has nothing yet."""

from __future__ import annotations

from tests.cast import House
from tests.isolation.routes import all_routes

SENT_ONLY = 405
NOT_THERE_YET = 404


def test_every_page_answers_where_nothing_is_there_yet(north: House) -> None:
    client = north.client("owner")
    pages = [route for route in all_routes() if route.is_page and not route.parameters]
    assert len(pages) > 80
    answers = {}
    for route in pages:
        address = route.fill(north.tenant.slug, {})
        answers[address] = client.get(address).status_code
    wrong = {at: code for at, code in answers.items() if code >= 500}
    assert not wrong
    assert sum(code == 200 for code in answers.values()) > 60
    assert set(answers.values()) <= {200, 302, NOT_THERE_YET, SENT_ONLY}
