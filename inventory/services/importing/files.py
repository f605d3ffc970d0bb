"""Imported files: kept until their import is done, recognised when they come again."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils import timezone

from inventory.models import ImportedFile
from inventory.rules.importing.columns import FIELDS
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.reading import check_size
from inventory.services.importing.reports import ImportReport
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit

BLOCK = 1024 * 1024


def store_upload(*, kind: str, upload: File[bytes]) -> ImportedFile:
    """Keep an uploaded file until it is imported, under the tenant's own folder.

    Raises ``ImportRefused`` for a file that is empty or above the upload limit.
    """
    require(Permission.IMPORT)
    if kind not in FIELDS:
        raise KeyError(kind)
    if not upload.size:
        raise ImportRefused("empty_file")
    check_size(upload.size)
    digest = hashlib.sha256()
    for block in upload.chunks(BLOCK):
        digest.update(block)
    record = _record(kind, PurePath(upload.name or "upload").name, digest.hexdigest(), upload.size)
    upload.seek(0)
    _replace(_upload_name(record), upload)
    audit.record("import.uploaded", record, kind=kind, file_name=record.file_name)
    return record


def note_file(*, kind: str, path: Path) -> ImportedFile:
    """Record a file that a command imports from where it lies."""
    require(Permission.IMPORT)
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256")
    return _record(kind, path.name, digest.hexdigest(), path.stat().st_size)


def _record(kind: str, file_name: str, sha256: str, size: int) -> ImportedFile:
    record: ImportedFile = ImportedFile.objects.create(
        kind=kind,
        file_name=file_name[:255],
        sha256=sha256,
        size_bytes=size,
        created_by_label=active_scope().actor.label[:160],
    )
    return record


@contextmanager
def stored_upload(record: ImportedFile) -> Iterator[Path]:
    """Give the upload as a local file; raise ``FileNotFoundError`` when it was thrown away."""
    name = _upload_name(record)
    if not default_storage.exists(name):
        raise FileNotFoundError(name)
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # the storage is not a folder of this machine
        with tempfile.NamedTemporaryFile(suffix=PurePath(name).suffix) as copy:
            with default_storage.open(name) as remote:
                shutil.copyfileobj(remote, copy, BLOCK)
            copy.flush()
            yield Path(copy.name)
    else:
        yield path


def discard_upload(record: ImportedFile) -> None:
    """Throw the upload away; what was read from it stays."""
    default_storage.delete(_upload_name(record))


def save_errors(record: ImportedFile, report: ImportReport) -> None:
    """Keep the wrong rows for download."""
    if report.errors:
        name = f"{_folder(record)}/errors.csv"
        _replace(name, ContentFile(report.errors_as_csv()))
        record.error_path = name


def read_errors(record: ImportedFile) -> bytes:
    """Return the wrong rows as CSV; raise ``FileNotFoundError`` when there are none."""
    require(Permission.IMPORT)
    if not record.error_path:
        raise FileNotFoundError(record.pk)
    with default_storage.open(record.error_path) as stored:
        return bytes(stored.read())


def find_earlier(record: ImportedFile, options: ImportOptions) -> ImportedFile | None:
    """Return the import that makes this one needless: same content, same choices, no wrong rows.

    A file that went into another warehouse or channel is not imported a second time either.
    """
    same = ImportedFile.objects.filter(
        kind=record.kind, sha256=record.sha256, completed_at__isnull=False
    ).exclude(pk=record.pk)
    for earlier in same.order_by("-id")[:20]:
        then = ImportOptions.from_json(earlier.options)
        elsewhere = (then.warehouse, then.channel) != (options.warehouse, options.channel)
        if elsewhere or (then == options and not earlier.report.get("bad_rows")):
            return ImportedFile.objects.get(pk=earlier.pk)
    return None


def earlier_facts(earlier: ImportedFile) -> dict[str, str]:
    """Return when and by whom a file was imported, in words."""
    at = earlier.completed_at or earlier.created_at
    local = timezone.localtime(at)
    return {"on": f"{local:%Y-%m-%d %H:%M}", "by": earlier.created_by_label or "-"}


def _folder(record: ImportedFile) -> str:
    return f"imports/{record.tenant_id}/{record.pk}"


def _upload_name(record: ImportedFile) -> str:
    return f"{_folder(record)}/upload"


def _replace(name: str, content: File[bytes]) -> None:
    default_storage.delete(name)
    default_storage.save(name, content)
