"""Embeddings of products from a CSV file: all of it, or none with the wrong rows named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from django.utils.translation import gettext as _

from forecasting.services.embeddings import EmbeddingOf, set_embeddings
from forecasting.services.wrong_rows import MOST_TOLD, more_wrong
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require

SKU, TOGETHER, PLACE = "sku", "embedding", "embedding_"
MOST_BYTES = 40 * 1024 * 1024
FIRST_ROW = 2
"""Rows are numbered as a spreadsheet does: the header is the first."""


def import_embeddings(*, data: bytes) -> int:
    """Set the embeddings of a CSV file and return of how many products.

    Columns: sku, and the numbers either in one column `embedding`, separated by spaces or
    semicolons, or in columns embedding_1, embedding_2 ... in their order in the file. Raises
    ``PermissionRefused``, ``EmbeddingLength``, and ``Invalid`` with the number of each wrong row.
    """
    require(Permission.PLAN)
    reader = _open(data)
    numbers = _numbers_of(list(reader.fieldnames or []))
    found: list[EmbeddingOf] = []
    rows: list[int] = []
    wrong: list[Problem] = []
    for number, row in enumerate(reader, start=FIRST_ROW):
        cells = {name: (text or "").strip() for name, text in row.items() if name}
        if not any(cells.values()):
            continue
        try:
            values = tuple(_float(text) for text in numbers(cells))
        except ValueError as error:
            wrong.append(_at(number, "not_a_number", str(error)))
            continue
        found.append(EmbeddingOf(cells.get(SKU, ""), values))
        rows.append(number)
    if wrong:
        raise _refused(wrong)
    try:
        return len(set_embeddings(embeddings=found))
    except Invalid as refusal:
        raise _refused([_numbered(one, rows) for one in refusal.problems]) from refusal


def _open(data: bytes) -> csv.DictReader[str]:
    if len(data) > MOST_BYTES:
        raise Invalid.field("file", "too_large", _("The file is larger than 40 MB. Split it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = _("The file is not written in UTF-8. Save it as CSV in UTF-8.")
        raise Invalid.field("file", "encoding", told) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if SKU not in names or not any(name.startswith(TOGETHER) for name in names):
        told = _(
            "The file needs a column sku, and a column embedding or columns embedding_1, "
            "embedding_2 and so on; found are: %(found)s."
        ) % {"found": ", ".join(filter(None, names)) or _("none")}
        raise Invalid.field("file", "columns", told)
    reader.fieldnames = names
    return reader


def _numbers_of(names: list[str]) -> Callable[[dict[str, str]], list[str]]:
    """Return how the numbers of a row are read."""
    if TOGETHER in names:
        return lambda row: row.get(TOGETHER, "").replace(";", " ").split()
    places = [name for name in names if name.startswith(PLACE)]
    return lambda row: [row.get(name, "") for name in places]


def _float(text: str) -> float:
    if not text:
        raise ValueError(_("a number is missing"))
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a number; write 0.25") % {"text": text}) from error


def _at(number: int, code: str, text: str) -> Problem:
    told = _("Row %(number)d: %(text)s") % {"number": number, "text": text}
    return Problem("file", code, told)


def _numbered(problem: Problem, rows: list[int]) -> Problem:
    if problem.line is None:
        return Problem("file", problem.code, problem.message)
    return _at(rows[problem.line], problem.code, str(problem.message))


def _refused(problems: list[Problem]) -> Invalid:
    if len(problems) <= MOST_TOLD:
        return Invalid(problems)
    more = more_wrong(len(problems) - MOST_TOLD)
    return Invalid([*problems[:MOST_TOLD], Problem("file", "more", more)])
