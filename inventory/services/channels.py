"""Channels, and the stock that is kept for or from each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Channel, ChannelKind, ChannelStock, Product, Warehouse
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import check_version, load, save
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, kw_only=True)
class ChannelFields:
    code: str
    name: str
    kind: ChannelKind = ChannelKind.OFFLINE
    is_active: bool = True


@dataclass(frozen=True, kw_only=True)
class KeptStock:
    """Base units: ``ring_fenced`` is kept for the channel, ``buffer`` from it."""

    ring_fenced: Decimal = Decimal(0)
    buffer: Decimal = Decimal(0)


def create_channel(*, fields: ChannelFields) -> Channel:
    """Create a channel. Raises ``Invalid`` naming the field."""
    require(Permission.SELL)
    channel = save(Channel(**asdict(fields)))
    audit.record("channel.created", channel, code=channel.code)
    return channel


def update_channel(*, channel_id: int, fields: ChannelFields) -> Channel:
    """Replace what is said about a channel. Raises ``NotFound``, ``Invalid`` naming the field."""
    require(Permission.SELL)
    channel = load(Channel, channel_id, lock=True)
    given = asdict(fields)
    before = {n: str(getattr(channel, n)) for n, v in given.items() if getattr(channel, n) != v}
    if before:
        for name in before:
            setattr(channel, name, given[name])
        save(channel)
        after = {name: str(given[name]) for name in before}
        audit.record("channel.updated", channel, before=before, after=after)
    return channel


def set_channel_stock(
    *,
    channel_id: int,
    product_id: int,
    warehouse_id: int,
    kept: KeptStock,
    version: int | None = None,
) -> ChannelStock:
    """Say how much of a product is kept for a channel and from it; zero of both: nothing is.

    It holds for what is promised from now on. Raises ``NotFound``, ``Invalid``, ``StaleVersion``.
    """
    require(Permission.SELL)
    channel, product = load(Channel, channel_id), load(Product, product_id)
    warehouse = load(Warehouse, warehouse_id)
    problems = [
        Problem(name, fault.value, QUANTITY_FAULTS[fault])
        for name, quantity in asdict(kept).items()
        if quantity != 0 and (fault := quantity_fault(quantity, whole_units=product.whole_units))
    ]
    if problems:
        raise Invalid(problems)
    row = (
        ChannelStock.objects.select_for_update(of=("self",))
        .filter(channel=channel, product=product, warehouse=warehouse)
        .first()
    )
    if row is None:
        row = ChannelStock(channel=channel, product=product, warehouse=warehouse, version=0)
    else:
        check_version(row, version)
    before = KeptStock(ring_fenced=row.ring_fenced, buffer=row.buffer)
    row.ring_fenced, row.buffer, row.version = kept.ring_fenced, kept.buffer, row.version + 1
    try:
        save(row)
    except Invalid as refusal:
        if refusal.problems[0].code != "taken":
            raise
        message = _("Somebody else has just set this. Reload and try again.")
        raise Invalid.field("product_id", "taken", message) from refusal
    audit.record(
        "channel_stock.set",
        row,
        channel=channel.code,
        sku=product.sku,
        warehouse=warehouse.code,
        before={name: str(value) for name, value in asdict(before).items()},
        after={name: str(value) for name, value in asdict(kept).items()},
    )
    return row


def remove_channel_stock(*, channel_stock_id: int, version: int | None = None) -> None:
    """Keep nothing for or from the channel any more. Raises ``NotFound``, ``StaleVersion``."""
    require(Permission.SELL)
    row = load(ChannelStock, channel_stock_id, lock=True)
    check_version(row, version)
    audit.record("channel_stock.removed", row, channel=row.channel.code, sku=row.product.sku)
    row.delete()
