"""Which font prints which text. Vera comes with reportlab and is embedded; others are files given.

Chinese, Japanese and Korean fall back to the standard fonts of the PDF reader, which are not
embedded. Scripts whose letters join or reorder (Arabic, Hebrew, Thai, those of India) need a
shaping engine that is not here: they are not printed wrongly but shown as boxes, like every other
character that no font has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

BOX = ""
"""The font of characters that none has: drawn as an empty box."""
HANGUL = (("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7af"))
KANA = (("\u3040", "\u30ff"), ("\u31f0", "\u31ff"))
HAN = (("\u2e80", "\u2fdf"), ("\u3000", "\u303f"), ("\u3400", "\u9fff"), ("\uff00", "\uffef"))
# by Unicode block: letters that join, reorder or stack
NEEDS_SHAPING = (
    ("\u0590", "\u109f"),
    ("\u1700", "\u1cff"),
    ("\ua840", "\uabff"),
    ("\ufb1d", "\ufeff"),
)
READER_FONTS = (("HYSMyeongJo-Medium", HANGUL), ("HeiseiKakuGo-W5", KANA), ("STSong-Light", HAN))


@dataclass(frozen=True)
class Fonts:
    """Font files (TrueType) to try in order, before and after the one that comes along."""

    files: tuple[str, ...] = ()
    bold_files: tuple[str, ...] = ()

    def runs(self, text: str, *, is_bold: bool) -> list[tuple[str, str]]:
        """Return the text in pieces of one font each; ``BOX`` for what none has."""
        chain = self._chain(is_bold=is_bold)
        clean = printable(text)
        # one font for all of it looks better than a mixture
        for name in chain:
            if all(_has(name, character) for character in clean):
                return [(name, clean)]
        named = [(_font_of(character, chain), character) for character in clean]
        return [
            (name, "".join(character for _name, character in run))
            for name, run in groupby(named, key=lambda pair: pair[0])
        ]

    def _chain(self, *, is_bold: bool) -> list[str]:
        usual = [_load(path) for path in self.files]
        bold = [_load(path) for path in self.bold_files] if is_bold else []
        own = [_vera("VeraBd"), _vera("Vera")] if is_bold else [_vera("Vera")]
        return [name for name in (own[0], *bold, *usual, *own[1:]) if name]


def printable(text: str) -> str:
    """Return the text in one line, composed, without what has no shape."""
    line = "".join(" " if character.isspace() else character for character in text)
    composed = unicodedata.normalize("NFC", line)
    return "".join(
        character for character in composed if unicodedata.category(character)[0] != "C"
    ).strip()


def unprintable(texts: Sequence[str], fonts: Fonts) -> str:
    """Return the characters that would be printed as boxes, each once."""
    found = {
        character
        for text in texts
        for name, run in fonts.runs(text, is_bold=False)
        for character in run
        if name == BOX
    }
    return "".join(sorted(found))


def text_width(fonts: Fonts, text: str, size: int, *, is_bold: bool = False) -> float:
    """Return the width in points."""
    return sum(run_width(name, run, size) for name, run in fonts.runs(text, is_bold=is_bold))


def run_width(name: str, run: str, size: int) -> float:
    """Return the width of a piece of one font in points; a box is as wide as it is high."""
    if name == BOX:
        return len(run) * size
    width: float = pdfmetrics.stringWidth(run, name, size)
    return width


def _font_of(character: str, chain: Sequence[str]) -> str:
    for name in chain:
        if _has(name, character):
            return name
    for name, blocks in READER_FONTS:
        if _within(character, blocks):
            return _reader_font(name)
    return BOX


def _within(character: str, blocks: Sequence[tuple[str, str]]) -> bool:
    return any(first <= character <= last for first, last in blocks)


def _has(name: str, character: str) -> bool:
    if _within(character, NEEDS_SHAPING):
        return False
    return ord(character) in pdfmetrics.getFont(name).face.charToGlyph


@cache
def _vera(name: str) -> str:
    return _load(str(Path(reportlab.__file__).parent / "fonts" / f"{name}.ttf"))


@cache
def _load(path: str) -> str:
    """Register a font file once per process; return its name, empty when it cannot be read."""
    name = f"label-{Path(path).stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, path))
    except (TTFError, OSError):
        return ""
    return name


@cache
def _reader_font(name: str) -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name
