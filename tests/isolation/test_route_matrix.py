"""Every address, every method, every kind of intruder: nothing of the victim is seen or changed.

Addresses are discovered, so a new one is probed the day it appears; one with a parameter the matrix
cannot fill fails the test. The canaries at the end show that each gate fires.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import clear_url_caches, path
from django.utils import timezone

from config import urls as site_urls
from inventory.models import Product
from tenancy.managers import TenantManager, TenantQuerySet
from tenancy.models import ApiKey, Membership
from tests import engines
from tests.api.calls import key_of
from tests.cast import House
from tests.isolation.probing import ABSENT, READS, REFUSED, Fault, Principal, probe, report
from tests.isolation.routes import Route, all_routes
from tests.isolation.world import World

OPEN_TO_ALL = {
    "/livez",
    "/readyz",
    "/metrics",
    "/",
    "/api/schema/",
    "/api/docs/",
    "/api/^.*$",
}
LOGIN = frozenset({302})
BOTH_WAYS = frozenset({302, 405})


def _tenant_routes() -> list[Route]:
    return [route for route in all_routes() if route.names_tenant]


def _victims_member(victim: World, role: str) -> Client:
    return victim.house.client(role)


# -- principals -----------------------------------------------------------------------------------
def anonymous(victim: World, intruder: House) -> Principal:
    return Principal("anonymous", "victim", Client(), api=frozenset({401, 405}), pages=LOGIN)


def foreign_session(victim: World, intruder: House) -> Principal:
    client = intruder.client("owner")
    return Principal("foreign session", "victim", client, api=ABSENT, pages=ABSENT)


def foreign_key(victim: World, intruder: House) -> Principal:
    headers = {"Authorization": f"Bearer {key_of(intruder)}"}
    api = frozenset({401, 405})
    return Principal("foreign key", "victim", Client(), headers, api=api, pages=LOGIN)


def own_tenant_by_session(victim: World, intruder: House) -> Principal:
    return Principal(
        "own tenant, foreign ids, session",
        "intruder",
        intruder.client("owner"),
        only_with_ids=True,
    )


def own_tenant_by_key(victim: World, intruder: House) -> Principal:
    headers = {"Authorization": f"Bearer {key_of(intruder)}"}
    return Principal(
        "own tenant, foreign ids, key",
        "intruder",
        Client(),
        headers,
        pages=LOGIN,
        only_with_ids=True,
    )


def deactivated_member(victim: World, intruder: House) -> Principal:
    client = victim.house.client("manager")
    with victim.house.scope():
        Membership.objects.filter(user=victim.house.members["manager"]).update(is_active=False)
    return Principal(
        "deactivated member", "victim", client, api=ABSENT, pages=ABSENT, one_method=True
    )


def revoked_key(victim: World, intruder: House) -> Principal:
    headers = {"Authorization": f"Bearer {key_of(victim.house)}"}
    with victim.house.scope():
        ApiKey.objects.update(revoked_at=timezone.now())
    api = frozenset({401, 405})
    return Principal(
        "revoked key", "victim", Client(), headers, api=api, pages=LOGIN, one_method=True
    )


def expired_key(victim: World, intruder: House) -> Principal:
    headers = {"Authorization": f"Bearer {key_of(victim.house)}"}
    with victim.house.scope():
        ApiKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    api = frozenset({401, 405})
    return Principal(
        "expired key", "victim", Client(), headers, api=api, pages=LOGIN, one_method=True
    )


INTRUDERS = [
    anonymous,
    foreign_session,
    foreign_key,
    own_tenant_by_session,
    own_tenant_by_key,
    deactivated_member,
    revoked_key,
    expired_key,
]


@pytest.mark.parametrize("make", INTRUDERS, ids=lambda make: make.__name__)
def test_no_address_shows_or_changes_anything_of_the_victim(
    make: Callable[[World, House], Principal], victim: World, intruder: House
) -> None:
    principal = make(victim, intruder)
    faults, count = probe(_tenant_routes(), principal, victim)
    assert not faults, report(faults)
    assert count > 30


def test_a_viewer_changes_nothing(victim: World, intruder: House) -> None:
    """The wrong role: writes are refused, whatever they say."""
    # a page that only reads may answer a POST as well: the rows are what counts
    pages = REFUSED | {200, 302}
    principal = Principal("viewer", "victim", victim.house.client("viewer"), pages=pages)
    writes = ["POST", "PUT", "PATCH", "DELETE"]
    faults, _count = probe(_tenant_routes(), principal, victim, methods=writes)
    # a viewer may read: what it is shown is its own tenant's
    faults = [fault for fault in faults if fault.gate != "sentinel"]
    assert not faults, report(faults)


def test_the_owner_does_see_the_rows(victim: World) -> None:
    """Control: the probes reach real pages and real rows, so their silence means something."""
    client = victim.house.client("owner")
    client.raise_request_exception = False
    shown, broken = [], []
    routes = [route for route in _tenant_routes() if route.is_api]
    for route in routes:
        address = route.fill("victim", route.ids_of(victim))
        answer = client.get(address)
        if answer.status_code >= 500:
            broken.append(f"{address}: {answer.status_code}")
        if answer.status_code == 200 and victim.sentinel in answer.content.decode():
            shown.append(address)
    assert not broken
    readable = [route for route in routes if hasattr(route.callback.view_class, "get")]
    assert len(shown) >= 0.7 * len(readable), (len(shown), len(readable))


def test_every_address_is_below_a_tenant_or_known_to_be_open() -> None:
    strange = [
        route.pattern
        for route in all_routes()
        if not route.names_tenant
        and route.pattern not in OPEN_TO_ALL
        and not route.pattern.startswith(("/admin/", "/accounts/"))
    ]
    assert not strange, f"say in OPEN_TO_ALL why these need no tenant: {strange}"


def test_open_addresses_show_nothing_of_any_tenant(victim: World, intruder: House) -> None:
    faults: list[Fault] = []
    routes = [route for route in all_routes() if route.pattern in OPEN_TO_ALL]
    for client in (Client(), intruder.client("owner")):
        principal = Principal("open address", "", client, pages=frozenset({200, 302, 404, 405}))
        faults += probe(routes, principal, victim, methods=READS)[0]
    assert not faults, report(faults)


def test_the_admin_is_closed_to_members(victim: World, intruder: House) -> None:
    """Owners of tenants are no platform admins: every admin page sends them to its sign-in."""
    faults: list[Fault] = []
    routes = [route for route in all_routes() if route.pattern.startswith("/admin/")]
    assert len(routes) > 50
    for client in (Client(), intruder.client("owner"), victim.house.client("owner")):
        client.raise_request_exception = False
        for route in routes:
            address = route.fill("", dict.fromkeys(route.parameters, "1")).replace("^", "")
            answer = client.get(address.replace("(?P<url>.*)$", ""))
            is_open = "/login/" in address or "/jsi18n/" in address
            if answer.status_code not in {301, 302, 404} and not is_open:
                faults.append(Fault("member", address, "status", str(answer.status_code)))
            if victim.sentinel in answer.content.decode():
                faults.append(Fault("member", address, "sentinel", "shown"))
    assert not faults, report(faults)


# -- fences, one at a time ------------------------------------------------------------------------
@pytest.fixture
def no_orm_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The managers neither raise nor filter: row level security stands alone."""
    monkeypatch.setattr(
        TenantManager, "get_queryset", lambda self: TenantQuerySet(self.model, using=self._db)
    )


@pytest.fixture
def no_row_level_security(transactional_db: None) -> Iterator[None]:
    """Products lose their policy: the managers stand alone."""
    table = Product._meta.db_table
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as c:
        c.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        c.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        yield
        c.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        c.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def _leaks(victim: World, intruder: House) -> list[Fault]:
    routes = [route for route in _tenant_routes() if route.is_api and "products" in route.pattern]
    principal = Principal(
        "own tenant", "intruder", intruder.client("owner"), api=REFUSED | {200, 201}
    )
    return [f for f in probe(routes, principal, victim, methods=READS)[0] if f.gate == "sentinel"]


def test_row_level_security_alone_is_enough(
    no_orm_fence: None, victim: World, intruder: House
) -> None:
    assert not _leaks(victim, intruder)


def test_the_managers_alone_are_enough(
    no_row_level_security: None, victim: World, intruder: House
) -> None:
    assert not _leaks(victim, intruder)


def test_control_without_both_fences_the_matrix_turns_red(
    victim: World, intruder: House, no_orm_fence: None, no_row_level_security: None
) -> None:
    assert _leaks(victim, intruder)


# -- canaries -------------------------------------------------------------------------------------
def _past_the_fences(statement: str) -> Any:
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as c:
        found = c.execute(statement)
        return found.fetchone() if found.description else None


def _leak_in_body(request: HttpRequest, tenant: str) -> HttpResponse:
    row = _past_the_fences("SELECT sku FROM inventory_product LIMIT 1")
    return HttpResponse(row[0], status=404)


def _leak_in_header(request: HttpRequest, tenant: str) -> HttpResponse:
    row = _past_the_fences("SELECT sku FROM inventory_product LIMIT 1")
    return HttpResponse(status=404, headers={"X-Found": row[0]})


def _change_a_row(request: HttpRequest, tenant: str) -> HttpResponse:
    _past_the_fences("UPDATE inventory_product SET name = name || '!'")
    return HttpResponse(status=404)


def _open_door(request: HttpRequest, tenant: str) -> HttpResponse:
    return HttpResponse("welcome")


def _with_parameter(request: HttpRequest, tenant: str, gadget_id: int) -> HttpResponse:
    return HttpResponse(status=404)


def _tells_foreign_from_missing(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    row = _past_the_fences(f"SELECT count(*) FROM inventory_product WHERE id = {product_id}")
    return HttpResponse("yours" if row[0] else "nobody's", status=404)


CANARIES = [
    ("sentinel", "leak", _leak_in_body),
    ("sentinel", "leak", _leak_in_header),
    ("rows", "change", _change_a_row),
    ("status", "door", _open_door),
    ("unknown", "gadgets/<int:gadget_id>", _with_parameter),
    ("sameness", "products-too/<int:product_id>", _tells_foreign_from_missing),
]


@pytest.mark.parametrize(
    ("gate", "address", "view"), CANARIES, ids=lambda c: getattr(c, "__name__", "")
)
def test_canary_each_gate_fires(
    gate: str,
    address: str,
    view: Any,
    victim: World,
    intruder: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pattern = path(f"api/v1/<slug:tenant>/{address}", view)
    monkeypatch.setattr(site_urls, "urlpatterns", [pattern, *site_urls.urlpatterns])
    clear_url_caches()
    try:
        routes = [route for route in all_routes() if route.callback is view]
        assert routes
        principal = own_tenant_by_session(victim, intruder)
        principal = Principal(principal.name, principal.slug, principal.client)
        faults, _count = probe(routes, principal, victim, methods=READS)
    finally:
        monkeypatch.undo()
        clear_url_caches()
    assert gate in {fault.gate for fault in faults}
