"""What an import's job says at its end, in short; the import's own page has the whole report."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from inventory.services.importing.reports import earlier_message
from tenancy.services.job_outcomes import Outcome, describes


@describes("import_sales", "import_products", "import_suppliers", "import_stock")
def import_outcome(result: dict[str, Any]) -> Outcome:
    """Say what was read, imported and left out."""
    left_out = sum(tally["rows"] for tally in result.get("left_out", {}).values())
    sentences = [
        earlier_message(result)
        or _("%(file)s: %(read)s rows read, %(imported)s imported, %(left_out)s left out.")
        % {
            "file": result.get("file_name", ""),
            "read": f"{result.get('rows_read', 0):,}",
            "imported": f"{result.get('imported', {}).get('rows', 0):,}",
            "left_out": f"{left_out:,}",
        }
    ]
    if result.get("bad_rows"):
        sentences.append(_("%(count)d rows were wrong.") % {"count": result["bad_rows"]})
    return Outcome(tuple(sentences), "inventory:import_list")
