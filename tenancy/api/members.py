"""Members: listed, added, given another role, switched off."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.parameters import choice_filter, flag_filter
from tenancy.api.views import TenantView
from tenancy.models import Membership, Role
from tenancy.permissions import Permission
from tenancy.queries import members
from tenancy.services.members import add_member, change_role, deactivate_member, reactivate_member


class MemberShown(Shown[Membership]):
    id = serializers.IntegerField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.get_full_name")
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class NewMember(Strict):
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    full_name = serializers.CharField(max_length=200, required=False)


class MemberChange(Strict):
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)


class MemberList(TenantView):
    @listing(
        Endpoint("list_members", Permission.MANAGE_MEMBERS, "Members"),
        Listing(
            MemberShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "role": choice_filter("role", Role.choices),
                "is_active": flag_filter("is_active"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return members.members()

    @writing(
        Endpoint("add_member", Permission.MANAGE_MEMBERS, "Add a member"),
        Writing(MemberShown, NewMember, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return add_member(**data)


class MemberDetail(TenantView):
    @writing(
        Endpoint("change_member", Permission.MANAGE_MEMBERS, "Change a member's role or access"),
        Writing(MemberShown, MemberChange, partial=True),
    )
    def patch(self, request: Request, membership_id: int, *, data: dict[str, Any]) -> Any:
        membership = members.get_member(membership_id)
        if "role" in data:
            membership = change_role(membership_id=membership_id, role=data["role"])
        if "is_active" in data:
            change = reactivate_member if data["is_active"] else deactivate_member
            membership = change(membership_id=membership_id)
        return membership
