"""Settings: members, their roles, and whether they may still come in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from tenancy.models import Role
from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.queries.members import members
from tenancy.scope import Actor
from tenancy.services.members import (
    add_member,
    change_role,
    deactivate_member,
    reactivate_member,
)

TAB = "tenancy:member_list"
ROLE_TEXTS = {
    Role.VIEWER: gettext_lazy("reads"),
    Role.OPERATOR: gettext_lazy("does floor work"),
    Role.PLANNER: gettext_lazy("also buys, plans and forecasts"),
    Role.MANAGER: gettext_lazy("also imports, adjusts, manages members and keys"),
    Role.OWNER: gettext_lazy("also changes the company and its owners"),
}


class MemberForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    full_name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=150,
        help_text=gettext_lazy("Used when the person has no account yet."),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.OPERATOR)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, f"{role.label}: {ROLE_TEXTS[role]}") for role in _roles(actor)
        ]


def member_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List members, oldest first, and add one by e-mail address."""
    actor = require(Permission.MANAGE_MEMBERS)
    form = MemberForm(request.POST or None, actor=actor)

    def add(data: dict[str, Any]) -> str:
        add_member(**data)
        return address(request, TAB)

    if request.method == "POST":
        done = _("The member was added. A new account sets its password through “Forgot password”.")
        answer = send_form(request, form, add, done)
        if answer is not None:
            return answer
    page = keyset_page(members(), order=("id",), cursor=request.GET.get("cursor", ""))
    is_owner = actor.role == Role.OWNER
    return show_setting(
        request,
        "tenancy/member_list.html",
        TAB,
        form=form,
        rows=[
            (member, member.user_id == actor.id, is_owner or member.role != Role.OWNER)
            for member in page.items
        ],
        roles=[(role.value, role.label) for role in _roles(actor)],
        next_cursor=page.next_cursor,
        status=UNPROCESSABLE if form.errors else 200,
    )


@require_POST
def member_role(request: HttpRequest, tenant: str, member_id: int) -> HttpResponse:
    """Give a member another role."""
    require(Permission.MANAGE_MEMBERS)
    return do(
        request,
        lambda: change_role(membership_id=member_id, role=request.POST.get("role", "")),
        done=_("The role was changed; it holds from the next click on."),
        target=address(request, TAB),
    )


@require_POST
def member_deactivate(request: HttpRequest, tenant: str, member_id: int) -> HttpResponse:
    """Take a member's access away."""
    require(Permission.MANAGE_MEMBERS)
    return do(
        request,
        lambda: deactivate_member(membership_id=member_id),
        done=_("The member has no access any more."),
        target=address(request, TAB),
    )


@require_POST
def member_reactivate(request: HttpRequest, tenant: str, member_id: int) -> HttpResponse:
    """Give a member's access back."""
    require(Permission.MANAGE_MEMBERS)
    return do(
        request,
        lambda: reactivate_member(membership_id=member_id),
        done=_("The member has access again."),
        target=address(request, TAB),
    )


def _roles(actor: Actor) -> list[Role]:
    """Return the roles the actor may give: only owners make owners."""
    return [role for role in Role if role != Role.OWNER or actor.role == Role.OWNER]
