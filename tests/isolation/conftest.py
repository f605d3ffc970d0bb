"""The victim and the intruder of every isolation test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cast import House, make_house
from tests.isolation.world import World, build_world, use_large_ids

SENTINEL = "Zq7-victim"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are expected here; a failed test should show its faults only."""
    logger = logging.getLogger("django.request")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


@pytest.fixture
def victim(transactional_db: None, settings: Any) -> World:
    """Return a tenant with a row in every table; the throttle is out of the way."""
    settings.API_CALLS_PER_MINUTE = settings.API_TENANT_CALLS_PER_MINUTE = 1_000_000
    use_large_ids()
    return build_world(make_house("victim"), SENTINEL)


@pytest.fixture
def intruder(transactional_db: None) -> House:
    """Return another tenant, whose members want to see the victim's rows."""
    return make_house("intruder")
