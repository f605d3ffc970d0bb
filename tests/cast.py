"""The cast of every test: tenants *north* and *south*, their people, and a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from tenancy.models import Membership, Role, Tenant, User
from tenancy.scope import Actor, tenant_scope

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class House:
    """A tenant and one member of each role."""

    tenant: Tenant
    members: dict[str, User]

    def actor(self, role: str = "owner") -> Actor:
        """Return the member of that role as an actor."""
        user = self.members[role]
        return Actor(kind="user", id=user.pk, label=str(user), role=role)

    def scope(self, role: str = "owner") -> Any:
        """Open this tenant's scope as the member of that role."""
        return tenant_scope(self.tenant, actor=self.actor(role))

    def client(self, role: str = "owner") -> Client:
        """Return a browser signed in as the member of that role."""
        client = Client()
        client.force_login(self.members[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    def path(self, rest: str = "") -> str:
        """Return the address of a page of this tenant."""
        return f"/t/{self.tenant.slug}/{rest}"


def make_house(slug: str, **fields: Any) -> House:
    """Create a tenant with a member of each role (viewer, operator, planner, manager, owner)."""
    defaults = {
        "name": slug.title(),
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "country": "DE",
    }
    tenant = Tenant.objects.create(slug=slug, **(defaults | fields))
    # at once and with one hash: nearly every test begins here
    password = make_password(PASSWORD)
    users = User.objects.bulk_create(
        User(email=f"{role}@{slug}.example", password=password) for role in Role.values
    )
    members = dict(zip(Role.values, users, strict=True))
    with tenant_scope(tenant, actor=Actor.system("test")):
        Membership.objects.bulk_create(
            Membership(user=user, role=role) for role, user in members.items()
        )
    return House(tenant=tenant, members=members)


@pytest.fixture
def north(db: None) -> House:
    return make_house("north")


@pytest.fixture
def south(db: None) -> House:
    return make_house("south", time_zone="Asia/Kathmandu", currency="USD", country="US")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger@nowhere.example", PASSWORD)


@pytest.fixture
def in_north(north: House) -> Iterator[House]:
    """The scope of *north*, as its owner, for the length of the test."""
    with north.scope():
        yield north
