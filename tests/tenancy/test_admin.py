"""The platform's admin: only for platform admins, one chosen tenant at a time, the ledger read-only."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory.models import Category, StockMovement
from tenancy.models import AuditEvent, User
from tests.cast import PASSWORD, House
from tests.inventory.book import make_product, make_site


@pytest.fixture
def admin_client(db: None) -> Client:
    client = Client()
    admin = User.objects.create_superuser("admin@platform.example", PASSWORD)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    return client


def choose(client: Client, house: House) -> None:
    client.get(f"/admin/tenancy/tenant/{house.tenant.pk}/work-in-tenant", follow=True)


def test_a_tenants_owner_is_not_let_into_the_admin(north: House) -> None:
    answer = north.client("owner").get("/admin/inventory/product/")
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_without_a_chosen_tenant_nothing_of_any_is_shown(
    admin_client: Client, north: House
) -> None:
    with north.scope():
        make_product("SENTINEL")
    answer = admin_client.get("/admin/inventory/product/")
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/tenancy/tenant/"


def test_the_chosen_tenants_rows_are_shown_and_no_others(
    admin_client: Client, north: House, south: House
) -> None:
    with north.scope():
        make_product("NORTHERN")
    with south.scope():
        foreign = make_product("SOUTHERN")
    choose(admin_client, north)
    body = admin_client.get("/admin/inventory/product/").content.decode()
    assert "NORTHERN" in body
    assert "SOUTHERN" not in body
    answer = admin_client.get(f"/admin/inventory/product/{foreign.pk}/change/")
    assert answer.status_code == 302  # Django's admin sends away from a missing row
    assert "SOUTHERN" not in admin_client.get("/admin/").content.decode()


def test_a_change_in_the_admin_is_recorded_in_the_tenants_audit_trail(
    admin_client: Client, north: House
) -> None:
    choose(admin_client, north)
    answer = admin_client.post("/admin/inventory/category/add/", {"name": "Fruit", "parent": ""})
    assert answer.status_code == 302
    with north.scope():
        assert Category.objects.get().name == "Fruit"
        event = AuditEvent.objects.get(action="admin.created")
        assert event.actor_label.endswith("(platform admin)")


def test_the_ledger_cannot_be_added_to_changed_or_deleted_from(
    admin_client: Client, north: House
) -> None:
    with north.scope():
        make_site().receive(make_product(), 5)
        movement = StockMovement.objects.get()
    choose(admin_client, north)
    base = "/admin/inventory/stockmovement/"
    assert admin_client.get(base).status_code == 200
    assert admin_client.get(f"{base}{movement.pk}/change/").status_code == 200
    assert admin_client.get(f"{base}add/").status_code == 403
    assert admin_client.post(f"{base}{movement.pk}/change/", {"quantity": 7}).status_code == 403
    assert admin_client.post(f"{base}{movement.pk}/delete/", {"post": "yes"}).status_code == 403
    with north.scope():
        assert StockMovement.objects.get().quantity == 5
