"""Documents that stay true: their links lead somewhere, and every setting is written down."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(document.read_text())]
    inside = [target for target in targets if target and "://" not in target]

    assert [target for target in inside if not (document.parent / target).exists()] == []


def test_every_setting_that_the_environment_can_change_is_documented() -> None:
    settings = (ROOT / "config" / "settings.py").read_text()
    names = set(re.findall(r"""env\.\w+\(\s*["']([A-Z_]+)["']""", settings)) - {"DJANGO_DEBUG"}
    documented = (ROOT / "docs" / "operations.md").read_text()

    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in documented} == set()


def test_every_make_target_that_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(
            r"(?m)(?:^ {4}|`)(?:PORT=\d+ )?make ([a-z-]+)", document.read_text()
        )
    }

    assert {"demo", "test"} <= named
    assert named - targets == set()
