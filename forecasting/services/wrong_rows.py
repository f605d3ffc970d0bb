"""Wrong rows of a file in words: the first ones are told, the others counted."""

from __future__ import annotations

from django.utils.translation import ngettext

MOST_TOLD = 10


def more_wrong(count: int) -> str:
    """Say how many rows are wrong beside those that are told."""
    text = ngettext("%(count)d more row is wrong.", "%(count)d more rows are wrong.", count)
    return text % {"count": count}
