"""Every text of a template can be translated, and no page needs inline script or another host."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import files, named

TRANSLATED = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
COMMENTS = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}|<!--.*?-->", re.DOTALL)
NOT_TEXT = re.compile(r"<(script|style|code|svg)\b.*?</\1>", re.DOTALL)
DJANGO = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
TAG = re.compile(r"<[^<>]*>", re.DOTALL)
SPOKEN_ATTRIBUTE = re.compile(
    r"""\b(?:title|placeholder|aria-label|alt)=(["'])(.*?)\1""", re.DOTALL
)
WORD = re.compile(r"[^\W\d_]{2,}")
ENTITY = re.compile(r"&#?\w+;")
# names and units that are the same in every language
SAME_EVERYWHERE = {"Stockcast", "SKU", "API", "CSV", "XLSX", "ABC", "XYZ", "MOQ", "URL", "ID"}
SAME_EVERYWHERE |= {"PDF", "ZPL", "GTIN"}
SAME_EVERYWHERE |= {"LSTM", "GRU", "CNN", "RNN", "MLP", "CPU"}
SAME_EVERYWHERE |= {"SPL", "wSPL", "RMSSE", "wRMSSE", "WAPE", "MSE", "RMSE", "MAE", "MASE"}


def blank(pattern: re.Pattern[str], text: str) -> str:
    """Remove what matches but keep its line breaks, so line numbers stay right."""
    return pattern.sub(lambda found: "\n" * found.group().count("\n") or " ", text)


def untranslated(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and words of text that no translation can reach."""
    for pattern in (COMMENTS, TRANSLATED, NOT_TEXT):
        text = blank(pattern, text)
    without_django = blank(DJANGO, text)
    for found in SPOKEN_ATTRIBUTE.finditer(without_django):
        yield from _words(found.group(2), without_django[: found.start()].count("\n"))
    yield from _words(blank(TAG, without_django))


def _words(text: str, lines_before: int = 0) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), lines_before + 1):
        # a code such as DA-10034 or 3xl is no word
        plain = [word for word in ENTITY.sub(" ", line).split() if not re.search(r"\d", word)]
        words = [word for word in WORD.findall(" ".join(plain)) if word not in SAME_EVERYWHERE]
        if words:
            yield number, " ".join(words)


def refused_by_the_policy(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and cause of what the content security policy would block."""
    text = blank(COMMENTS, text)
    causes = {
        r"<script(?![^>]*\bsrc=)(?![^>]*\bnonce=)(?![^>]*application/json)": "inline script",
        r"<style\b": "inline style",
        r"<[^>]*\sstyle=": "style attribute",
        r"<[^>]*\son[a-z]+=": "inline event handler",
        r"""(?:src|href)=["']https?://""": "another host",
        r"javascript:": "javascript: address",
    }
    for pattern, cause in causes.items():
        for found in re.finditer(pattern, text):
            yield text[: found.start()].count("\n") + 1, cause


def templates() -> list[Path]:
    return files("templates/**/*.html")


def test_every_text_can_be_translated() -> None:
    left = [
        f"{named(path, line)} {words}"
        for path in templates()
        for line, words in untranslated(path.read_text())
    ]

    assert left == []


def test_no_template_needs_inline_script_or_style_or_another_host() -> None:
    refused = [
        f"{named(path, line)} {cause}"
        for path in templates()
        for line, cause in refused_by_the_policy(path.read_text())
    ]

    assert refused == []


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("<h1>On hand</h1>", '<h1>{% translate "On hand" %}</h1>'),
        ('<input placeholder="Scan">', '<input placeholder="{% translate "Scan" %}">'),
        ("<p>Left: {{ n }}</p>", "<p>{% blocktranslate %}Left: {{ n }}{% endblocktranslate %}</p>"),
        ("<b>Nothing</b>", "<b>{{ name }}</b> &middot; DA-10034 Stockcast {# Nothing #}"),
    ],
)
def test_the_text_check_sees_bare_words_and_only_those(bad: str, good: str) -> None:
    assert list(untranslated(bad))
    assert not list(untranslated(good))


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<script src="https://cdn.example/x.js"></script>',
        "<style>p {}</style>",
    ],
)
def test_the_policy_check_sees_what_a_browser_would_block(bad: str) -> None:
    assert list(refused_by_the_policy(bad))


def test_the_policy_check_lets_own_files_pass() -> None:
    good = '<script src="{% static "js/app.js" %}" type="module"></script><a href="{% url "x" %}">'

    assert not list(refused_by_the_policy(good))
