"""Loading and saving single rows so that every service refuses in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from inventory.queries.access import is_reachable
from tenancy.errors import Invalid, NotFound, Problem, StaleVersion
from tenancy.scope import active_tenant_id

M = TypeVar("M", bound=models.Model)

LARGEST_ID = 2**63 - 1


def load(model: type[M], row_id: int, *, lock: bool = False) -> M:
    """Return the row of the active tenant; raise ``NotFound`` for a missing or foreign id.

    A row of a warehouse the actor does not work in answers like a missing one.
    """
    rows = model._default_manager.all()
    if lock:
        rows = rows.select_for_update()
    found = rows.filter(pk=row_id).first() if 0 < row_id <= LARGEST_ID else None
    if found is None or not is_reachable(found):
        raise NotFound(str(model._meta.verbose_name), row_id)
    return found


def load_many(model: type[M], row_ids: Iterable[int]) -> dict[int, M]:
    """Return the rows by id; raise ``NotFound`` with the line of the first id that is missing."""
    wanted = list(row_ids)
    known = {row_id for row_id in wanted if 0 < row_id <= LARGEST_ID}
    found = {row.pk: row for row in model._default_manager.filter(pk__in=known)}
    for number, row_id in enumerate(wanted):
        if row_id not in found or not is_reachable(found[row_id]):
            raise NotFound(str(model._meta.verbose_name), row_id, line=number)
    return found


def save(row: M) -> M:
    """Validate and save; raise ``Invalid`` that names the field, also when a key is taken."""
    check_fields(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        problem = _broken_constraint(type(row), str(error))
        if problem is None:
            raise
        raise Invalid([problem]) from error
    return row


def check_fields(row: models.Model) -> None:
    """Raise ``Invalid`` for every field with a value that cannot be; keys are not looked at."""
    if row.tenant_id is None:  # type: ignore[attr-defined]
        row.tenant_id = active_tenant_id()  # type: ignore[attr-defined]
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise Invalid(_problems(error)) from error


def check_version(row: M, version: int | None) -> None:
    """Refuse to work on a document that changed since ``version`` was read."""
    current = row.version  # type: ignore[attr-defined]
    if version is not None and version != current:
        raise StaleVersion(given=version, current=current)


def _problems(error: ValidationError) -> list[Problem]:
    return [
        Problem("" if field == NON_FIELD_ERRORS else field, fault.code or "invalid", message)
        for field, faults in error.error_dict.items()
        for fault in faults
        for message in fault.messages
    ]


def _broken_constraint(model: type[models.Model], error: str) -> Problem | None:
    for constraint in model._meta.constraints:
        if f'"{constraint.name}"' not in error:
            continue
        if isinstance(constraint, models.UniqueConstraint):
            field = constraint.fields[-1]
            message = _("This %(field)s is in use already.") % {"field": _label(model, field)}
            return Problem(field, "taken", message)
        return Problem("", constraint.name, _("These values do not fit together."))
    return None


def _label(model: type[models.Model], field: str) -> str:
    return str(getattr(model._meta.get_field(field), "verbose_name", field))
