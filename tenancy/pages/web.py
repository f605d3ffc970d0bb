"""What pages share: showing a template, sending a form once, and putting refusals into words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tenancy.errors import Invalid, NotFound, Refused
from tenancy.services.submissions import submit_once

UNPROCESSABLE = 422


def show(
    request: HttpRequest, template: str, nav: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of the tenant with ``nav`` as the current entry of the menu."""
    return render(request, template, {"nav_section": nav, **context}, status=status)


def address(request: HttpRequest, view_name: str, **kwargs: Any) -> str:
    """Return the address of a page of the request's tenant."""
    match = request.resolver_match
    slug = match.kwargs["tenant"] if match else None
    return reverse(view_name, kwargs={"tenant": slug, **kwargs})


def send_form(
    request: HttpRequest,
    form: BaseForm,
    effect: Callable[[dict[str, Any]], str],
    done: str | Callable[[], str],
) -> HttpResponse | None:
    """Run ``effect`` with the form's cleaned data, once; redirect to the address it returns.

    ``done`` may be a function, for what can only be said afterwards.

    Returns None when the form is wrong or the service refuses; the errors then stand in the form.
    """
    if not form.is_valid():
        return None
    try:
        target = send_once(request, lambda: effect(form.cleaned_data))
    except Refused as refusal:
        put_refusal(form, refusal)
        return None
    messages.success(request, done if isinstance(done, str) else done())
    return redirect(target)


def do(
    request: HttpRequest,
    effect: Callable[[], Any],
    *,
    done: str | Callable[[], str],
    target: str,
) -> HttpResponse:
    """Run a button's ``effect`` once, say what came of it, and go to ``target``.

    ``done`` may be a function, for what can only be said afterwards.

    ``NotFound`` goes on, to become a 404: the row was named by the address.
    """

    def run() -> str:
        effect()
        return target

    try:
        send_once(request, run)
    except NotFound:
        raise
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done if isinstance(done, str) else done())
    return redirect(target)


def send_once(request: HttpRequest, effect: Callable[[], str]) -> str:
    """Run the effect of a rendered form once; raise ``SentBefore`` for other contents afterwards.

    Files count by name and size.
    """
    sent = [(name, request.POST.getlist(name)) for name in sorted(request.POST)]
    files = [
        (name, file.name, file.size)
        for name in sorted(request.FILES)
        for file in request.FILES.getlist(name)
    ]
    told = [entry for entry in sent if entry[0] not in {"csrfmiddlewaretoken", "idempotency_key"}]
    contents = hashlib.sha256(repr((request.path, told, files)).encode()).hexdigest()
    key = request.POST.get("idempotency_key", "")
    return submit_once(key=key, effect=effect, contents=contents)


def put_refusal(form: BaseForm, refusal: Refused, names: Mapping[str, str] | None = None) -> None:
    """Show a service's refusal at the fields it names, the rest above the form."""
    if not isinstance(refusal, Invalid):
        form.add_error(None, str(refusal))
        return
    for problem in refusal.problems:
        name = (names or {}).get(problem.field, problem.field)
        form.add_error(name if name in form.fields else None, str(problem.message))
