"""``migrate`` as the role that owns the tables."""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate

from tenancy.database import as_owner


class Command(DjangoMigrate):
    help = "Bring the database to the newest schema, as the role wms_owner."
    # Checks of the database would run before the tables exist.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
