"""Create a tenant, and its owner if given."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenancy.errors import Refused
from tenancy.queries.members import find_user
from tenancy.services.tenants import TenantFields, create_tenant


class Command(BaseCommand):
    help = "Create a tenant. Its owner must have an account (createsuperuser, or the admin)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="name in addresses: small letters, digits, dashes")
        parser.add_argument("--name", required=True)
        parser.add_argument("--time-zone", default="UTC", help="e.g. Europe/London")
        parser.add_argument("--currency", default="EUR", help="ISO 4217, e.g. GBP")
        parser.add_argument("--country", default="", help="ISO 3166, e.g. GB; its public holidays")
        parser.add_argument("--owner", help="e-mail address of the first owner")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = find_user(options["owner"]) if options["owner"] else None
        if options["owner"] and owner is None:
            raise CommandError(f"There is no account {options['owner']}: create it first.")
        fields = TenantFields(
            slug=options["slug"],
            name=options["name"],
            time_zone=options["time_zone"],
            currency=options["currency"],
            country=options["country"],
        )
        try:
            tenant = create_tenant(fields=fields, owner=owner)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Created {tenant.name} at /t/{tenant.slug}/")
