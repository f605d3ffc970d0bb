"""The Celery application: executor of jobs, never their truth."""

import os

from celery import Celery
from celery.signals import worker_init, worker_process_init

from config.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stockcast")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def end_with_the_worker(**kwargs: object) -> None:
    """Tie each pool process to its worker: a killed worker leaves no half-done training running."""
    die_with_parent()


def refuse_without_fences(**kwargs: object) -> None:
    """Let no worker start on a database that would not keep tenants apart."""
    from tenancy import database  # models are there only once Django is set up

    database.refuse_without_fences()


worker_process_init.connect(end_with_the_worker)
worker_init.connect(refuse_without_fences)
