"""Load two simulated companies. Run again, it finishes what is missing and changes nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from forecasting.demo.companies import (
    SLUGS,
    companies,
    find_company,
    load_company,
    side_by_side,
)
from forecasting.demo.people import PASSWORD, create_people
from forecasting.management.saying import SayingCommand


class Command(SayingCommand):
    help = "Load two simulated companies with two years of trading (for trying Stockcast out)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=SLUGS, help="load one company")
        parser.add_argument(
            "--through", type=dt.date.fromisoformat, help="last day, default: yesterday"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo creates known passwords: it does not run in production.")
        through: dt.date | None = options["through"]
        if options["only"]:
            load_company(*find_company(options["only"]), self.say, through=through)
            return
        sign_ins = create_people(companies())
        last_day = ["--through", through.isoformat()] if through else []
        if not side_by_side("load_demo", SLUGS, *last_day):
            raise CommandError("A company could not be loaded: see above. Run load_demo again.")
        for sign_in in sign_ins:
            self.stdout.write(f"  {sign_in.email:<30} {PASSWORD}   {sign_in.what}")
