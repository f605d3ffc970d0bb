"""The digest of warnings by mail: the caller's own choice."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.digest import wants_digest
from forecasting.services.digest import choose_digest
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission
from tenancy.scope import active_scope


class DigestShown(serializers.Serializer[Any]):
    wanted = serializers.BooleanField()


class DigestChoice(Strict):
    wanted = serializers.BooleanField()


def _own_user_id() -> int:
    """Return who calls by session; nobody calls by key, which has no mailbox."""
    actor = active_scope().actor
    return actor.id if actor.kind == "user" and actor.id is not None else 0


class Digest(TenantView):
    @reading(
        Endpoint("get_warning_digest", Permission.PLAN, "Whether the warnings come by mail"),
        DigestShown,
    )
    def get(self, request: Request) -> Any:
        return {"wanted": wants_digest(_own_user_id())}

    @writing(
        Endpoint("choose_warning_digest", Permission.PLAN, "Get the warnings by mail, or not"),
        Writing(DigestShown, DigestChoice),
    )
    def put(self, request: Request, *, data: dict[str, Any]) -> Any:
        choose_digest(user_id=_own_user_id(), wanted=data["wanted"])
        return {"wanted": data["wanted"]}
