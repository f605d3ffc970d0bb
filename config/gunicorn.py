"""Settings of the web server that do not depend on where it runs."""

from typing import Any

from config.processes import die_with_parent

wsgi_app = "config.wsgi"
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 5
# requests that leak memory cannot grow for ever
max_requests = 5000
max_requests_jitter = 500


def post_fork(server: Any, worker: Any) -> None:
    """Tie each web process to its master, so that a killed master leaves none behind."""
    die_with_parent()
