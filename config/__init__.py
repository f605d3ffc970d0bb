"""Settings and entry points. Importing the Celery application makes it the one that sends."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
