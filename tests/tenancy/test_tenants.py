"""Tenants: created whole or not at all."""

from __future__ import annotations

import pytest

from tenancy.errors import Invalid
from tenancy.models import AuditEvent, Membership, Tenant, User
from tenancy.scope import Actor, tenant_scope
from tenancy.services import tenants
from tenancy.services.tenants import TenantFields, create_tenant

pytestmark = pytest.mark.django_db


def test_a_tenant_begins_with_its_owner(stranger: User) -> None:
    tenant = create_tenant(fields=TenantFields(slug="east", name="East"), owner=stranger)
    with tenant_scope(tenant, actor=Actor.system("test")):
        assert Membership.objects.get().user == stranger
        assert AuditEvent.objects.get(action="tenant.created").subject_id == tenant.pk


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "Not A Slug"), ("time_zone", "Mars/Base"), ("currency", "euro"), ("name", "")],
)
def test_a_wrong_field_is_named(field: str, value: str) -> None:
    fields = {"slug": "east", "name": "East"} | {field: value}
    with pytest.raises(Invalid) as refused:
        create_tenant(fields=TenantFields(**fields))
    assert refused.value.problems[0].field == field
    assert not Tenant.objects.exists()


def test_a_slug_is_given_once() -> None:
    create_tenant(fields=TenantFields(slug="east", name="East"))
    with pytest.raises(Invalid) as refused:
        create_tenant(fields=TenantFields(slug="east", name="Other"))
    assert refused.value.problems[0].code == "taken"


def test_what_fails_on_the_way_leaves_no_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble() -> None:
        raise RuntimeError

    monkeypatch.setattr(tenants, "_preparations", [stumble])
    with pytest.raises(RuntimeError):
        create_tenant(fields=TenantFields(slug="east", name="East"))
    assert not Tenant.objects.exists()
