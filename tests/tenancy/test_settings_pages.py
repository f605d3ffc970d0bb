"""Pages of the settings: company, members, API keys, audit trail, and who may open which."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tenancy.models import ApiKey, AuditEvent, IdempotencyKey, Membership, Role, Tenant, User
from tenancy.services.members import deactivate_member
from tests.cast import House

COMPANY = {"name": "North", "time_zone": "Europe/Berlin", "currency": "EUR", "country": "DE"}
KEY = {"name": "web shop", "role": "planner", "lifetime_days": "30", "scopes": ["read", "buy"]}
PAGES = {
    "settings/": set(Role.values),
    "settings/members/": {"manager", "owner"},
    "settings/api-keys/": {"manager", "owner"},
    "settings/api-keys/new/": {"manager", "owner"},
    "settings/audit/": {"manager", "owner"},
}


def membership(house: House, role: str) -> Membership:
    with house.scope():
        return Membership.objects.get(user=house.members[role])


def post(house: House, role: str, rest: str, form: Any = None, **more: Any) -> Any:
    return house.client(role).post(house.path(f"settings/{rest}"), form or {}, **more)


# -- who may open what ----------------------------------------------------------------------------
@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_for_those_who_may_and_the_tabs_agree(
    north: House, page: str, role: str
) -> None:
    client = north.client(role)
    assert client.get(north.path(page)).status_code == (200 if role in PAGES[page] else 403)
    tabs = client.get(north.path("settings/")).content.decode()
    if not page.endswith("new/"):
        assert (f'href="{north.path(page)}"' in tabs) is (role in PAGES[page])


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_no_settings(north: House, stranger: User, page: str) -> None:
    visitor = Client()
    visitor.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert visitor.get(north.path(page)).status_code == 404
    assert visitor.post(north.path(page)).status_code == 404


# -- company --------------------------------------------------------------------------------------
def test_an_owner_changes_the_company_and_the_trail_says_what_it_was(north: House) -> None:
    answer = post(north, "owner", "", COMPANY | {"name": "Nord", "currency": "CHF"})
    assert answer.status_code == 302
    changed = Tenant.objects.get(pk=north.tenant.pk)
    assert (changed.name, changed.currency) == ("Nord", "CHF")
    with north.scope():
        event = AuditEvent.objects.get(action="tenant.changed")
        assert event.data == {
            "before": {"name": "North", "currency": "EUR"},
            "after": {"name": "Nord", "currency": "CHF"},
        }


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Base"), ("currency", "euro"), ("country", "ger"), ("name", "")],
)
def test_a_wrong_company_is_refused_at_its_field(north: House, field: str, value: str) -> None:
    answer = post(north, "owner", "", COMPANY | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Tenant.objects.get(pk=north.tenant.pk).name == "North"


def test_only_an_owner_changes_the_company(north: House) -> None:
    assert post(north, "manager", "", COMPANY | {"name": "Nord"}).status_code == 403
    assert Tenant.objects.get(pk=north.tenant.pk).name == "North"


# -- members --------------------------------------------------------------------------------------
def test_a_manager_adds_a_member_and_a_second_press_adds_nobody(north: House) -> None:
    form = {
        "email": "new@north.example",
        "full_name": "New Person",
        "role": "operator",
        "idempotency_key": uuid4().hex,
    }
    client = north.client("manager")
    answers = [client.post(north.path("settings/members/"), form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    with north.scope():
        added = Membership.objects.get(user__email="new@north.example")
        assert added.role == "operator"
        assert str(added.user) == "New Person"


@pytest.mark.parametrize(
    ("email", "words"),
    [("viewer@north.example", "is a member already"), ("nobody", "valid email address")],
)
def test_a_member_that_cannot_be_added_is_told_why(north: House, email: str, words: str) -> None:
    answer = post(north, "manager", "members/", {"email": email, "role": "viewer"})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_manager_makes_no_owner(north: House) -> None:
    form = {"email": "new@north.example", "role": "owner"}
    assert post(north, "manager", "members/", form).status_code == 422
    viewer = membership(north, "viewer")
    assert (
        post(north, "manager", f"members/{viewer.pk}/role/", {"role": "owner"}).status_code == 403
    )
    assert membership(north, "viewer").role == "viewer"


def test_a_role_is_changed_and_holds_from_the_next_click(north: House) -> None:
    viewer = membership(north, "viewer")
    assert north.client("viewer").get(north.path("settings/audit/")).status_code == 403
    post(north, "owner", f"members/{viewer.pk}/role/", {"role": "manager"})
    assert north.client("viewer").get(north.path("settings/audit/")).status_code == 200


def test_the_last_owner_stays(north: House) -> None:
    owner = membership(north, "owner")
    for rest, form in (("role/", {"role": "viewer"}), ("deactivate/", {})):
        answer = post(north, "owner", f"members/{owner.pk}/{rest}", form, follow=True)
        assert "this is the only one" in answer.content.decode()
    kept = membership(north, "owner")
    assert (kept.role, kept.is_active) == ("owner", True)


def test_access_is_taken_away_at_once_and_given_back(north: House) -> None:
    viewer = membership(north, "viewer")
    client = north.client("viewer")
    assert client.get(north.path("settings/")).status_code == 200
    post(north, "manager", f"members/{viewer.pk}/deactivate/")
    assert client.get(north.path("settings/")).status_code == 404
    post(north, "manager", f"members/{viewer.pk}/reactivate/")
    assert client.get(north.path("settings/")).status_code == 200


def test_a_manager_has_no_buttons_at_an_owner(north: House) -> None:
    owner, viewer = membership(north, "owner"), membership(north, "viewer")
    html = north.client("manager").get(north.path("settings/members/")).content.decode()
    assert f"/members/{viewer.pk}/role/" in html
    assert f"/members/{owner.pk}/role/" not in html


@pytest.mark.parametrize("rest", ["role/", "deactivate/", "reactivate/"])
def test_a_member_of_another_tenant_is_not_found(north: House, south: House, rest: str) -> None:
    foreign = membership(north, "viewer")
    form = {"role": "manager"}
    assert post(south, "owner", f"members/{foreign.pk}/{rest}", form).status_code == 404
    assert post(north, "operator", f"members/{foreign.pk}/{rest}", form).status_code == 403
    assert membership(north, "viewer").role == "viewer"


# session, user, tenant, savepoint, scope, membership, members, scope left, release
MEMBER_QUERIES = 9


def test_the_members_take_the_same_number_of_questions_however_many(
    north: House, django_assert_num_queries
) -> None:
    client = north.client("owner")
    with django_assert_num_queries(MEMBER_QUERIES):
        client.get(north.path("settings/members/"))
    for number in range(4):
        form = {"email": f"more{number}@north.example", "role": "viewer"}
        client.post(north.path("settings/members/"), form)
    client.get(north.path("settings/members/"))  # takes the messages
    with django_assert_num_queries(MEMBER_QUERIES):
        client.get(north.path("settings/members/"))


# -- API keys -------------------------------------------------------------------------------------
def test_a_key_is_shown_once_and_works(north: House) -> None:
    html = post(north, "manager", "api-keys/new/", KEY).content.decode()
    found = re.search(r'data-copy="(sc_[^"]+)"', html)
    assert found
    headers = {"Authorization": f"Bearer {found.group(1)}"}
    assert Client().get("/api/v1/north/me", headers=headers).status_code == 200
    assert (
        found.group(1)
        not in north.client("manager").get(north.path("settings/api-keys/")).content.decode()
    )


def test_the_secret_is_stored_nowhere(north: House) -> None:
    form = KEY | {"idempotency_key": uuid4().hex}
    html = post(north, "manager", "api-keys/new/", form).content.decode()
    secret = re.search(r'data-copy="(sc_[^"]+)"', html).group(1)
    with north.scope():
        key = ApiKey.objects.get()
        stored = [str(vars(key)), *(str(row.response) for row in IdempotencyKey.objects.all())]
    assert not any(secret in text for text in stored)


def test_pressing_create_twice_makes_one_key_and_shows_it_once(north: House) -> None:
    client = north.client("manager")
    form = KEY | {"idempotency_key": uuid4().hex}
    path = north.path("settings/api-keys/new/")
    assert 'data-copy="sc_' in client.post(path, form).content.decode()
    again = client.post(path, form, follow=True)
    assert "created already" in again.content.decode()
    assert 'data-copy="sc_' not in again.content.decode()
    with north.scope():
        assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("role", "owner"), ("scopes", []), ("scopes", ["fly"]), ("lifetime_days", "9")],
)
def test_a_wrong_key_is_refused_at_its_field(north: House, field: str, value: Any) -> None:
    answer = post(north, "manager", "api-keys/new/", KEY | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    with north.scope():
        assert ApiKey.objects.count() == 0


def test_a_revoked_key_works_no_more(north: House) -> None:
    html = post(north, "manager", "api-keys/new/", KEY).content.decode()
    secret = re.search(r'data-copy="(sc_[^"]+)"', html).group(1)
    with north.scope():
        key = ApiKey.objects.get()
    post(north, "manager", f"api-keys/{key.pk}/revoke/")
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/north/me", headers=headers).status_code == 401
    listed = north.client("manager").get(north.path("settings/api-keys/")).content.decode()
    assert "Revoked" in listed


def test_a_key_of_another_tenant_is_not_found(north: House, south: House) -> None:
    post(north, "manager", "api-keys/new/", KEY)
    with north.scope():
        key = ApiKey.objects.get()
    assert post(south, "owner", f"api-keys/{key.pk}/revoke/").status_code == 404
    assert post(north, "planner", f"api-keys/{key.pk}/revoke/").status_code == 403
    with north.scope():
        assert ApiKey.objects.get().revoked_at is None


# -- audit trail ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("", True),
        ("q=member.", True),
        ("q=owner@", True),
        ("q=nobody", False),
        ("subject=Membership", True),
        ("subject=ApiKey", False),
    ],
)
def test_the_trail_is_filtered_by_action_person_and_subject(
    north: House, query: str, is_shown: bool
) -> None:
    viewer = membership(north, "viewer")
    with north.scope():
        deactivate_member(membership_id=viewer.pk)
    html = north.client("manager").get(north.path(f"settings/audit/?{query}")).content.decode()
    assert ("member.deactivated" in html) is is_shown


def test_the_trail_shows_nothing_of_another_tenant(north: House, south: House) -> None:
    post(north, "owner", "", COMPANY | {"name": "Secretive"})
    html = south.client("owner").get(south.path("settings/audit/")).content.decode()
    assert "Secretive" not in html


# session, user, tenant, savepoint, scope, membership, events, scope left, release
AUDIT_QUERIES = 9


def test_the_trail_takes_the_same_number_of_questions_however_long(
    north: House, django_assert_num_queries
) -> None:
    client = north.client("owner")
    with django_assert_num_queries(AUDIT_QUERIES):
        client.get(north.path("settings/audit/"))
    for number in range(5):
        post(north, "owner", "", COMPANY | {"name": f"North {number}"})
    with django_assert_num_queries(AUDIT_QUERIES):
        client.get(north.path("settings/audit/"))


def test_moments_read_in_the_time_zone_of_the_company(north: House, south: House) -> None:
    """09:30 UTC in July is 11:30 in Berlin and 15:15 in Kathmandu."""
    for house, shown in ((north, "11:30"), (south, "15:15")):
        with house.scope():
            AuditEvent.objects.create(
                action="test.noted",
                subject_kind="Tenant",
                at=dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC),
            )
        html = house.client("owner").get(house.path("settings/audit/")).content.decode()
        assert f"1 Jul 2026, {shown}" in html


@pytest.mark.parametrize("cursor", ["zzz", "%00", "W10", "e30"])
@pytest.mark.parametrize("page", ["settings/audit/", "jobs/", "suppliers/"])
def test_a_tampered_page_link_is_refused_in_words(north: House, page: str, cursor: str) -> None:
    answer = north.client("owner").get(north.path(f"{page}?cursor={cursor}"))
    assert answer.status_code == 400
    assert "bare-card" in answer.content.decode()


def test_a_tampered_form_key_does_no_harm(north: House) -> None:
    form = COMPANY | {"name": "Nord", "idempotency_key": "a\0b"}
    assert post(north, "owner", "", form).status_code == 302
    assert Tenant.objects.get(pk=north.tenant.pk).name == "Nord"
