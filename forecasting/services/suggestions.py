"""What planners do with suggestions: accept them into draft orders, dismiss, snooze."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.models import ReorderSuggestion, SuggestionSource, SuggestionState
from forecasting.queries.forecasts import age_days, is_stale, latest_run
from forecasting.queries.series import business_today
from inventory.models import PurchaseOrder, SupplierItem, TransferOrder
from inventory.queries.access import in_allowed
from inventory.rules.units import quantity_fault
from inventory.services.purchase_lines import OrderLine
from inventory.services.purchasing import create_draft_order
from inventory.services.transfers import AskedLine, create_transfer
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

MOST_AT_ONCE = 500
LONGEST_SNOOZE_DAYS = 365


class SuggestionClosed(Conflict):
    """A suggestion was decided or superseded in the meantime; ``data`` names it and its state."""

    code = "suggestion_closed"


class ForecastStale(Conflict):
    """The forecast behind a suggestion is too old to order from without a second look."""

    code = "forecast_stale"

    def __init__(self, days: int) -> None:
        super().__init__(
            _("The forecast is %(days)d days old. Forecast again, or confirm to order from it.")
            % {"days": days},
            age_days=days,
        )


class SupplierGone(Conflict):
    """The supplier item a suggestion was made for is no longer offered."""

    code = "supplier_gone"


@dataclass(frozen=True)
class Drafts:
    """What accepting made."""

    orders: list[PurchaseOrder]
    transfers: list[TransferOrder]


@dataclass(frozen=True)
class _Line:
    """A suggestion as accepted: what of its quantity is transferred; the rest is bought."""

    suggestion: ReorderSuggestion
    item: SupplierItem | None
    quantity: Decimal
    numbers: list[str] = field(default_factory=list)

    @property
    def moved(self) -> Decimal:
        row = self.suggestion
        if row.source == SuggestionSource.TRANSFER:
            return self.quantity
        return min(row.transfer_quantity or Decimal(0), self.quantity)

    @property
    def bought(self) -> Decimal:
        return self.quantity - self.moved

    @property
    def edited(self) -> bool:
        return bool(self.quantity != self.suggestion.quantity)

    @property
    def groups(self) -> list[tuple[str, int, int]]:
        """Return the drafts the line belongs to: a supplier's, another warehouse's, or both."""
        row, found = self.suggestion, []
        if self.bought and self.item is not None:
            found.append((str(SuggestionSource.BUY), self.item.supplier_id, row.warehouse_id))
        if self.moved:
            place = row.from_warehouse_id or 0
            found.append((str(SuggestionSource.TRANSFER), place, row.warehouse_id))
        return found


def accept_suggestions(
    *,
    suggestion_ids: Sequence[int],
    quantities: Mapping[int, Decimal] | None = None,
    confirm_stale: bool = False,
    reason: str = "",
) -> Drafts:
    """Turn suggestions into drafts: orders by supplier and warehouse, transfers by both ends.

    ``quantities`` replaces suggested quantities by id, and needs a ``reason``. All or nothing.
    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``SuggestionClosed``,
    ``ForecastStale``, ``SupplierGone``.
    """
    require(Permission.BUY)
    suggestions = _lock_open(suggestion_ids)
    _refuse_stale(confirm_stale=confirm_stale)
    lines = _lines(suggestions, quantities or {})
    if any(line.edited for line in lines) and not reason.strip():
        message = _("Say why the quantity is another than suggested.")
        raise Invalid.field("reason", "required", message)
    groups: dict[tuple[str, int, int], list[_Line]] = defaultdict(list)
    for line in lines:
        for key in line.groups:
            groups[key].append(line)
    drafts = Drafts([], [])
    for (source, origin, _to), group in sorted(groups.items()):
        if source == SuggestionSource.BUY:
            drafts.orders.append(_draft_order(group))
        else:
            drafts.transfers.append(_draft_transfer(group, origin))
    for line in lines:
        _accept(line, reason)
    return drafts


def _draft_order(lines: list[_Line]) -> PurchaseOrder:
    first = lines[0]
    assert first.item is not None  # noqa: S101  what is bought has a supplier
    order = create_draft_order(
        supplier_id=first.item.supplier_id,
        warehouse_id=first.suggestion.warehouse_id,
        lines=[
            OrderLine(product_id=line.suggestion.product_id, quantity=line.bought) for line in lines
        ],
        note=_("From reorder suggestions"),
    )
    by_product = {line.product_id: line for line in order.lines.all()}
    for line in lines:
        line.suggestion.order_line = by_product[line.suggestion.product_id]
        line.numbers.append(order.number)
    return order


def _draft_transfer(lines: list[_Line], origin: int) -> TransferOrder:
    row = lines[0].suggestion
    order = create_transfer(
        from_warehouse_id=origin,
        to_warehouse_id=row.warehouse_id,
        lines=[AskedLine(line.suggestion.product_id, line.moved) for line in lines],
        note=_("From reorder suggestions"),
    )
    by_product = {line.product_id: line for line in order.lines.all()}
    for line in lines:
        line.suggestion.transfer_line = by_product[line.suggestion.product_id]
        line.numbers.append(order.number)
    return order


def _accept(line: _Line, reason: str) -> None:
    row = line.suggestion
    row.state = SuggestionState.EDITED if line.edited else SuggestionState.ACCEPTED
    row.quantity_accepted = line.quantity
    row.decision_note = reason.strip()[:200] if line.edited else ""
    _note_decision(row)
    row.save()
    audit.record(
        f"suggestion.{row.state}",
        row,
        order=", ".join(line.numbers),
        quantity=str(line.quantity),
        suggested=str(row.quantity),
        reason=row.decision_note,
    )


def dismiss_suggestions(
    *, suggestion_ids: Sequence[int], note: str = ""
) -> list[ReorderSuggestion]:
    """Take suggestions off the list; the need comes back after a week, or grown by half.

    Raises ``PermissionRefused``, ``NotFound``, ``SuggestionClosed``.
    """
    require(Permission.PLAN)
    rows = _lock_open(suggestion_ids)
    for row in rows:
        row.state = SuggestionState.DISMISSED
        row.decision_note = note.strip()[:200]
        _note_decision(row)
        row.save()
        audit.record("suggestion.dismissed", row, note=row.decision_note)
    return rows


def snooze_suggestions(*, suggestion_ids: Sequence[int], until: date) -> list[ReorderSuggestion]:
    """Put suggestions off until a day; on that day the need is judged again.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``SuggestionClosed``.
    """
    require(Permission.PLAN)
    check_snooze(until)
    rows = _lock_open(suggestion_ids)
    for row in rows:
        row.state = SuggestionState.SNOOZED
        row.snoozed_until = until
        _note_decision(row)
        row.save()
        audit.record("suggestion.snoozed", row, until=until.isoformat())
    return rows


def check_snooze(until: date) -> None:
    """Refuse a day that is not within the coming year. Raises ``Invalid``."""
    if not 0 < (until - business_today()).days <= LONGEST_SNOOZE_DAYS:
        raise Invalid.field("until", "out_of_range", _("Choose a day within the coming year."))


def _lock_open(suggestion_ids: Sequence[int]) -> list[ReorderSuggestion]:
    """Lock the suggestions in one statement, sorted; refuse missing and decided ones."""
    wanted = sorted(set(suggestion_ids))
    if not wanted:
        raise Invalid.field("suggestions", "required", _("Choose at least one suggestion."))
    if len(wanted) > MOST_AT_ONCE:
        message = _("Decide at most %(most)d suggestions at once.") % {"most": MOST_AT_ONCE}
        raise Invalid.field("suggestions", "too_many", message)
    rows = list(
        in_allowed(ReorderSuggestion.objects.all(), "warehouse_id")
        .select_for_update(of=("self",))
        .select_related("product", "supplier_item__supplier", "warehouse")
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    missing = set(wanted) - {row.pk for row in rows}
    if missing:
        raise NotFound("suggestion", min(missing))
    for row in rows:
        if row.state not in SuggestionState.open():
            raise SuggestionClosed(
                _("The suggestion for %(sku)s is no longer open: %(state)s.")
                % {"sku": row.product.sku, "state": row.get_state_display()},
                suggestion=row.pk,
                state=row.state,
            )
    return rows


def _refuse_stale(*, confirm_stale: bool) -> None:
    run = latest_run()
    if run is not None and is_stale(run) and not confirm_stale:
        raise ForecastStale(age_days(run))


def _lines(suggestions: list[ReorderSuggestion], quantities: Mapping[int, Decimal]) -> list[_Line]:
    """Pair each suggestion with its supplier item and quantity; every wrong quantity is named."""
    problems: list[Problem] = []
    lines: list[_Line] = []
    for number, row in enumerate(suggestions):
        item = row.supplier_item
        buys = row.source != SuggestionSource.TRANSFER
        if buys and (item is None or not item.is_active or not item.supplier.is_active):
            raise SupplierGone(
                _("The supplier of %(sku)s no longer offers it. Suggest again to see who does.")
                % {"sku": row.product.sku},
                suggestion=row.pk,
            )
        quantity = quantities.get(row.pk, row.quantity)
        fault = quantity_fault(quantity, whole_units=row.product.whole_units)
        if fault is not None:
            message = _("%(sku)s: %(quantity)s is not a quantity that can be ordered.") % {
                "sku": row.product.sku,
                "quantity": quantity,
            }
            problems.append(Problem("quantity", str(fault), message, line=number))
        lines.append(_Line(row, item, quantity))
    if problems:
        raise Invalid(problems)
    return lines


def _note_decision(row: ReorderSuggestion) -> None:
    row.decided_by_label = require(Permission.PLAN).label[:160]
    row.decided_at = timezone.now()
    row.version += 1
