"""What the work lists share: filters by place and person, and taking work or giving it back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from inventory.models import WorkKind
from inventory.queries.places import warehouses, zones
from inventory.queries.worklists import FREE, MINE
from inventory.services.worklists import give_work_back, take_work
from tenancy.errors import NotFound
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import address, do
from tenancy.permissions import Permission, require

LARGEST_ID = 2**63 - 1


class WorkFilters(forms.Form):
    """Number, warehouse, zone and assignee; a list without zones leaves that field out."""

    q = search_field(gettext_lazy("Number"))
    warehouse = row_field(gettext_lazy("Warehouse"))
    zone = row_field(gettext_lazy("Zone"))
    assignee = forms.ChoiceField(
        label=gettext_lazy("Taken by"),
        required=False,
        choices=[
            ("", gettext_lazy("Anybody")),
            (MINE, gettext_lazy("Me")),
            (FREE, gettext_lazy("Nobody")),
        ],
    )

    def __init__(self, *args: Any, with_zones: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        offer(self, "warehouse", _("All warehouses"), known)
        if with_zones:
            offer(self, "zone", _("All zones"), [(str(z.pk), str(z)) for z in zones()])
        else:
            del self.fields["zone"]

    @property
    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, nothing for what cannot be."""
        return self.cleaned_data if self.is_valid() else {}


@require_POST
def work_take(request: HttpRequest, tenant: str) -> HttpResponse:
    """Take a piece of work from a list."""
    require(Permission.FLOOR_WORK)
    kind, subject_id = _subject(request)
    return do(
        request,
        lambda: take_work(kind=kind, subject_id=subject_id),
        done=_("The work is yours for half an hour; doing it holds it longer."),
        target=_next(request),
    )


@require_POST
def work_give_back(request: HttpRequest, tenant: str) -> HttpResponse:
    """Give a piece of work back to the list."""
    require(Permission.FLOOR_WORK)
    kind, subject_id = _subject(request)
    return do(
        request,
        lambda: give_work_back(kind=kind, subject_id=subject_id),
        done=_("Somebody else can take it now."),
        target=_next(request),
    )


def _subject(request: HttpRequest) -> tuple[WorkKind, int]:
    kind, subject = request.POST.get("kind", ""), request.POST.get("subject", "")
    is_id = subject.isascii() and subject.isdigit() and len(subject) < len(str(LARGEST_ID))
    if kind not in WorkKind.values or not is_id:
        raise NotFound("work", f"{kind} {subject}"[:80])
    return WorkKind(kind), int(subject)


def _next(request: HttpRequest) -> str:
    """Return where the button was, if that is a page of this site."""
    target = request.POST.get("next", "")
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()):
        return target
    return address(request, "inventory:pick_list")
