"""What every new tenant has in its inventory from the first day."""

from __future__ import annotations

from inventory.models import Channel, ChannelKind
from inventory.services.numbers import open_numbers
from tenancy.scope import active_scope

FIRST_CHANNEL = "direct"


def prepare_inventory() -> None:
    """Prepare document numbers and the first channel of the active tenant.

    A demo brings its own channels.
    """
    open_numbers()
    if active_scope().tenant.is_demo:
        return
    # a name of the tenant's, to be changed at will: not a text of ours to translate
    Channel.objects.create(code=FIRST_CHANNEL, name="Direct sales", kind=ChannelKind.OFFLINE)
