"""``manage.py import_stock FILE --tenant T``."""

from inventory.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Import opening stock from a CSV or XLSX file."
    kind = "stock"
