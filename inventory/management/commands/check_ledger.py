"""``check_ledger``: compare balances, values and everything else that must hold with the ledger."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.queries.integrity import check_book
from inventory.services.ledger_rebuild import rebuild_book
from tenancy.queries.tenants import find_tenant
from tenancy.scope import Actor, tenant_scope


class Command(BaseCommand):
    help = "Check a tenant's stock against its ledger; fails and names every difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="set balances and values to the sums of what was posted, then check again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no active tenant {options['tenant']!r}.")
        with tenant_scope(tenant, actor=Actor.system("check_ledger")):
            if options["rebuild"]:
                for difference in rebuild_book():
                    self.stdout.write(f"rebuilt  {difference}")
            found = check_book()
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            raise CommandError(f"{len(found)} differences in the book of {tenant.slug}.")
        self.stdout.write(f"The book of {tenant.slug} is in order.")
