"""Two tenants at once on the same threads and connections: nobody sees the other's rows."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tenancy.scope import NoTenantScope, active_tenant_id
from tests.api.calls import Caller, by_key
from tests.cast import House

ROUNDS = 40
pytestmark = pytest.mark.django_db(transaction=True)


def test_threads_that_serve_both_tenants_in_turn_mix_nothing(north: House, south: House) -> None:
    """Four threads, each with one connection, 40 times either tenant, some of it refused."""
    keys = {house.tenant.slug: by_key(house).headers for house in (north, south)}
    for house in (north, south):
        slug = house.tenant.slug
        body = {"sku": f"only-{slug}", "name": slug}
        assert Caller(house, headers=keys[slug]).post("products", body).status_code == 201
    wrong: list[str] = []

    def serve(number: int) -> None:
        house = north if number % 2 else south
        caller = Caller(house, headers=keys[house.tenant.slug])
        if number % 5 == 0:  # a request that fails half way leaves nothing of its tenant behind
            caller.client.raise_request_exception = False
            caller.post("products", {"sku": f"only-{house.tenant.slug}", "name": "again"})
        found = [item["name"] for item in caller.get("products").json()["items"]]
        if found != [house.tenant.slug]:
            wrong.append(f"{house.tenant.slug} saw {found}")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.tenant_id', true)")
            left = cursor.fetchone()[0]
        if left:
            wrong.append(f"the connection kept tenant {left}")
        with contextlib.suppress(NoTenantScope):
            wrong.append(f"the thread kept tenant {active_tenant_id()}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(serve, range(ROUNDS)))
        barrier = threading.Barrier(4)

        def close(_number: int) -> None:
            connection.close()
            barrier.wait(10)

        list(pool.map(close, range(4)))
    assert not wrong
