"""What an import's job says at its end, in short; the import's own page has the whole report."""

from __future__ import annotations

from typing import Any

from django.utils.translation import ngettext

from inventory.services.importing.reports import earlier_message
from tenancy.services.job_outcomes import Outcome, describes


@describes("import_sales", "import_products", "import_suppliers", "import_stock")
def import_outcome(result: dict[str, Any]) -> Outcome:
    """Say what was read, imported and left out."""
    left_out = sum(tally["rows"] for tally in result.get("left_out", {}).values())
    sentences = [
        earlier_message(result)
        or ngettext(
            "%(file)s: %(read)s row read, %(imported)s imported, %(left_out)s left out.",
            "%(file)s: %(read)s rows read, %(imported)s imported, %(left_out)s left out.",
            result.get("rows_read", 0),
        )
        % {
            "file": result.get("file_name", ""),
            "read": f"{result.get('rows_read', 0):,}",
            "imported": f"{result.get('imported', {}).get('rows', 0):,}",
            "left_out": f"{left_out:,}",
        }
    ]
    bad = result.get("bad_rows", 0)
    if bad:
        text = ngettext("%(count)s row was wrong.", "%(count)s rows were wrong.", bad)
        sentences.append(text % {"count": f"{bad:,}"})
    return Outcome(tuple(sentences), "inventory:import_list")
