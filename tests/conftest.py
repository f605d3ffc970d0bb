"""Fixtures every test may use: the engines, a clean database, a clean Valkey.

Tests connect as `wms_app`, the role of production, so row level security binds them too.
"""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from tests import engines

# until all is collected nearly everything stays: looking for garbage would cost a fifth of the time
gc.disable()

# before Django's settings are imported by anybody
engines.point_environment_here()
engines.load_settings()

import django  # noqa: E402

# the cast imports models
django.setup()

import redis  # noqa: E402
from django.conf import settings  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from tests.cast import in_north, north, south, stranger  # noqa: E402, F401

# a real password hash costs 0.3 s on purpose; tests sign in hundreds of times
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DEAREST = (
    "isolation/test_route_matrix.py",
    "browser/test_every_page.py",
    "faults/test_supervisor.py",
    "browser/test_scanner_story.py",
    "api/test_schema.py",
    "faults/test_worker_killed.py",
    "browser/test_decisions.py",
    "isolation/test_foreign_ids_inside.py",
    "faults/test_training_killed.py",
    "browser/test_counting.py",
    "browser/test_inbound.py",
)
"""Files of few tests that take longest, 15 s and more."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Under xdist the controller starts the engines, before any worker asks for them."""
    if session.config.pluginmanager.hasplugin("dsession"):
        gc.enable()  # nothing is collected here
        engines.start()
        engines.create_template_meanwhile()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the dearest files, then those of many tests, so that no worker ends long alone.

    ``make test`` hands out whole files in this order.
    """
    tests = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[int, int]:
        name = f"{item.path.parent.name}/{item.path.name}"
        rank = DEAREST.index(name) if name in DEAREST else len(DEAREST)
        return rank, -tests[item.path]

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what was imported and collected out of every later garbage collection: it stays."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    engines.finish()


@pytest.fixture(scope="session")
def running_engines() -> None:
    """Start PostgreSQL and Valkey unless xdist's controller did."""
    engines.start()


@pytest.fixture(scope="session")
def django_db_setup(running_engines: None, django_db_blocker) -> Iterator[None]:
    """Give this worker its own migrated database, in place of Django's test database."""
    with django_db_blocker.unblock():
        engines.create_database()
    yield
    with django_db_blocker.unblock():
        from django.db import connections

        connections.close_all()


@pytest.fixture
def valkey(running_engines: None) -> Iterator[redis.Redis]:
    """Return a client of this worker's own, empty Valkey database."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty_valkey(request: pytest.FixtureRequest) -> None:
    """Forget caches and queued messages before each test that uses the database."""
    if "_django_db_helper" in request.fixturenames:
        request.getfixturevalue("valkey")


def _empty_tables_instead_of_flush(self: TransactionTestCase) -> None:
    # Django's flush truncates, which wms_app may not; and it would drop what migrations filled
    engines.empty_tables()


TransactionTestCase._fixture_teardown = _empty_tables_instead_of_flush
