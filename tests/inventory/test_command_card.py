"""The command card: every button of a handheld page is on it, and its code presses that button."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.utils import timezone

from inventory import pages
from inventory.models import Shipment
from inventory.pages.scan_commands import TASKS, command_labels
from inventory.rules.labels import SIZES, labels_pdf, labels_zpl
from tests.cast import House
from tests.inventory.handheld import Handheld
from tests.inventory.outbound_world import make_floor, make_product

PAGES = Path(pages.__file__).parent


def actions_in(source: str) -> set[str]:
    """Return the actions of the buttons that a module writes out."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = [call for call in calls if getattr(call.func, "id", "") == "Button" and call.args]
    first = [call.args[0] for call in made]
    return {arg.value for arg in first if isinstance(arg, ast.Constant)}


def test_every_button_of_a_handheld_page_is_on_the_card() -> None:
    on_the_card = {action for task in TASKS for action, _words in task.commands}
    written = {
        action
        for path in sorted(PAGES.glob("scan_*.py"))
        for action in actions_in(path.read_text())
    }
    assert {"complete", "unweighed", "untracked", "approve", "confirm"} <= written
    assert written - on_the_card == set()


def test_each_command_has_one_label_and_its_code_is_what_is_printed() -> None:
    labels = command_labels([task.key for task in TASKS], ["DHL"])
    assert len({(label.task, label.code) for label in labels}) == len(labels)
    assert ("!carrier:DHL", "DHL") in [(label.code, label.words) for label in labels]
    size = SIZES["a4-3x8"]
    drawn = labels_pdf(labels, size=size)
    assert drawn.count(b"/Type /Page\n") == -(-len(labels) // 24)
    assert "!complete".replace("!", "_21") in labels_zpl(labels, size=SIZES["57x32"])


def test_the_card_of_some_work_is_printed_with_the_carriers_of_the_warehouse(north: House) -> None:
    with north.scope():
        floor = make_floor()
        order = floor.ready(make_product(), 1)
        Shipment.objects.create(
            number="SH-9",
            sales_order=order,
            warehouse=floor.site.warehouse,
            carrier="DHL",
            shipped_at=timezone.now(),
        )
    hand = Handheld(north, "scan/", "viewer")
    assert north.path("scan/commands/") in hand.text
    page = hand.client.get(north.path("scan/commands/"))
    assert "Receive" in page.content.decode()
    query = "?what=ship&size=57x32&copies=1&file=zpl"
    sent = hand.client.get(north.path("scan/commands/") + query)
    assert sent["Content-Disposition"] == 'attachment; filename="commands.zpl"'
    assert re.findall(r"carrier:DHL", sent.content.decode())
    assert sent.content.decode().count("^XA") == 3
    none = hand.client.get(north.path("scan/commands/") + "?size=57x32&copies=1&file=pdf")
    assert none.status_code == 422
    assert "^XA" not in none.content.decode()
