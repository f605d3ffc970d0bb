"""``manage.py train --tenant T``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from forecasting.management.planning import PlanningCommand
from forecasting.models.compute import LARGEST_SEED, NETWORK_NAMES
from forecasting.services.training_choices import check_networks
from tenancy.errors import Invalid


class Command(PlanningCommand):
    help = (
        "Train the network of a tenant in this process: as its managers chose, within its limits. "
        "--networks and --seed hold for this training only."
    )
    kind = "train_network"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--budget", type=float, metavar="SECONDS", help="CPU seconds the training may take"
        )
        parser.add_argument(
            "--networks", default="", metavar="NAMES", help=f"comma between: {NETWORK_NAMES}"
        )
        parser.add_argument("--seed", type=int)

    def payload(self, options: dict[str, Any]) -> dict[str, Any]:
        budget, seed = options["budget"], options["seed"]
        if budget is not None and not 0 < budget < float("inf"):
            raise CommandError(f"--budget {budget}: give a number above 0.")
        told: dict[str, Any] = {"budget_seconds": budget}
        if seed is not None:
            if not 0 <= seed <= LARGEST_SEED:
                raise CommandError(f"--seed {seed}: give a number from 0 to {LARGEST_SEED}.")
            told["seed"] = seed
        if options["networks"]:
            names = [name.strip() for name in options["networks"].split(",") if name.strip()]
            try:
                told["networks"] = check_networks(names)
            except Invalid as refusal:
                raise CommandError(f"--networks: {refusal}") from refusal
        return told
