"""How a form's action ends: done or refused, said in a message, and back to where it came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from tenancy.errors import NotFound, Refused
from tenancy.pages.web import send_once

T = TypeVar("T")


def attempt(request: HttpRequest, work: Callable[[], T], said: Callable[[T], str]) -> T | None:
    """Do the work once per rendered form, all or nothing, and tell how it ended.

    Returns None when it was refused, and when the same form comes again: then only what was said
    is said again. A missing row and a missing right go on, to become 404 and 403.
    """
    results: list[T] = []

    def effect() -> str:
        results.append(work())
        return str(said(results[0]))

    try:
        text = send_once(request, effect)
    except NotFound:
        raise
    except Refused as refusal:
        messages.error(request, str(refusal))
        return None
    messages.success(request, text)
    return results[0] if results else None


def go_back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """Return to the page named by the form's ``next`` when it is one of ours, else to the usual."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return redirect(wanted)
    return redirect(otherwise)


def chosen_ids(request: HttpRequest, name: str) -> list[int]:
    """Return the ids ticked in a form; what is no id is left out."""
    return [int(value) for value in request.POST.getlist(name) if value.isdecimal()][:1000]
