"""``manage.py import_products FILE --tenant T``."""

from inventory.management.commands._importing import ImportCommand


class Command(ImportCommand):
    help = "Import products from a CSV or XLSX file."
    kind = "products"
