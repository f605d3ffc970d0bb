"""Reading the product's source for the checks of this folder."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("tenancy", "inventory", "forecasting")
PRODUCT = ("config", *APPS)


def files(*patterns: str) -> list[Path]:
    """Return the product's files that match, without migrations."""
    found = [
        path
        for pattern in patterns
        for path in sorted(ROOT.glob(pattern))
        if path.is_file() and "migrations" not in path.parts
    ]
    assert found, f"nothing matches {patterns}: the check would check nothing"
    return found


def python_files() -> list[Path]:
    """Return every Python file of the product."""
    return files(*(f"{package}/**/*.py" for package in PRODUCT))


def tracked_files() -> list[Path]:
    """Return every file git knows, or every file when this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def named(path: Path, line: int) -> str:
    """Return `path:line` as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{line}"


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(), filename=str(path))
