"""``manage.py import_sales FILE --tenant T``."""

from argparse import ArgumentParser

from inventory.management.commands._importing import ImportCommand
from inventory.rules.importing.sales import HAS_A_DIGIT


class Command(ImportCommand):
    help = "Import sales history from a CSV or XLSX file; every line counts once."
    kind = "sales"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what only sales need."""
        super().add_arguments(parser)
        parser.add_argument("--channel", default="", help="code of the channel of the rows")
        parser.add_argument("--segment", default="", help="code of the segment of the rows")
        parser.add_argument(
            "--goods-pattern",
            default=HAS_A_DIGIT,
            help="regular expression from the start of a code of goods; others are left out",
        )
        parser.add_argument(
            "--charge-code", action="append", default=[], help="a further code that is not goods"
        )
        parser.add_argument("--cancellation-prefix", default="C")
        parser.add_argument("--cancel-same-price-only", action="store_true")
