"""What every new tenant has in its inventory from the first day."""

from __future__ import annotations

from inventory.models import Channel, ChannelKind
from tenancy.scope import active_scope

FIRST_CHANNEL = "direct"


def prepare_inventory() -> None:
    """Create the first channel of the active tenant; a demo brings its own."""
    if active_scope().tenant.is_demo:
        return
    # a name of the tenant's, to be changed at will: not a text of ours to translate
    Channel.objects.create(code=FIRST_CHANNEL, name="Direct sales", kind=ChannelKind.OFFLINE)
