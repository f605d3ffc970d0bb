"""Why a file is refused, with the data behind it and the remedy in words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenancy.errors import Refused

MESSAGES: dict[str, Promise] = {
    "empty_file": _("The file is empty. Export it again with a header row and data rows."),
    "header_only": _("The file has a header row and no data rows. Nothing was imported."),
    "too_large": _(
        "The file has %(megabytes)s MB; at most %(most_megabytes)s MB can be imported. "
        "Compress it (.gz) or split it by month."
    ),
    "too_much_text": _(
        "Unpacked, the file has more than %(most_megabytes)s MB. Split it by month."
    ),
    "too_many_rows": _("The file has more than %(most)s rows. Split it by month."),
    "line_too_long": _(
        "Row %(row)s is longer than %(most)s characters. The file does not look like a table; "
        "check that quotes are closed."
    ),
    "not_text": _(
        "The file is not text: it has bytes that no text has. "
        "Send a CSV file (also packed as .gz) or an XLSX workbook."
    ),
    "encoding": _(
        "The letters of the file cannot be read: it is neither UTF-8, UTF-16 nor Windows-1252 "
        "(see byte %(position)s). Save it as 'CSV UTF-8' and try again."
    ),
    "broken_gzip": _("The .gz file is broken or cut off. Pack it again."),
    "broken_workbook": _(
        "The workbook cannot be read: it is broken, protected or not XLSX. Save the sheet as CSV."
    ),
    "workbook_bomb": _(
        "The workbook unpacks to %(megabytes)s MB in %(entries)s parts, %(ratio)s times its size, "
        "and is refused. Save the sheet as CSV."
    ),
    "duplicate_columns": _(
        "Several columns have the same name: %(columns)s. Rename them so that each name is unique."
    ),
    "missing_columns": _(
        "No column was found for %(missing)s. The file has these columns: %(found)s. "
        "Choose the columns by hand, or rename them in the file."
    ),
    "unknown_mapping": _("The mapping names what does not exist: %(unknown)s."),
    "mapped_twice": _("One column is chosen for several fields: %(columns)s."),
    "no_warehouse": _("There is no active warehouse %(code)s. The active ones are: %(known)s."),
    "without_warehouse": _("There is no warehouse yet. Create one, then import into it."),
    "which_warehouse": _("There are several warehouses: %(known)s. Choose the one to import into."),
    "unknown_channel": _("There is no channel %(code)s. Create it, or allow new channels."),
    "unknown_segment": _("There is no segment %(code)s. Create it, or allow new segments."),
    "bad_pattern": _("%(pattern)s is not a regular expression: %(why)s."),
    "no_goods": _(
        "None of the %(rows)s rows counts as goods (%(codes)s), so nothing was imported. Codes "
        "without a digit are taken for charges: change 'Codes of goods match' (--goods-pattern) "
        "to a single point, which takes every code, or create the products first."
    ),
    "bad_date_format": _(
        "%(format)s is not a date format. Use dmy, mdy or a pattern like %%d.%%m.%%Y."
    ),
    "bad_rows": _(
        "%(bad)s of %(rows)s rows are wrong, so nothing was imported. The first one: "
        "row %(row)s, %(first)s Correct the file, or import it without the wrong rows."
    ),
    "refused_stock": _("The stock was not posted: %(why)s"),
}


class ImportRefused(Refused):
    """A file that is not imported; nothing was changed. ``data`` carries the numbers."""

    def __init__(self, code: str, /, **data: Any) -> None:
        self.code = code  # type: ignore[misc]  # one class for every refusal of a file
        super().__init__(str(MESSAGES[code]) % data, **data)
