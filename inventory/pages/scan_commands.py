"""Every code that presses a button of a handheld page, by task: what the card is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from inventory.models import ReturnOutcome
from inventory.pages import scan_adjust, scan_pick, scan_put_away, scan_ship
from inventory.pages.adjustments import REASONS
from inventory.pages.scan_ways import WAYS
from inventory.rules.labels import CommandLabel
from tenancy.errors import Text

COMMAND = "!"


@dataclass(frozen=True)
class Task:
    """The commands of one task: pairs of action and words."""

    key: str
    title: Text
    commands: tuple[tuple[str, Text], ...]


ADJUSTMENTS = tuple((f"{scan_adjust.REASON}{key}", reason.label) for key, reason in REASONS.items())
SHORTAGES = tuple(
    (f"{scan_pick.REASON}{reason.value}", reason.label) for reason in scan_pick.REASONS
)
TASKS: tuple[Task, ...] = (
    Task(
        "anywhere",
        _("Anywhere"),
        (("undo", _("Take the last scan back")), *((k, words) for k, (_v, words) in WAYS.items())),
    ),
    Task(
        "scanned",
        _("Something scanned"),
        (
            ("label", _("Print its label")),
            ("trace", _("Trace the lot")),
            ("open", _("Open its page")),
            ("order", _("Go on with the order")),
            ("send", _("Send the transfer")),
            ("inspect", _("Inspect the return")),
            ("review", _("Review the count")),
        ),
    ),
    Task(
        "receive",
        _("Receive"),
        (
            ("enter", _("Enter what was scanned")),
            ("all", _("All that is open")),
            ("no_expiry", _("No expiry date")),
            ("damaged", _("Some are damaged")),
            ("complete", _("Complete")),
            ("accept", _("Complete as it is")),
            ("more", _("Go on receiving")),
        ),
    ),
    Task(
        "put-away",
        _("Put away, move"),
        (
            ("quantity", _("Say how many")),
            ("all", _("All of it")),
            *scan_put_away.REASONS.items(),
        ),
    ),
    Task(
        "order",
        _("Order"),
        (
            ("confirm", _("Confirm the order")),
            ("allocate", _("Promise stock")),
            ("pick", _("Pick the order")),
            ("pack", _("Pack the order")),
            ("ship", _("Ship the order")),
            ("return", _("Receive its return")),
        ),
    ),
    Task(
        "pick",
        _("Pick"),
        (
            ("next", _("Take the next wave")),
            ("all", _("All of it")),
            ("later", _("Later")),
            ("short", _("Something is missing")),
            ("nothing", _("Nothing there")),
            *SHORTAGES,
        ),
    ),
    Task(
        "pack",
        _("Pack"),
        (
            ("rest", _("All the others of it")),
            ("everything", _("All that is left")),
            ("close", _("Close the package")),
            ("unweighed", _("Close unweighed")),
            ("label", _("Print the label")),
        ),
    ),
    Task(
        "ship",
        _("Ship"),
        (
            ("part", _("Ship what was scanned only")),
            ("untracked", _("Ship without tracking")),
        ),
    ),
    Task(
        "count",
        _("Count"),
        (
            ("count", _("Count this place")),
            ("enter", _("Enter what was scanned")),
            ("all", _("That is all")),
            ("none", _("None of it is here")),
            ("approve", _("Approve and post")),
            ("post", _("Post the count")),
            ("recount", _("Count again")),
            ("rebase", _("Add what moved")),
        ),
    ),
    Task("adjust", _("Adjust"), ADJUSTMENTS),
    Task(
        "return",
        _("Inspect a return"),
        (
            ("all", _("All of it")),
            *((outcome.value, outcome.label) for outcome in ReturnOutcome),
        ),
    ),
)


def command_labels(keys: Iterable[str], carriers: Iterable[str]) -> list[CommandLabel]:
    """Return the labels of the commands of these tasks; shipping has one for each carrier."""
    chosen = set(keys)
    found: list[CommandLabel] = []
    for task in TASKS:
        if task.key not in chosen:
            continue
        commands = list(task.commands)
        if task.key == "ship":
            commands += [(f"{scan_ship.CARRIER}{carrier}", carrier) for carrier in carriers]
        found += [
            CommandLabel(f"{COMMAND}{action}", str(words), str(task.title))
            for action, words in commands
        ]
    return found
