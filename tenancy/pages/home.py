"""After sign-in: straight into the only tenant, or a choice between several."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tenancy.queries.tenants import memberships_of


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the tenants the user is a member of; with one only, go there."""
    memberships = memberships_of(int(request.user.pk or 0))
    if len(memberships) == 1 and "choose" not in request.GET:
        return redirect(f"/t/{memberships[0].tenant.slug}/")
    return render(request, "tenancy/home.html", {"memberships": memberships})
