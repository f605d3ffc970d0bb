"""Calling the API in tests: by key or by session, always JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client

from tenancy.permissions import Permission
from tenancy.services.api_keys import create_api_key
from tests.cast import House

EVERYTHING = [permission.value for permission in Permission]


@dataclass
class Caller:
    """A client of one tenant's API."""

    house: House
    client: Client = field(default_factory=Client)
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(self.url(path), query, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method,
            self.url(path),
            content,
            content_type="application/json",
            headers=self.headers
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        headers.setdefault("Idempotency_Key", uuid4().hex)
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def url(self, path: str) -> str:
        return (
            path if path.startswith(("/", "http")) else f"/api/v1/{self.house.tenant.slug}/{path}"
        )


def key_of(house: House, role: str = "owner", scopes: list[str] | None = None) -> str:
    """Return the secret of a new API key."""
    with house.scope():
        return create_api_key(name="test", role=role, scopes=scopes or EVERYTHING).secret


def by_key(house: House, role: str = "owner", scopes: list[str] | None = None) -> Caller:
    """Return a caller with a key of that role."""
    return Caller(house, headers={"Authorization": f"Bearer {key_of(house, role, scopes)}"})


def by_session(house: House, role: str = "owner") -> Caller:
    """Return a caller signed in as the member of that role."""
    return Caller(house, client=house.client(role))
