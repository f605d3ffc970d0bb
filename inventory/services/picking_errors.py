"""What picking refuses: what was expected and what was scanned, who was first, what is too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import PickState, PickTask, Wave, WaveState
from tenancy.errors import Conflict


class NothingToRelease(Conflict):
    """Nothing that fits the request waits for a wave."""

    code = "nothing_to_release"

    def __init__(self) -> None:
        super().__init__(
            _("Nothing here waits for a wave. Widen the choice, or allocate orders first.")
        )


class WaveNotOpen(Conflict):
    """The wave is completed or cancelled."""

    code = "wave_not_open"

    def __init__(self, wave: Wave) -> None:
        message = _("Wave %(number)s is %(state)s: nothing more is picked in it.") % {
            "number": wave.number,
            "state": WaveState(wave.state).label,
        }
        super().__init__(message, number=wave.number, state=wave.state)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A scan that is not what the task asks for: ``what`` is location, product or lot."""

    task_id: int
    what: str
    expected: str
    scanned: str


class WrongPick(Conflict):
    """Something else was scanned than the task asks for; ``mismatches`` names both."""

    code = "wrong_pick"
    words: Mapping[str, Any] = {
        "location": _("This is %(scanned)s. Go to %(expected)s."),
        "product": _("This is %(scanned)s. Pick %(expected)s."),
        "lot": _("This is lot %(scanned)s. Pick lot %(expected)s."),
    }

    def __init__(self, mismatches: Sequence[Mismatch]) -> None:
        self.mismatches = tuple(mismatches)
        first = self.mismatches[0]
        message = self.words[first.what] % {"scanned": first.scanned, "expected": first.expected}
        super().__init__(
            message,
            mismatches=[
                {"task_id": m.task_id, "what": m.what, "expected": m.expected, "scanned": m.scanned}
                for m in self.mismatches
            ],
        )


class TaskNotOpen(Conflict):
    """The task was done or cancelled by somebody else in the meantime."""

    code = "task_not_open"

    def __init__(self, tasks: Sequence[PickTask]) -> None:
        first = tasks[0]
        done = _("This was picked already, by %(who)s.") % {"who": first.picked_by_label}
        gone = _("This pick was cancelled: the goods are not needed any more.")
        super().__init__(
            gone if first.state == PickState.CANCELLED else done,
            tasks=[
                {"task_id": task.pk, "state": task.state, "picked_by": task.picked_by_label}
                for task in tasks
            ],
        )


class AllocationEnded(Conflict):
    """The goods are not promised to the order any more: released, expired or changed."""

    code = "allocation_ended"

    def __init__(self, tasks: Sequence[PickTask]) -> None:
        first = tasks[0]
        message = _(
            "%(sku)s is not promised to order %(order)s any more. Leave it, and cancel the wave."
        ) % {"sku": first.product.sku, "order": first.sales_order.number}
        super().__init__(message, task_ids=[task.pk for task in tasks])


class NothingPicked(Conflict):
    """There is no pick that could be taken back."""

    code = "nothing_picked"

    def __init__(self) -> None:
        super().__init__(_("There is no pick to take back."))


@dataclass(frozen=True, slots=True)
class PackedPick:
    task_id: int
    sku: str
    picked: Decimal
    packed: Decimal
    is_here: bool = True


class AlreadyPacked(Conflict):
    """The goods are in a package, or gone; ``is_here`` tells the two apart."""

    code = "already_packed"

    def __init__(self, picks: Sequence[PackedPick]) -> None:
        self.picks = tuple(picks)
        packed = _("%(sku)s is packed. Unpack it first.")
        gone = _("%(sku)s cannot go back: it was shipped, or is not the order's any more.")
        message = packed if self.picks[0].packed and self.picks[0].is_here else gone
        super().__init__(
            message % {"sku": self.picks[0].sku},
            picks=[
                {
                    "task_id": p.task_id,
                    "sku": p.sku,
                    "picked": format(p.picked.normalize(), "f"),
                    "packed": format(p.packed.normalize(), "f"),
                }
                for p in self.picks
            ],
        )
