"""The components of the design system as template tags; see `docs/design_system.md`."""

import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenancy.templatetags import charts, formats
from tenancy.templatetags.sparklines import spark_paths

register = template.Library()
# One load brings all: the filters and the chart live in files of their own.
register.filters.update(formats.register.filters)
register.tags.update(charts.register.tags)

TONE_ICONS = {
    "success": "check-circle",
    "warning": "alert",
    "danger": "x-circle",
    "info": "info",
    "accent": "dot",
    "neutral": "circle",
}
STATE_TONES = {
    **dict.fromkeys(
        [
            *("done", "published", "received", "resolved", "accepted", "available"),
            *("inspected", "completed", "picked", "packed", "shipped", "posted"),
        ],
        "success",
    ),
    **dict.fromkeys(
        ["running", "in_transit", "sent", "placed", "partially_received", "acknowledged", "edited"],
        "info",
    ),
    **dict.fromkeys(["released", "picking", "allocated", "closed", "counting", "approved"], "info"),
    **dict.fromkeys(["new", "open", "confirmed", "requested", "expected"], "accent"),
    **dict.fromkeys(["backordered", "partially_allocated", "recount"], "warning"),
    **dict.fromkeys(["snoozed", "stale", "late", "on_hold", "medium", "short"], "warning"),
    **dict.fromkeys(["failed", "rejected", "critical", "high", "expired", "recalled"], "danger"),
}


ICON_NAMES = frozenset(
    re.findall(r'<symbol id="([\w-]+)"', (Path(settings.BASE_DIR) / "static/icons.svg").read_text())
)


def _refuse_unknown(tag: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise when a template asks a tag for something that it does not know."""
    if unknown := sorted(set(given) - set(known)):
        raise template.TemplateSyntaxError(f"{tag} does not know {', '.join(unknown)}")


def _spoken(label: str) -> SafeString:
    """Name a drawing for screen readers, or hide it from them."""
    if not label:
        return SafeString('aria-hidden="true"')
    return format_html('role="img" aria-label="{}"', label)


@register.simple_tag
def icon(name: str, size: str = "", label: str = "", flip: bool = False) -> SafeString:
    """Draw an icon of the sprite; without a label it is hidden from screen readers."""
    _refuse_unknown("icon", [name], ICON_NAMES)
    classes = "icon" + (f" icon-{size}" if size else "") + (" icon-flip" if flip else "")
    return format_html(
        '<svg class="{}" {} focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        _spoken(label),
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(text: str, tone: str = "neutral", icon_name: str | None = None) -> SafeString:
    """Show a short status: tone neutral, info, success, warning, danger or accent, plus an icon."""
    _refuse_unknown("badge", [tone], TONE_ICONS)
    name = TONE_ICONS[tone] if icon_name is None else icon_name
    drawn = icon(name) if name else ""
    return format_html('<span class="badge badge-{}">{}{}</span>', tone, drawn, text)


@register.simple_tag
def status(state: str, text: str = "") -> SafeString:
    """Show the state of a job or document in the tone that state has everywhere."""
    return badge(text or state.replace("_", " ").capitalize(), STATE_TONES.get(state, "neutral"))


@register.simple_tag
def sparkline(
    values: Iterable[float | None] | None, label: str = "", small: bool = False
) -> SafeString:
    """Draw a small line of the values, gaps where None or NaN; nothing when nothing is known."""
    paths = spark_paths(values or [])
    if paths is None:
        return SafeString("")
    return format_html(
        '<svg class="sparkline{}" viewBox="0 0 100 32" preserveAspectRatio="none" {}>'
        '<path class="spark-area" d="{}"/><path class="spark-line" d="{}"/></svg>',
        " sparkline-cell" if small else "",
        _spoken(label),
        paths.area,
        paths.line,
    )


@register.simple_block_tag(takes_context=True)
def card_actions(context: Context, content: str) -> str:
    """Put buttons into the header of the card around this block."""
    context.render_context["card_actions"] = content
    return ""


@register.simple_block_tag(takes_context=True)
def card_footer(context: Context, content: str) -> str:
    """Put a line under the body of the card around this block."""
    context.render_context["card_footer"] = content
    return ""


@register.simple_block_tag(takes_context=True)
def card(
    context: Context,
    content: str,
    title: str = "",
    hint: str = "",
    flush: bool = False,
    level: int = 2,
) -> SafeString:
    """Frame content; `flush` for tables and lists that touch the edges."""
    parts = {
        "content": content,
        "title": title,
        "hint": hint,
        "flush": flush,
        "level": level,
        "actions": context.render_context.get("card_actions", ""),
        "footer": context.render_context.get("card_footer", ""),
    }
    # Read once: the next card of the page starts without them.
    context.render_context["card_actions"] = context.render_context["card_footer"] = ""
    return SafeString(render_to_string("components/card.html", parts))


@register.simple_block_tag
def alert(content: str, tone: str = "info", title: str = "", closable: bool = False) -> SafeString:
    """Show a message in the page: tone info, success, warning or danger."""
    _refuse_unknown("alert", [tone], TONE_ICONS)
    context = {"content": content, "tone": tone, "title": title, "closable": closable}
    context["icon_name"] = TONE_ICONS[tone]
    return SafeString(render_to_string("components/alert.html", context))


@register.simple_block_tag
def empty(content: str, title: str, text: str = "", icon_name: str = "box") -> SafeString:
    """Say why a place is empty and what to do; the content holds the buttons."""
    context = {"content": content, "title": title, "text": text, "icon_name": icon_name}
    return SafeString(render_to_string("components/empty.html", context))


@register.simple_block_tag
def dialog(content: str, id: str, title: str, wide: bool = False) -> SafeString:  # noqa: A002
    """Hold content in a native dialog, opened by any button with data-dialog-open="<id>"."""
    context = {"content": content, "id": id, "title": title, "wide": wide}
    return SafeString(render_to_string("components/dialog.html", context))


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: object, **options: object) -> dict[str, object]:
    """Show one figure; options: unit, delta, delta_tone, delta_hint, hint, values, href.

    `delta` is an already written difference ("+4.2%"); its arrow follows the sign, its colour
    `delta_tone` (good news differs per figure). `values` draws a sparkline.
    """
    known = {"unit", "delta", "delta_tone", "delta_hint", "hint", "values", "href"}
    _refuse_unknown("stat", options, known)
    delta = str(options.get("delta") or "")
    direction = {"+": "arrow-up", formats.MINUS: "arrow-down", "-": "arrow-down"}
    return {
        **options,
        "label": label,
        "value": value,
        "delta": delta,
        "delta_icon": direction.get(delta[:1], ""),
        "delta_tone": options.get("delta_tone") or "",
    }


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, **options: object) -> dict[str, object]:
    """Render one form field with label, help and errors.

    Options: `unit` behind the control, `narrow`, `bare` (no required or optional mark, for short
    forms where all is required), `descriptions` (a mapping from choice to a line about it),
    `unlabelled` (the label is for screen readers: a table's column says it already).
    """
    known = {"unit", "narrow", "bare", "descriptions", "unlabelled"}
    _refuse_unknown("field", options, known)
    widget = bound.field.widget
    kind = getattr(widget, "input_type", None) or "textarea"
    return {
        **options,
        "field": bound,
        "kind": "choices" if kind in {"radio", "checkbox"} and bound.use_fieldset else kind,
        "input_type": kind,
        "accept": widget.attrs.get("accept", ""),
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, object]:
    """Summarise a refused form: every error, each linking to its field."""
    fields = [(bound, bound.errors) for bound in form if bound.errors]
    return {"form": form, "fields": fields, "general": form.non_field_errors()}


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(
    context: Context, key: str, label: str, numeric: bool = False, param: str = "sort"
) -> dict[str, object]:
    """Render a th whose link sorts by `key`, then by `-key`; the view reads ?sort=."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else None
    current = str(query.get(param, context.get("sort", ""))) if query is not None else ""
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    href = ""
    if query is not None:
        query.pop("cursor", None)
        query[param] = f"-{key}" if current == key else key
        href = f"?{query.urlencode()}"
    return {"label": label, "numeric": numeric, "direction": direction, "href": href}


@register.simple_tag
def idempotency_key() -> SafeString:
    """Put a fresh key into a form, so that sending the same form twice counts once."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4().hex)


def tenant_url(context: Context, view_name: str) -> str:
    """Reverse a page of the active tenant; empty while that page is not installed."""
    tenant = context.get("tenant")
    try:
        return reverse(view_name, kwargs={"tenant": tenant.slug} if tenant else {})
    except NoReverseMatch:
        return ""


@register.inclusion_tag("components/nav_item.html", takes_context=True)
def nav_item(
    context: Context,
    section: str,
    view_name: str,
    label: str,
    icon_name: str,
    css: str = "nav-link",
) -> dict[str, object]:
    """Link a section of the site; `nav_counts` of the context may hold a number to show."""
    return {
        "href": tenant_url(context, view_name),
        "label": label,
        "icon_name": icon_name,
        "css": css,
        "current": context.get("nav_section") == section,
        "count": (context.get("nav_counts") or {}).get(section),
    }


@register.inclusion_tag("components/filter_control.html")
def filter_control(bound: BoundField) -> dict[str, object]:
    """Render one control of a filter bar in its compact form."""
    kind = getattr(bound.field.widget, "input_type", "text")
    css = "select" if kind == "select" else "input"
    drawn = bound if kind in {"checkbox", "hidden"} else bound.as_widget(attrs={"class": css})
    return {"field": bound, "kind": kind, "drawn": drawn}


@register.filter
def lookup(mapping: Mapping[object, object], key: object) -> object:
    """Return the entry of a mapping under a computed key, or nothing."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def initials(name: str) -> str:
    """Return up to two letters that stand for a name."""
    words = [word for word in str(name).replace("@", " ").replace(".", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def unlocalized(value: object) -> str:
    """Write a number the way HTML attributes want it."""
    return str(value)
