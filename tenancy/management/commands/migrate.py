"""``migrate`` as the role that owns the tables."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate

from tenancy.database import as_owner, watch_small_tables


class Command(DjangoMigrate):
    help = "Bring the database to the newest schema, as the role wms_owner."
    # Checks of the database would run before the tables exist.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(), _rarer_collections():
            super().handle(*args, **options)
            watch_small_tables()


@contextmanager
def _rarer_collections() -> Iterator[None]:
    """Collect garbage rarely: each operation makes all models anew, a third of the time went there.

    Half as often again and memory grows past what it saves: 190 MB at this setting.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 5, 5)
    try:
        yield
    finally:
        gc.set_threshold(*before)
