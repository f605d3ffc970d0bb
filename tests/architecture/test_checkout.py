"""What may be in the checkout, and what a web process may load."""

import os
import subprocess
import sys

import pytest
from django.contrib.staticfiles import finders

from tests.architecture.source import ROOT, tracked_files

LARGEST_FILE_BYTES = 500_000
WRITTEN_BY_THE_CODE = {"openapi.yaml"}
"""It grows with the API, and a test keeps it equal to what the code says."""


def test_no_large_minified_or_binary_code_file_is_committed() -> None:
    tracked = tracked_files()
    if not tracked:
        pytest.skip("no git checkout: nothing lists the committed files")
    checked = [p for p in tracked if p.name not in WRITTEN_BY_THE_CODE]
    large = [p.name for p in checked if p.stat().st_size > LARGEST_FILE_BYTES]
    copied = [p.name for p in tracked if p.name.endswith((".min.js", ".min.css", ".map"))]

    assert (large, copied) == ([], [])


@pytest.mark.parametrize(
    "path", ["django_htmx/htmx-2.min.js", "unfold/js/chart/chart.js"], ids=["htmx", "Chart.js"]
)
def test_the_libraries_pages_use_come_from_installed_packages(path: str) -> None:
    assert finders.find(path), f"{path} is gone: the pinned package moved it"


def test_a_web_process_does_not_load_torch() -> None:
    """Torch costs 200 MB and 2 s per process, and hangs a process that forks after using it."""
    program = (
        "import sys, django; django.setup(); "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "sys.exit('torch' in sys.modules)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)

    assert ended.returncode == 0
