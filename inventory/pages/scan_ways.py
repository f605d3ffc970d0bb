"""Where a command code leads from any handheld page: ``!pack`` begins packing."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Text
from tenancy.pages.web import address

WAYS: dict[str, tuple[str, Text]] = {
    "scan": ("inventory:scan", _("Scan anything")),
    "receive": ("inventory:scan_receive", _("Receive a delivery")),
    "put-away": ("inventory:scan_put_away", _("Put goods away")),
    "pick": ("inventory:scan_pick_start", _("Pick")),
    "pack": ("inventory:scan_pack", _("Pack")),
    "ship": ("inventory:scan_ship", _("Ship")),
    "count": ("inventory:scan_count_place", _("Count a place")),
    "move": ("inventory:scan_move", _("Move stock")),
    "adjust": ("inventory:scan_adjust", _("Adjust stock")),
    "return": ("inventory:scan_receive_return", _("Receive a return")),
}


def way(request: HttpRequest, command: str) -> str:
    """Return the address that the command leads to, empty for none."""
    found = WAYS.get(command)
    return address(request, found[0]) if found else ""
