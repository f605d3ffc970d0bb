"""``manage.py train --tenant T``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from forecasting.management.planning import PlanningCommand


class Command(PlanningCommand):
    help = "Train the network of a tenant in this process."
    kind = "train_network"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--budget", type=float, metavar="SECONDS", help="CPU seconds the training may take"
        )

    def payload(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"budget_seconds": options["budget"]}
