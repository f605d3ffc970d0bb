"""Imported files: what became of each, and what a new one can be imported into."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import Channel, CustomerSegment, ImportedFile, Warehouse
from tenancy.errors import NotFound


def find_import(file_id: int) -> ImportedFile:
    """Return an imported file with its job; raise ``NotFound``."""
    found: ImportedFile | None = (
        ImportedFile.objects.select_related("job").filter(pk=file_id).first()
    )
    if found is None:
        raise NotFound("import", file_id)
    return found


def imported_files() -> QuerySet[ImportedFile]:
    """Return every imported file, the newest first."""
    files: QuerySet[ImportedFile] = ImportedFile.objects.select_related("job").order_by("-id")
    return files


def import_targets() -> dict[str, list[tuple[str, str]]]:
    """Return (code, name) of what rows can be imported into, by kind of place."""
    return {
        "warehouse": _choices(Warehouse.objects.filter(is_active=True)),
        "channel": _choices(Channel.objects.filter(is_active=True)),
        "segment": _choices(CustomerSegment.objects.all()),
    }


def _choices(
    rows: QuerySet[Warehouse] | QuerySet[Channel] | QuerySet[CustomerSegment],
) -> list[tuple[str, str]]:
    return [(row.code, row.name) for row in rows.order_by("code", "id")]
