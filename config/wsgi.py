"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# imports the models, so it comes after Django is set up
from tenancy.database import refuse_without_fences  # noqa: E402

refuse_without_fences()
