"""Who may call: keys and sessions of this tenant, alive, with role and scope."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.utils import timezone

from tenancy.models import ApiKey
from tests.api.calls import Caller, by_key, by_session, key_of
from tests.cast import House


def test_a_key_of_the_tenant_is_recognised(north: House) -> None:
    answer = by_key(north, "planner").get("me")
    assert answer.status_code == 200, answer.content
    assert answer.json()["role"] == "planner"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_member_calls_by_session(north: House) -> None:
    assert by_session(north, "viewer").get("me").json()["role"] == "viewer"


def test_without_credentials_the_answer_is_401_as_a_problem(north: House) -> None:
    answer = Caller(north).get("me")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"


def test_an_unknown_tenant_answers_like_one_the_key_does_not_fit(
    north: House, south: House
) -> None:
    headers = {"Authorization": f"Bearer {key_of(north)}"}
    foreign = Caller(south, headers=headers).get("me")
    missing = Caller(south, headers=headers).get("/api/v1/nobody/me")
    assert foreign.status_code == missing.status_code == 401
    assert _body(foreign) == _body(missing)


def test_a_strangers_tenant_answers_like_a_missing_one(north: House, south: House) -> None:
    caller = by_session(north)
    foreign, missing = caller.get("/api/v1/south/me"), caller.get("/api/v1/nobody/me")
    assert foreign.status_code == missing.status_code == 404
    assert _body(foreign) == _body(missing)


def test_revoked_expired_and_wrong_keys_are_refused(north: House) -> None:
    caller = by_key(north)
    assert caller.get("me").status_code == 200
    with north.scope():
        key = ApiKey.objects.get()
        ApiKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert caller.get("me").status_code == 401
    with north.scope():
        ApiKey.objects.update(expires_at=None)
    assert caller.get("me").status_code == 200
    assert caller.post(f"api-keys/{key.pk}/revoke").status_code == 200
    assert caller.get("me").status_code == 401
    assert Caller(north, headers={"Authorization": "Bearer sc_x_y"}).get("me").status_code == 401
    assert Caller(north, headers={"Authorization": "Basic eDp5"}).get("me").status_code == 401


def test_a_wrong_key_beside_a_good_session_is_refused(north: House) -> None:
    caller = by_session(north)
    caller.headers = {"Authorization": "Bearer sc_wrong"}
    assert caller.get("me").status_code == 401


def test_a_key_needs_the_scope_as_well_as_the_role(north: House) -> None:
    assert by_key(north, "owner", ["read"]).get("members").status_code == 403
    assert by_key(north, "viewer", ["read", "manage_members"]).get("members").status_code == 403
    assert by_key(north, "manager", ["manage_members"]).get("members").status_code == 200


def test_a_write_by_session_needs_the_csrf_token(north: House) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(north.members["owner"], backend="django.contrib.auth.backends.ModelBackend")
    body = {"name": "k", "role": "viewer", "scopes": ["read"]}
    refused = Caller(north, client=client).post("api-keys", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    # control: the same with the token is accepted

    client.cookies["csrftoken"] = token = "a" * 32
    assert Caller(north, client=client).post("api-keys", body, X_CSRFToken=token).status_code == 201


def test_the_secret_is_shown_once_and_stored_nowhere(north: House) -> None:
    caller = by_session(north)
    body = {"name": "shop", "role": "operator", "scopes": ["read", "floor_work"]}
    first = caller.post("api-keys", body, Idempotency_Key="one")
    again = caller.post("api-keys", body, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    secret = first.json()["secret"]
    assert secret.startswith(first.json()["api_key"]["prefix"])
    assert again.json()["secret"] == "(shown once)"
    assert secret not in caller.get("api-keys").content.decode()
    with north.scope():
        assert ApiKey.objects.count() == 1
        assert secret not in str(ApiKey.objects.values().get())


def test_a_key_cannot_do_more_than_its_maker(north: House) -> None:
    body = {"name": "k", "role": "owner", "scopes": ["read"]}
    answer = by_session(north, "manager").post("api-keys", body)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "role")


def _body(answer: object) -> dict[str, object]:
    body = answer.json()  # type: ignore[attr-defined]
    body.pop("request_id")
    return body
