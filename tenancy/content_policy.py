"""The content security policy of each page: strict on ours, as wide as needed on foreign ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

FOREIGN_PAGES = ("/admin/", "/api/docs")
"""Unfold (Alpine) and Swagger write inline scripts and styles; nothing of them is from outside."""
FOREIGN_POLICY: dict[str, Any] = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


class ContentPolicyMiddleware(CSPMiddleware):
    """Sends the policy of the settings; pages of other projects may also run what is inline."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return what the header is built from."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(FOREIGN_PAGES):
            return replace(parts, replace=FOREIGN_POLICY)
        return parts
