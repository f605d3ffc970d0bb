"""Real threads on real PostgreSQL, let go at the same moment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from tenancy.scope import Actor, run_in_scope
from tests import engines
from tests.cast import House

LONG = os.environ.get("STOCKCAST_LONG") == "1"
ROUNDS = 200 if LONG else 10
PATIENCE_SECONDS = 60


def race(house: House, workers: list[Callable[[], Any]]) -> list[Any]:
    """Run each worker in its own thread, connection and scope; return its result or its exception.

    All transactions are open before the first worker starts.
    """
    start = threading.Barrier(len(workers))
    results: list[Any] = [None] * len(workers)

    def run(number: int, worker: Callable[[], Any]) -> None:
        try:
            results[number] = run_in_scope(
                house.tenant, Actor.system("race"), _after(start, worker)
            )
        except Exception as error:  # noqa: BLE001 - the outcome is the result
            results[number] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(number, worker), daemon=True)
        for number, worker in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "a worker hangs"
    return results


def refusals(results: list[Any]) -> set[type]:
    """Return the kinds of refusal among the results of a race."""
    return {type(result) for result in results if isinstance(result, Exception)}


def _after(start: threading.Barrier, worker: Callable[[], Any]) -> Callable[[], Any]:
    waited = threading.Event()

    def work() -> Any:
        if not waited.is_set():  # a retried transaction does not wait for the others again
            waited.set()
            start.wait(PATIENCE_SECONDS)
        return worker()

    return work


def won(results: list[Any]) -> list[Any]:
    """Return the results that are not refusals."""
    return [result for result in results if not isinstance(result, Exception)]


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """Take a protection out of this worker's database, for a control; put it back afterwards."""
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as admin:
        [definition] = admin.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
        ).fetchone()
        admin.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        try:
            yield
        finally:
            engines.empty_tables()
            admin.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')


@contextmanager
def without_index(name: str) -> Iterator[None]:
    """Take a unique index (of a condition) out of this worker's database; put it back afterwards."""
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as admin:
        [definition] = admin.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]
        ).fetchone()
        admin.execute(f'DROP INDEX "{name}"')
        try:
            yield
        finally:
            engines.empty_tables()
            admin.execute(definition)
