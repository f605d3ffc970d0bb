"""Importing in steps: upload a file, check its columns, watch it, read the report."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from inventory.models import ImportedFile
from inventory.pages.importing_forms import DATES_READ, FIELD_LABELS, OptionsForm, UploadForm
from inventory.queries.importing import find_import, import_targets, imported_files
from inventory.services.importing import ImportRefused, start_import
from inventory.services.importing.files import read_errors, store_upload
from inventory.services.importing.previewing import Preview, preview_upload
from inventory.services.importing.reports import earlier_message, problem_label, reason_label
from tenancy.models import JobState
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope
from tenancy.services.jobs import cancel_job

NAV = "import"
KIND_TITLES = {
    "sales": gettext_lazy("Sales history"),
    "products": gettext_lazy("Products"),
    "suppliers": gettext_lazy("Suppliers"),
    "stock": gettext_lazy("Opening stock"),
}


def import_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """Take an upload, and list what was imported before."""
    require(Permission.READ)
    form = UploadForm(request.POST or None, request.FILES or None)

    def upload(data: dict[str, Any]) -> str:
        record = store_upload(kind=data["kind"], upload=data["file"])
        return address(request, "inventory:import_detail", file_id=record.pk)

    if request.method == "POST":
        answer = send_form(request, form, upload, _("The file is here. Now check its columns."))
        if answer is not None:
            return answer
    page = keyset_page(imported_files(), order=("-id",), cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/import_list.html",
        NAV,
        form=form,
        rows=[(record, _state(record)) for record in page.items],
        kind_titles=KIND_TITLES,
        kind_texts=UploadForm.TEXTS,
        next_cursor=page.next_cursor,
        status=UNPROCESSABLE if form.errors else 200,
    )


def import_detail(request: HttpRequest, tenant: str, file_id: int) -> HttpResponse:
    """Show where an import stands: its columns to check, its progress, or its report."""
    require(Permission.READ)
    record = find_import(file_id)
    state = _state(record)[0]
    if state in {"new", "refused", "failed", "cancelled"} and record.completed_at is None:
        return _choose(request, record)
    if request.method == "POST":
        return redirect(request.path)
    return show(request, "inventory/import_detail.html", NAV, **_standing(request, record))


def _choose(request: HttpRequest, record: ImportedFile) -> HttpResponse:
    require(Permission.IMPORT)
    preview: Preview | None = None
    refusal = ""
    try:
        preview = preview_upload(record)
    except ImportRefused as refused:
        refusal = str(refused)
    except FileNotFoundError:
        refusal = _("The uploaded file is gone. Upload it again.")
    if preview is None:
        context = _standing(request, record) | {"refusal": refusal}
        return show(request, "inventory/import_detail.html", NAV, status=UNPROCESSABLE, **context)
    form = OptionsForm(
        request.POST or None, preview=preview, kind=record.kind, targets=import_targets(),
        earlier=record.options,
    )  # fmt: skip

    def start(data: dict[str, Any]) -> str:
        start_import(file_id=record.pk, options=form.options(data))
        return address(request, "inventory:import_detail", file_id=record.pk)

    if request.method == "POST":
        answer = send_form(request, form, start, _("The import has started."))
        if answer is not None:
            return answer
    context = _standing(request, record) | {
        "form": form,
        "preview": preview,
        "mapped": [form[name] for name in form.mapping_names],
        "choices": [form[name] for name in form.choice_names],
        "sums": _sums(record.report),
    }
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/import_choose.html", NAV, status=status, **context)


def import_progress(request: HttpRequest, tenant: str, file_id: int) -> HttpResponse:
    """Answer the poll of a running import with its progress, or at the end with its report."""
    require(Permission.READ)
    context = _standing(request, find_import(file_id))
    response = show(request, "inventory/_import_live.html", NAV, **context)
    if not context["is_running"]:
        # the whole page has changed: its steps, and what can be done
        response["HX-Refresh"] = "true"
    return response


@require_POST
def import_cancel(request: HttpRequest, tenant: str, file_id: int) -> HttpResponse:
    """Cancel a running import; nothing of it stays."""
    require(Permission.IMPORT)
    record = find_import(file_id)
    if record.job_id is None:
        raise Http404
    job_id = record.job_id
    return do(
        request,
        lambda: cancel_job(job_id=job_id),
        done=_("The import is being cancelled; nothing of it stays."),
        target=address(request, "inventory:import_detail", file_id=record.pk),
    )


def import_errors(request: HttpRequest, tenant: str, file_id: int) -> HttpResponse:
    """Send the wrong rows of an import as CSV."""
    require(Permission.IMPORT)
    try:
        content = read_errors(find_import(file_id))
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{file_id}-errors.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _standing(request: HttpRequest, record: ImportedFile) -> dict[str, Any]:
    """Return what every page of one import shows."""
    job = record.job
    state, label, tone = _state(record)
    report = record.report
    return {
        "record": record,
        "job": job,
        "kind_title": KIND_TITLES.get(record.kind, record.kind),
        "state": state,
        "state_label": label,
        "state_tone": tone,
        "is_running": job is not None and job.state in JobState.open(),
        "poll_url": address(request, "inventory:import_progress", file_id=record.pk),
        "report": report,
        "refusal": report.get("refused") or (job.reason if job and state == "failed" else ""),
        "earlier": earlier_message(report),
        "currency": active_scope().tenant.currency,
        "sums": _sums(report),
        "field_labels": FIELD_LABELS,
        "dates_read": _dates_read(report.get("form", {}).get("date_order", "")),
    }


def _dates_read(order: str) -> str:
    """Return how the dates of a file were read, in words; a chosen pattern says it itself."""
    return str(DATES_READ.get(order, order))


def _sums(report: dict[str, Any]) -> dict[str, Any]:
    """Return the report's tables with their labels."""
    return {
        "left_out": [
            (reason_label(reason), reason, tally)
            for reason, tally in _most_rows_first(report.get("left_out", {}))
        ],
        "codes": _most_rows_first(report.get("codes", {})),
        "errors": [(error, problem_label(error["problem"])) for error in report.get("errors", [])],
        "changes": [
            *((_("created"), name, count) for name, count in report.get("created", {}).items()),
            *((_("updated"), name, count) for name, count in report.get("updated", {}).items()),
        ],
    }


def _most_rows_first(tallies: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(tallies.items(), key=lambda item: -item[1]["rows"])


def _state(record: ImportedFile) -> tuple[str, str, str]:
    """Return (state, label, tone) of an import, from its report and its job."""
    job = record.job
    if job is not None and job.state in JobState.open():
        return ("running", _("Running"), "info")
    if record.completed_at is not None:
        if record.report.get("bad_rows"):
            return ("done", _("Imported, wrong rows left out"), "warning")
        return ("done", _("Imported"), "success")
    if record.report.get("earlier"):
        return ("again", _("Was imported already"), "neutral")
    if record.report.get("refused"):
        return ("refused", _("Not imported"), "danger")
    if job is not None and job.state == JobState.CANCELLED:
        return ("cancelled", _("Cancelled"), "neutral")
    if job is not None:
        return ("failed", _("Failed"), "danger")
    return ("new", _("Columns to check"), "warning")
