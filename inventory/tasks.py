"""Jobs of inventory: importing files, requesting counts.

Each opens its scopes, calls one service, may run twice.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from django.db import connection
from django.utils.translation import gettext_lazy as _

from inventory.queries.importing import find_import
from inventory.services.allocation import expire_allocations
from inventory.services.count_schedule import request_scheduled_counts
from inventory.services.importing import (
    ImportOptions,
    ImportRefused,
    ImportReport,
    outcomes,  # noqa: F401  registers what the jobs say at their end
)
from inventory.services.importing.files import discard_upload, stored_upload
from inventory.services.importing.running import ImportRun, run_import
from tenancy.services.jobs import JobFailed, JobRun, job_handler
from tenancy.services.schedules import register_schedule


@job_handler("import_sales", title=_("Import sales"))
def import_sales(run: JobRun) -> dict[str, Any]:
    """Import an uploaded file of sales history."""
    return _import(run)


@job_handler("import_products", title=_("Import products"))
def import_products(run: JobRun) -> dict[str, Any]:
    """Import an uploaded file of products."""
    return _import(run)


@job_handler("import_suppliers", title=_("Import suppliers"))
def import_suppliers(run: JobRun) -> dict[str, Any]:
    """Import an uploaded file of suppliers and what they sell."""
    return _import(run)


@job_handler("import_stock", title=_("Import opening stock"))
def import_stock(run: JobRun) -> dict[str, Any]:
    """Import an uploaded file of opening stock."""
    return _import(run)


@job_handler("expire_allocations", title=_("Let promises of stock lapse"))
def end_lapsed_allocations(run: JobRun) -> dict[str, Any]:
    """End the promises of stock whose time is over, and end in the same transaction."""
    with run.publishing():
        result = {"expired": expire_allocations()}
        run.finish(result)
    return result


@job_handler("request_counts", title=_("Request counts by risk"))
def request_counts(run: JobRun) -> dict[str, Any]:
    """Request today's counts of every warehouse, and end in the same transaction."""
    with run.publishing():
        requested = request_scheduled_counts()
        result = {"requested": requested, "total": sum(requested.values())}
        run.finish(result)
    return result


register_schedule("request_counts", "day", at_hour=3)


def _import(run: JobRun) -> dict[str, Any]:
    with run.scope():
        record = find_import(run.payload["file_id"])
    options = ImportOptions.from_json(record.options)

    with Relay(run) as relay:

        def before_commit(report: ImportReport) -> None:
            # the relay writes the job's row, which publishing locks until the commit
            relay.stop()
            with run.publishing():
                run.finish(report.as_json())

        try:
            with stored_upload(record) as path:
                report = run_import(
                    ImportRun(run.scope, record.pk, path, options, relay.tell, before_commit)
                )
        except ImportRefused as refusal:
            raise JobFailed(str(refusal)) from refusal
        except FileNotFoundError as error:
            raise JobFailed(str(_("The uploaded file is gone. Upload it again."))) from error
    with run.scope():
        discard_upload(record)
    return report.as_json()


class Relay:
    """Shows the progress of one long transaction from a thread with a connection of its own.

    What the job's row says meanwhile (cancel, lease lost) is raised where the import next tells.
    """

    SECONDS = 0.5

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._shown = (0, 0, "")
        self._ended = threading.Event()
        self._stopped_by: Exception | None = None
        self._thread = threading.Thread(target=self._show, name="import-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def tell(self, done: int, total: int, message: str) -> None:
        """Note how far the import is; raise what stops the job."""
        self._shown = (done, total, message)
        if self._stopped_by is not None:
            raise self._stopped_by

    def stop(self) -> None:
        """Write no more; raise what stopped the job in the meantime, unless something is raised."""
        self._ended.set()
        self._thread.join()

    def _show(self) -> None:
        try:
            while not self._ended.wait(self.SECONDS):
                done, total, message = self._shown
                # the last row is not the end: cancellations and demand follow, then the commit
                self._run.progress(done, max(total + total // 10, done + 1), message)
        except Exception as error:  # noqa: BLE001 - carried to the thread that does the work
            self._stopped_by = error
        finally:
            connection.close()


register_schedule("expire_allocations", "hour")
