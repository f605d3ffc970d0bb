"""Buffers of channels: suggested with every planning, kept when accepted, or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.decisions.buffers import (
    Buffer,
    ChannelNeed,
    expected_lost_margin,
    suggest_buffers,
)
from forecasting.decisions.lead_time_demand import ItemDemand
from forecasting.models import BufferSuggestion, ForecastRun, SuggestionState
from forecasting.queries.buffers import BufferCase, BufferCases
from forecasting.services.reorder_record import UNREADABLE, Replay
from forecasting.services.suggestion_rows import MILLIONTH
from inventory.models import ChannelStock
from inventory.queries.access import in_allowed
from inventory.services.channels import KeptStock, set_channel_stock
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit

LEAST_SHARE_SAVED = 0.05
"""A buffer that saves less of the margin that is expected to be lost is not worth the look."""
DISMISSED_FOR_DAYS = 30
DISMISSED_GROWTH = 1.5
MOST_AT_ONCE = 200
Key = tuple[int, int, int]


class BufferClosed(Conflict):
    """A suggested buffer was decided or superseded in the meantime."""

    code = "buffer_suggestion_closed"


class BufferChanged(Conflict):
    """Somebody set another buffer since it was suggested."""

    code = "buffer_changed"


@dataclass(frozen=True)
class DecidedBuffer:
    """A buffer worth setting: what it saves, and everything it came from."""

    case: BufferCase
    channel_id: int
    buffer: Decimal
    gain: float
    inputs: dict[str, Any]

    @property
    def key(self) -> Key:
        return self.case.product.pk, self.case.warehouse_id, self.channel_id


def decide_buffers(found: BufferCases) -> list[DecidedBuffer]:
    """Return the buffers that save margin against those there are, case by case."""
    decided = []
    for case in found.cases:
        buffers = suggest_buffers(case.needs, case.holding, whole_units=case.product.whole_units)
        now = {channel: float(units) for channel, units in case.kept.items()}
        if all(abs(now[one.key] - one.units) < 1e-9 for one in buffers):
            continue
        lost = expected_lost_margin(case.needs, case.stock, now)
        for one in buffers:
            if abs(now[one.key] - one.units) < 1e-9:
                continue
            after = expected_lost_margin(case.needs, case.stock, now | {one.key: one.units})
            if lost - after >= LEAST_SHARE_SAVED * lost > 0:
                decided.append(_decided(found, case, one, (lost, after)))
    return decided


def _decided(
    found: BufferCases, case: BufferCase, one: Buffer, lost: tuple[float, float]
) -> DecidedBuffer:
    channels = [
        {
            "channel_id": need.key,
            "name": found.names[need.key],
            "price": case.prices[need.key],
            "unit_margin": need.unit_margin,
            "mean_demand": need.demand.mean,
            "values": list(need.demand.values),
            "ring_fenced": need.ring_fenced,
            "buffer": float(case.kept[need.key]),
        }
        for need in case.needs
    ]
    protections = [
        {"channel_id": part.key, "units": part.units, "ratio": round(part.ratio, 6)}
        for part in one.protections
    ]
    inputs = {
        "days": round(case.days, 2),
        "holding": case.holding,
        "stock": case.stock,
        "whole_units": case.product.whole_units,
        "lost_before": round(lost[0], 4),
        "lost_after": round(lost[1], 4),
        "channels": channels,
        "protections": protections,
    }
    units = Decimal(str(one.units)).quantize(MILLIONTH)
    return DecidedBuffer(case, one.key, units, round(lost[0] - lost[1], 4), inputs)


def decide_buffer_again(suggestion: BufferSuggestion) -> Decimal:
    """Make the number again from what the suggestion kept."""
    inputs = suggestion.inputs
    needs = [
        ChannelNeed(
            one["channel_id"],
            ItemDemand(tuple(one["values"]), one["mean_demand"], 0, 0, 0, 0, beyond_horizon=False),
            one["unit_margin"],
            one["ring_fenced"],
        )
        for one in inputs["channels"]
    ]
    buffers = suggest_buffers(needs, inputs["holding"], whole_units=inputs["whole_units"])
    own = next(one for one in buffers if one.key == suggestion.channel_id)
    return Decimal(str(own.units)).quantize(MILLIONTH)


def replay_buffer(suggestion: BufferSuggestion) -> Replay:
    """Decide a buffer again; a difference says that the rule, or the record, has changed since."""
    try:
        return Replay(suggestion.buffer, decide_buffer_again(suggestion))
    except UNREADABLE:
        return Replay(suggestion.buffer, None)


def publish_buffers(
    run: ForecastRun, decided: Sequence[DecidedBuffer], today: date
) -> dict[str, int]:
    """Bring the open suggestions in line with what was decided; return counts."""
    open_rows = {_key(row): row for row in _locked(state=SuggestionState.NEW)}
    since = today - timedelta(days=DISMISSED_FOR_DAYS)
    dismissed = {
        _key(row): row
        for row in BufferSuggestion.objects.filter(
            state=SuggestionState.DISMISSED, decided_at__date__gt=since
        ).order_by("id")
    }
    fresh: list[BufferSuggestion] = []
    kept: set[Key] = set()
    for one in decided:
        old, no = open_rows.get(one.key), dismissed.get(one.key)
        before = one.case.kept[one.channel_id]
        if old is not None and (old.buffer, old.buffer_before) == (one.buffer, before):
            kept.add(one.key)
        elif old is not None or no is None or one.gain >= no.gain * DISMISSED_GROWTH:
            fresh.append(
                BufferSuggestion(
                    run=run,
                    channel_id=one.channel_id,
                    product=one.case.product,
                    warehouse_id=one.case.warehouse_id,
                    buffer=one.buffer,
                    buffer_before=before,
                    gain=one.gain,
                    inputs=one.inputs,
                )
            )
    gone = [row.pk for key, row in open_rows.items() if key not in kept]
    BufferSuggestion.objects.filter(pk__in=gone).update(state=SuggestionState.SUPERSEDED)
    BufferSuggestion.objects.bulk_create(fresh, batch_size=500)
    return {"new": len(fresh), "kept": len(kept), "superseded": len(gone)}


def accept_buffers(*, buffer_suggestion_ids: Sequence[int]) -> list[BufferSuggestion]:
    """Keep the suggested last units from their channels from now on; all or nothing.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``BufferClosed``, ``BufferChanged``.
    """
    require(Permission.SELL)
    rows = _lock_open(buffer_suggestion_ids)
    for row in rows:
        stock = ChannelStock.objects.filter(
            channel_id=row.channel_id, product_id=row.product_id, warehouse_id=row.warehouse_id
        ).first()
        now = Decimal(0) if stock is None else stock.buffer
        if now != row.buffer_before:
            raise BufferChanged(
                _(
                    "%(now)s of %(sku)s are kept from %(channel)s by now, not %(before)s as when "
                    "this was suggested. Plan again, then decide."
                )
                % {
                    "now": f"{now.normalize():f}",
                    "sku": row.product.sku,
                    "channel": row.channel.name,
                    "before": f"{row.buffer_before.normalize():f}",
                },
                suggestion=row.pk,
            )
        set_channel_stock(
            channel_id=row.channel_id,
            product_id=row.product_id,
            warehouse_id=row.warehouse_id,
            kept=KeptStock(
                ring_fenced=Decimal(0) if stock is None else stock.ring_fenced, buffer=row.buffer
            ),
            version=None if stock is None else stock.version,
        )
        _close(row, SuggestionState.ACCEPTED)
    return rows


def dismiss_buffers(*, buffer_suggestion_ids: Sequence[int]) -> list[BufferSuggestion]:
    """Take suggested buffers off the list for a month, unless they come to save half as much again.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``BufferClosed``.
    """
    require(Permission.PLAN)
    rows = _lock_open(buffer_suggestion_ids)
    for row in rows:
        _close(row, SuggestionState.DISMISSED)
    return rows


def _lock_open(ids: Sequence[int]) -> list[BufferSuggestion]:
    wanted = sorted(set(ids))
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        message = _("Choose 1 to %(most)d suggested buffers.") % {"most": MOST_AT_ONCE}
        raise Invalid.field("buffer_suggestion_ids", "out_of_range", message)
    found = in_allowed(_locked(pk__in=wanted), "warehouse_id")
    rows = list(found.select_related("product", "channel", "warehouse"))
    missing = set(wanted) - {row.pk for row in rows}
    if missing:
        raise NotFound("buffer suggestion", min(missing))
    for row in rows:
        if row.state != SuggestionState.NEW:
            raise BufferClosed(
                _("The buffer of %(sku)s is no longer open: %(state)s.")
                % {"sku": row.product.sku, "state": row.get_state_display()},
                suggestion=row.pk,
                state=row.state,
            )
    return rows


def _locked(**wanted: Any) -> QuerySet[BufferSuggestion]:
    rows = BufferSuggestion.objects.select_for_update(of=("self",))
    return rows.filter(**wanted).order_by("pk")


def _close(row: BufferSuggestion, state: SuggestionState) -> None:
    row.state = state
    row.decided_by_label = require(Permission.READ).label[:160]
    row.decided_at = timezone.now()
    row.version += 1
    row.save()
    audit.record(
        f"buffer_suggestion.{state}",
        row,
        channel=row.channel.code,
        sku=row.product.sku,
        buffer=str(row.buffer),
        before=str(row.buffer_before),
    )


def _key(row: BufferSuggestion) -> Key:
    return row.product_id, row.warehouse_id, row.channel_id
