"""The API's description is made once per format and language, whoever asks and however often."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tenancy.api import description

YAML = "application/vnd.oai.openapi"
JSON = "application/vnd.oai.openapi+json"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the times the addresses are walked, in an empty process."""
    times: list[str] = []
    second_caller = threading.Event()

    def walk(self: SchemaGenerator, **_: Any) -> dict[str, Any]:
        times.append("walked")
        second_caller.wait(0.05)  # long enough for others to ask meanwhile
        return {"openapi": "3.0.3", "info": {"title": "made", "version": str(len(times))}}

    monkeypatch.setattr(SchemaGenerator, "get_schema", walk)
    monkeypatch.setattr(description, "_kept", {})
    return times


def test_one_format_is_made_once_whatever_the_parameters_say(made: list[str]) -> None:
    answers = [
        Client().get("/api/schema/", query, headers={"Accept-Language": language})
        for query, language in [
            ({}, "en"),
            ({}, "de"),
            ({"version": "3 apples"}, "en"),
            ({"lang": "tlh"}, "xx-YY"),
            ({"anything": "else"}, "en"),
        ]
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert b"apples" not in answers[2].content
    assert len(made) == 1


def test_each_format_is_made_once_and_says_what_it_is(made: list[str]) -> None:
    for kind, begins in [(YAML, b"openapi:"), (JSON, b"{"), (YAML, b"openapi:"), (JSON, b"{")]:
        answer = Client().get("/api/schema/", headers={"Accept": kind})
        assert answer["Content-Type"] == kind
        assert answer.content.startswith(begins)
    assert len(made) == 2


def test_of_many_who_ask_at_once_one_makes_it(made: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get("/api/schema/").content, range(8)))
    assert len(set(answers)) == 1
    assert len(made) == 1


def test_who_has_it_already_is_told_so(made: list[str]) -> None:
    first = Client().get("/api/schema/")
    again = Client().get("/api/schema/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = Client().get("/api/schema/", headers={"If-None-Match": '"older"'})
    assert other.status_code == 200
