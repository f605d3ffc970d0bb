"""Settings: in which warehouses a member works."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.fields import sent
from inventory.queries.access import access_of
from inventory.queries.places import warehouses
from inventory.services.access import set_warehouse_access
from tenancy.models import Role
from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, send_form
from tenancy.permissions import Permission, require
from tenancy.queries.members import get_member

MEMBERS = "tenancy:member_list"
EVERYWHERE, SOME = "everywhere", "some"


class AccessForm(forms.Form):
    reach = forms.ChoiceField(
        label=gettext_lazy("Works in"),
        widget=forms.RadioSelect,
        choices=[
            (EVERYWHERE, gettext_lazy("Every warehouse")),
            (SOME, gettext_lazy("Only the warehouses chosen below")),
        ],
    )
    warehouse_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Warehouses"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), f"{w.name} ({w.code})") for w in warehouses()]
        self.fields["warehouse_ids"].choices = known  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a restriction to no warehouse: that would lift it."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("reach") == SOME and not data.get("warehouse_ids"):
            self.add_error("warehouse_ids", _("Choose one warehouse at least."))
        return data


def member_warehouses(request: HttpRequest, tenant: str, member_id: int) -> HttpResponse:
    """Show and choose the warehouses a member works in."""
    require(Permission.MANAGE_MEMBERS)
    member = get_member(member_id)
    known = [warehouse.pk for warehouse in access_of(member.pk)]
    initial = {"reach": SOME if known else EVERYWHERE, "warehouse_ids": known}
    form = AccessForm(sent(request), initial=initial)

    def change(data: dict[str, Any]) -> str:
        chosen = data["warehouse_ids"] if data["reach"] == SOME else []
        set_warehouse_access(membership_id=member.pk, warehouse_ids=chosen)
        return address(request, MEMBERS)

    if request.method == "POST":
        done = _("The member's warehouses were changed; it holds from the next click on.")
        answer = send_form(request, form, change, done)
        if answer is not None:
            return answer
    return show_setting(
        request,
        "inventory/member_warehouses.html",
        MEMBERS,
        form=form,
        member=member,
        is_owner=member.role == Role.OWNER,
        status=UNPROCESSABLE if form.errors else 200,
    )
