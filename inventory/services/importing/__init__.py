"""Files from outside: sales history, products, suppliers and opening stock.

Read in this order: ``reading`` (a file becomes rows), ``options`` (what was chosen), ``sales``,
``products``, ``suppliers``, ``stock`` (rows become records), ``running`` (from start to report).
"""

from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.reports import ImportReport
from inventory.services.importing.running import ImportRun, run_import, start_import

__all__ = [
    "ImportOptions",
    "ImportRefused",
    "ImportReport",
    "ImportRun",
    "run_import",
    "start_import",
]
