"""``manage.py import_suppliers FILE --tenant T``."""

from inventory.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Import suppliers from a CSV or XLSX file."
    kind = "suppliers"
