"""Commands, tasks and jobs: discovered, and each one known to stay in its tenant."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands, load_command_class

from tenancy.models import Job
from tenancy.services.job_kinds import known_kinds
from tenancy.services.jobs import enqueue_job, run_job
from tests.cast import House
from tests.isolation.world import World, snapshot

# commands that belong to the platform, and why they need no tenant
PLATFORM_COMMANDS = {
    "migrate": "schema only, as the owner",
    "prepare_database": "roles and grants only",
    "forecast_files": "files in, files out, no database",
    "spectacular": "the schema of the API",
    "create_tenant": "makes a tenant, touches no other",
    "load_demo": "makes the demo tenants through the services",
    "demo_sign_ins": "prints the sign-ins of the demo",
    "prepare_demo": "makes the demo tenants through the services",
    "check_ledger": "goes through the tenants one by one, each in its scope",
    "serve": "starts the site",
}
OUR_APPS = {"config", "tenancy", "inventory", "forecasting"}
OUR_TASKS = {
    "tenancy.answer_doorbell": "takes the tenant from the job's row",
    "tenancy.tick": "goes through the tenants one by one, each in its scope",
}


def _our_commands() -> dict[str, str]:
    return {name: app for name, app in get_commands().items() if str(app) in OUR_APPS}


def _options(app: str, name: str) -> set[str]:
    parser = load_command_class(app, name).create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings}


def test_every_command_names_its_tenant_or_is_known_to_need_none() -> None:
    strange = [
        name
        for name, app in _our_commands().items()
        if name not in PLATFORM_COMMANDS and "--tenant" not in _options(app, name)
    ]
    assert not strange, f"give them --tenant or say in PLATFORM_COMMANDS why not: {strange}"


def test_commands_refuse_a_tenant_that_does_not_exist(db: None, tmp_path: Any) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("sku\n")
    for name, app in _our_commands().items():
        if "--tenant" not in _options(app, name) or name in PLATFORM_COMMANDS:
            continue
        parser = load_command_class(app, name).create_parser("manage.py", name)
        needed = [a for a in parser._actions if a.required and not a.option_strings]
        others = [
            word
            for a in parser._actions
            if a.required and a.option_strings and "--tenant" not in a.option_strings
            for word in (a.option_strings[0], "1")
        ]
        words = [str(empty) for _argument in needed] + others
        with pytest.raises(CommandError, match="nobody"):
            call_command(name, *words, "--tenant", "nobody")


def test_every_task_is_known_to_stay_in_its_tenant() -> None:
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if not name.startswith("celery.")}
    ours = {name for name in ours if not name.startswith("django_structlog")}
    assert ours == OUR_TASKS.keys(), "say in OUR_TASKS how the new task finds its tenant"


def test_task_messages_name_no_tenant_data() -> None:
    """A message carries the name of a queue, nothing else: whoever reads the broker learns nothing."""
    import inspect

    task = current_app.tasks["tenancy.answer_doorbell"]
    assert list(inspect.signature(task.run).parameters) == ["queue"]
    assert not inspect.signature(current_app.tasks["tenancy.tick"].run).parameters


def test_every_kind_of_job_leaves_other_tenants_alone(
    victim: World, intruder: House, settings: Any
) -> None:
    """Run in the intruder's tenant with all the victim's ids in the payload, under every name."""
    settings.JOB_RETRY_SECONDS = 0
    payload = _payload_of_foreign_ids(victim)
    before = snapshot(victim.house)
    for kind in known_kinds():
        with intruder.scope():
            job = enqueue_job(kind=kind.kind, payload=payload)
        for _attempt in range(3):
            job = run_job(job)
            if job.state != "queued":
                break
        with intruder.scope():
            row = Job.objects.get(pk=job.pk)
        told = f"{row.result} {row.reason} {row.progress_message} {row.progress_detail}"
        assert victim.sentinel not in told, kind.kind
    assert snapshot(victim.house) == before


def _payload_of_foreign_ids(victim: World) -> dict[str, Any]:
    from tests.isolation.routes import ALIASES, _snake

    ids = {f"{_snake(name)}_id": row.pk for name, row in victim.rows.items()}
    return ids | {alias: victim.row_id(name) for alias, name in ALIASES.items()}


def test_the_apps_are_the_ones_looked_at() -> None:
    installed = {config.name for config in apps.get_app_configs()}
    assert {"tenancy", "inventory", "forecasting"} <= installed
