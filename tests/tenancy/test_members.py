"""Members: added, promoted, switched off; the last owner stays."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import AuditEvent, Membership, User
from tenancy.permissions import PermissionRefused
from tenancy.scope import Actor, run_in_scope
from tenancy.services.members import (
    AlreadyMember,
    LastOwner,
    add_member,
    change_role,
    deactivate_member,
    reactivate_member,
)
from tests.cast import House


def _membership(house: House, role: str) -> Membership:
    return Membership.objects.get(user=house.members[role])


def test_a_new_person_gets_an_account_and_a_membership(in_north: House) -> None:
    membership = add_member(email="New@North.example", role="planner", full_name="Ada Long Name")
    assert (membership.user.email, membership.user.get_full_name()) == (
        "new@north.example",
        "Ada Long Name",
    )
    assert membership.user.has_usable_password()  # or the reset link would refuse it
    assert AuditEvent.objects.filter(action="member.added", subject_id=membership.pk).exists()


def test_somebody_of_another_tenant_keeps_the_same_account(north: House, south: House) -> None:
    with north.scope():
        membership = add_member(email="OWNER@south.example", role="viewer")
    assert membership.user_id == south.members["owner"].pk
    assert User.objects.filter(email__iexact="owner@south.example").count() == 1


def test_nobody_is_added_twice(in_north: House) -> None:
    with pytest.raises(AlreadyMember):
        add_member(email="viewer@north.example", role="planner")


@pytest.mark.parametrize(("email", "role"), [("nonsense", "viewer"), ("a@b.example", "king")])
def test_nonsense_is_refused(in_north: House, email: str, role: str) -> None:
    with pytest.raises(Invalid):
        add_member(email=email, role=role)


def test_a_planner_manages_nobody_and_a_manager_no_owner(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        add_member(email="a@b.example", role="viewer")
    with north.scope("manager"):
        assert add_member(email="a@b.example", role="manager").pk
        with pytest.raises(PermissionRefused):
            add_member(email="c@d.example", role="owner")
        with pytest.raises(PermissionRefused):
            change_role(membership_id=_membership(north, "viewer").pk, role="owner")
        with pytest.raises(PermissionRefused):
            deactivate_member(membership_id=_membership(north, "owner").pk)


def test_the_last_owner_stays(in_north: House) -> None:
    owner = _membership(in_north, "owner")
    with pytest.raises(LastOwner):
        deactivate_member(membership_id=owner.pk)
    with pytest.raises(LastOwner):
        change_role(membership_id=owner.pk, role="viewer")
    change_role(membership_id=_membership(in_north, "viewer").pk, role="owner")
    assert change_role(membership_id=owner.pk, role="viewer").role == "viewer"


def test_access_is_taken_and_given_back(in_north: House) -> None:
    operator = _membership(in_north, "operator")
    assert not deactivate_member(membership_id=operator.pk).is_active
    assert reactivate_member(membership_id=operator.pk).is_active


def test_a_foreign_member_is_a_missing_one(north: House, south: House) -> None:
    with south.scope():
        foreign = _membership(south, "viewer").pk
    with north.scope(), pytest.raises(NotFound):
        deactivate_member(membership_id=foreign)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_go(north: House) -> None:
    with north.scope():
        second = _membership(north, "viewer")
        change_role(membership_id=second.pk, role="owner")
        owners = [_membership(north, "owner").pk, second.pk]
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def leave(membership_id: int) -> None:
        barrier.wait()
        try:
            actor = Actor.system("test")
            run_in_scope(
                north.tenant, actor, lambda: deactivate_member(membership_id=membership_id)
            )
            outcomes.append("left")
        except Conflict as conflict:
            outcomes.append(conflict.code)
        connection.close()

    threads = [threading.Thread(target=leave, args=(pk,)) for pk in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["last_owner", "left"]
