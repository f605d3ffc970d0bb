"""Suggested buffers of channels: why each number, accepted or dismissed."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from forecasting.models import BufferSuggestion, SuggestionState
from forecasting.pages.actions import attempt, chosen_ids, go_back
from forecasting.queries.buffers import buffer_steps, get_buffer_suggestion
from forecasting.services.buffers import accept_buffers, dismiss_buffers, replay_buffer
from tenancy.permissions import Permission, require


@require_safe
def buffer_detail(request: HttpRequest, tenant: str, buffer_suggestion_id: int) -> HttpResponse:
    """Show why so many units are to be kept from a channel, decided again if asked."""
    require(Permission.READ)
    suggestion = get_buffer_suggestion(buffer_suggestion_id)
    context = {
        "suggestion": suggestion,
        "steps": buffer_steps(suggestion),
        "replay": replay_buffer(suggestion) if request.GET.get("check") == "yes" else None,
        "is_open": suggestion.state == SuggestionState.NEW,
        "nav_section": "channel_demand",
    }
    return render(request, "forecasting/buffer_detail.html", context)


@require_POST
def buffers_decide(request: HttpRequest, tenant: str) -> HttpResponse:
    """Keep the ticked buffers from now on, or dismiss them."""
    ids = chosen_ids(request, "buffer")
    match request.POST.get("action"):
        case "accept":
            attempt(request, lambda: accept_buffers(buffer_suggestion_ids=ids), _said)
        case "dismiss":
            attempt(request, lambda: dismiss_buffers(buffer_suggestion_ids=ids), _said)
        case _:
            raise Http404
    return go_back(request, reverse("forecasting:channel_demand", args=[tenant]))


def _said(rows: list[BufferSuggestion]) -> str:
    words: dict[str, Any] = {"count": len(rows), "state": rows[0].get_state_display()}
    return (
        ngettext(
            "%(count)d buffer is now: %(state)s.",
            "%(count)d buffers are now: %(state)s.",
            len(rows),
        )
        % words
    )
