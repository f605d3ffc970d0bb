"""The Celery application: executor of jobs, never their truth."""

import os

from celery import Celery
from celery.signals import worker_process_init

from config.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stockcast")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def end_with_the_worker(**kwargs: object) -> None:
    """Tie each pool process to its worker: a killed worker leaves no half-done training running."""
    die_with_parent()


worker_process_init.connect(end_with_the_worker)
