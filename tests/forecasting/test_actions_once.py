"""A button of a forecasting page takes effect once per rendered form."""

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from forecasting.pages import actions
from tenancy.errors import Conflict

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch) -> list[str]:
    said: list[str] = []
    note = SimpleNamespace(
        success=lambda _, text: said.append(text), error=lambda _, text: said.append(f"no: {text}")
    )
    monkeypatch.setattr(actions, "messages", note)
    return said


def press(work, **posted: str):
    return actions.attempt(RequestFactory().post("/", posted), work, lambda made: f"made {made}")


def test_the_same_form_pressed_twice_works_once_and_says_the_same(in_north, heard):
    done: list[int] = []

    def work() -> int:
        done.append(1)
        return len(done)

    assert press(work, idempotency_key="k1") == 1
    assert press(work, idempotency_key="k1") is None
    assert heard == ["made 1", "made 1"]
    assert press(work, idempotency_key="k2") == 2


def test_control_without_a_key_every_press_works(in_north, heard):
    done: list[int] = []
    press(lambda: done.append(1))
    press(lambda: done.append(1))

    assert len(done) == 2


def test_a_refusal_is_said_and_leaves_the_key_free(in_north, heard):
    def refuse() -> int:
        raise Conflict("not now")

    assert press(refuse, idempotency_key="k1") is None
    assert press(lambda: 5, idempotency_key="k1") == 5
    assert heard == ["no: not now", "made 5"]
