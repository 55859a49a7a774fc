"""A poster as PDF: who asks what, one QR code, one short address, one number; black on white.

Drawn without a browser, with letters shaped and run right to left where a script wants that, and
one font that has all the letters of our five languages (docs/adr/0016).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import Final

import segno
from fpdf import FPDF
from fpdf.enums import Align

FONT: Final = files("fontpkg_noto_sans_arabic") / "files" / "NotoSansArabic[wdth,wght].ttf"
FAMILY: Final = "poster"
QUIET: Final = 4
"""Empty modules around a QR code (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A size of paper and what stands on it, in millimetres; letters in points (ISO 216)."""

    size: tuple[float, float]
    margin: float
    code: float
    question: float
    text: float


PAPERS: Mapping[str, Paper] = MappingProxyType(
    {"a4": Paper((210, 297), 18, 125, 36, 19), "a5": Paper((148, 210), 13, 86, 25, 13.5)}
)


@dataclass(frozen=True, slots=True)
class Poster:
    """What a poster says: `question` large, `lines` beneath the code of `url`."""

    language: str
    who: str
    question: str
    url: str
    lines: Sequence[str]


def draw(poster: Poster, size: str) -> bytes:
    """Return the PDF; `size` is a4 or a5, else KeyError. What does not fit is made smaller."""
    paper = PAPERS[size]
    for shrink in (1.0, 0.85, 0.7, 0.55, 0.4):
        pdf = _drawn(poster, paper, shrink)
        if pdf.pages_count == 1:
            break
    return bytes(pdf.output())


def _drawn(poster: Poster, paper: Paper, shrink: float) -> FPDF:
    pdf = FPDF(format=paper.size)
    with as_file(FONT) as font:
        pdf.add_font(FAMILY, fname=font)
    right_to_left = poster.language == "ar"
    pdf.set_text_shaping(True, direction="rtl" if right_to_left else "ltr")
    pdf.set_title(poster.question)
    pdf.set_lang(poster.language)
    pdf.set_margin(paper.margin)
    pdf.set_auto_page_break(True, paper.margin)
    pdf.add_page()
    _write(pdf, poster.who, paper.text * shrink)
    pdf.ln(paper.text * shrink * 0.2)
    _write(pdf, poster.question, paper.question * shrink)
    pdf.ln(paper.text * shrink * 0.3)
    _code(pdf, poster.url, paper.code * (shrink + 1) / 2)
    pdf.set_text_shaping(True, direction="ltr")
    _write(pdf, poster.url.partition("//")[2], paper.text * shrink)
    pdf.set_text_shaping(True, direction="rtl" if right_to_left else "ltr")
    for line in poster.lines:
        pdf.ln(paper.text * shrink * 0.2)
        _write(pdf, line, paper.text * shrink)
    return pdf


def _write(pdf: FPDF, text: str, points: float) -> None:
    pdf.set_font(FAMILY, size=points)
    pdf.multi_cell(0, points * 0.5, text, align=Align.C, new_x="LMARGIN", new_y="NEXT")


def _code(pdf: FPDF, url: str, width: float) -> None:
    """Draw the QR code as one shape of lines, so that it is sharp at any size."""
    matrix = segno.make(url, error="m").matrix
    module = width / (len(matrix) + 2 * QUIET)
    left, top = (pdf.w - width) / 2 + QUIET * module, pdf.get_y() + QUIET * module
    if top + width > pdf.h - pdf.b_margin:
        pdf.add_page()
    pdf.set_fill_color(0)
    for row, modules in enumerate(matrix):
        for column, length in _runs(modules):
            pdf.rect(left + column * module, top + row * module, length * module, module, "F")
    pdf.set_y(top + (len(matrix) + QUIET) * module)


def _runs(modules: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Where dark modules begin in a row, and how many stand side by side."""
    found: list[tuple[int, int]] = []
    for column, dark in enumerate(modules):
        if dark and found and sum(found[-1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((column, 1))
    return found
