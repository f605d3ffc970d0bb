"""Default deny for whatever view forgets to be a ``TenantView``."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission


class Nobody(BasePermission):
    """Nobody may, unless the view says otherwise."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False
