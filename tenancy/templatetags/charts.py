"""Charts as a template tag: plain data in, a figure with its JSON out; `charts.js` draws it."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import json_script
from django.utils.text import slugify

register = template.Library()

CHART_KINDS = frozenset({"fan", "loss", "line", "bar"})
CHART_OPTIONS = frozenset({"summary", "size", "id", "ranges"})


@register.inclusion_tag("components/chart.html")
def chart(kind: str, data: Mapping[str, Any], label: str, **options: object) -> dict[str, object]:
    """Draw a chart (fan, loss, line, bar) from plain data; `summary` says in words what it shows.

    Arrays, decimals, dates and NaN are turned into JSON here; NaN and None become gaps.
    """
    if kind not in CHART_KINDS:
        raise template.TemplateSyntaxError(f"chart has no kind {kind}")
    if unknown := sorted(set(options) - CHART_OPTIONS):
        raise template.TemplateSyntaxError(f"chart does not know {', '.join(unknown)}")
    identity = str(options.get("id") or f"chart-{slugify(label)}")
    return {
        "id": identity,
        "kind": kind,
        "label": label,
        "summary": options.get("summary", ""),
        "size": options.get("size", ""),
        "ranges": options.get("ranges", kind == "fan"),
        "data": json_script(plain_json(data), f"{identity}-data"),
    }


def plain_json(value: Any) -> Any:
    """Turn arrays, decimals, dates and NaN into what JSON can say; not-a-number becomes null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(item) for item in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, bool | int | str | None) else str(value)
