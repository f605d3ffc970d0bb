"""What several tests of forecasting stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def own_files(settings: Any, tmp_path: Path) -> None:
    """Artefacts and uploads of a test lie in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path
