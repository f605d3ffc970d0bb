"""Where trained networks lie: in Django's storage under the tenant's path, never believed.

The database row knows tenant, path and SHA-256 of the bytes; a file that is missing, changed,
swapped or another tenant's is refused by name of the problem.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from forecasting.models import ForecastRun, TrainedNetwork
from tenancy.models import Job, JobState, Tenant

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster

Problem = Literal["missing", "foreign", "changed", "unusable"]


class ArtefactRefused(Exception):
    """What is stored of a forecaster cannot be trusted; ``problem`` says why."""

    def __init__(
        self, keeper: TrainedNetwork | ForecastRun, problem: Problem, detail: str = ""
    ) -> None:
        self.problem: Problem = problem
        super().__init__(f"{keeper}: {problem} {detail}".strip())


def tenant_folder(tenant: Tenant) -> str:
    """Return the tenant's folder inside the storage."""
    return f"tenants/{tenant.pk}"


def write_artefact(tenant: Tenant, job_id: int, data: bytes) -> str:
    """Store the bytes of a network and return their path."""
    name = f"{tenant_folder(tenant)}/networks/job-{job_id}.stocknet"
    return default_storage.save(name, ContentFile(data))


def sha256(data: bytes) -> str:
    """Return the fingerprint kept in the database row."""
    return hashlib.sha256(data).hexdigest()


def delete_artefact(path: str) -> None:
    """Remove a stored file; a missing one is no error."""
    if path:
        default_storage.delete(path)


def read_artefact(network: TrainedNetwork) -> FittedForecaster:
    """Return the forecaster of a network. Raises ``ArtefactRefused``."""
    folder = f"tenants/{network.tenant_id}/networks/"
    if not network.artefact_path.startswith(folder):
        raise ArtefactRefused(network, "foreign" if network.artefact_path else "missing")
    try:
        with default_storage.open(network.artefact_path) as file:
            data = file.read()
    except OSError as error:
        raise ArtefactRefused(network, "missing") from error
    if sha256(data) != network.artefact_sha256:
        raise ArtefactRefused(network, "changed")
    return _unseal(network, data)


def read_forecaster(run: ForecastRun) -> FittedForecaster:
    """Return who made the forecasts of a run: its network, or the simple methods kept with it.

    Raises ``ArtefactRefused``, also for runs so old that their simple methods are not kept.
    """
    if run.network is not None:
        return read_artefact(run.network)
    if run.simple_forecaster is None:
        raise ArtefactRefused(run, "missing")
    return _unseal(run, bytes(run.simple_forecaster))


def _unseal(keeper: TrainedNetwork | ForecastRun, data: bytes) -> FittedForecaster:
    from forecasting.pipeline.artifact import ArtifactError
    from forecasting.pipeline.engine import FittedForecaster

    try:
        return FittedForecaster.from_bytes(data)
    except ArtifactError as error:
        raise ArtefactRefused(keeper, "unusable", str(error)) from error


def scratch_folder(tenant: Tenant) -> Path:
    """Return where a job of the tenant maps large arrays; its files have no names and do not stay.

    On the worker's own disk, never in the storage.
    """
    return Path(settings.MEDIA_ROOT) / tenant_folder(tenant) / "scratch"


# -- checkpoints: on the worker's own disk, one folder per job, to go on from -----
def checkpoint_folder(tenant: Tenant, job_id: int) -> Path:
    """Return where a training job keeps its checkpoints."""
    return Path(settings.MEDIA_ROOT) / tenant_folder(tenant) / "checkpoints" / str(job_id)


def forget_checkpoints(tenant: Tenant, job_id: int) -> None:
    """Remove the checkpoints of a job that needs them no more."""
    shutil.rmtree(checkpoint_folder(tenant, job_id), ignore_errors=True)


def adopt_checkpoints(tenant: Tenant, ended_job_id: int, job_id: int) -> None:
    """Let a job go on from the checkpoints of one that ended; where none are left, from nothing."""
    old, new = checkpoint_folder(tenant, ended_job_id), checkpoint_folder(tenant, job_id)
    if old.is_dir() and not new.exists():
        old.rename(new)


def forget_orphaned_checkpoints(tenant: Tenant) -> None:
    """Remove checkpoints of jobs that have ended (call inside the tenant's scope)."""
    parent = checkpoint_folder(tenant, 0).parent
    found = [folder for folder in parent.glob("*") if folder.name.isdigit()]
    open_ids = set(
        Job.objects.filter(
            pk__in=[int(folder.name) for folder in found], state__in=JobState.open()
        ).values_list("pk", flat=True)
    )
    for folder in found:
        if int(folder.name) not in open_ids:
            shutil.rmtree(folder, ignore_errors=True)
