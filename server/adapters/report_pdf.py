"""The morning report as a printed page: A4, in the pages' own font. Run as a process of its own,
since opening the font is seconds of work: the document as JSON on stdin, the PDF on stdout."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace
from typing_extensions import override

from server.adapters.report_pages import Document, Table

MARGIN, FOOT, GUTTER = 16.0, 18.0, 10.0
LINE_HEIGHT, PADDING, GAP = 4.6, 0.5, 3.5
ROW = LINE_HEIGHT + 2 * PADDING
HEAD = GAP + 7.0
"""Millimetres: the page's edges, a row of one line, the space above a heading and with it."""
TEXT_PT = 9
GREY, LINE = (95, 95, 95), (205, 205, 205)


class _Page(FPDF):
    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot

    @override
    def footer(self) -> None:
        """The company, the page's number and how many there are."""
        self.set_y(-14)
        self.set_text_color(*GREY)
        self.set_font_size(8)
        self.cell(0, 6, f"{self._foot}  ·  {self.page_no()} / {{nb}}", align="C")
        self.set_text_color(0)


def render(document: Document) -> bytes:
    """The PDF."""
    page = _Page(document.foot)
    with tempfile.TemporaryDirectory() as folder:
        for n, file in enumerate(_plain(document.fonts, Path(folder))):
            page.add_font(f"f{n}", fname=str(file))
        page.set_fallback_fonts([f"f{n}" for n in range(1, len(document.fonts))])
        page.set_margins(MARGIN, MARGIN, MARGIN)
        page.c_margin = PADDING
        page.set_auto_page_break(auto=True, margin=FOOT)
        page.add_page()
        page.set_font("f0", size=18)
        page.multi_cell(0, 9, document.title, align="L", new_x="LMARGIN", new_y="NEXT")
        page.set_font_size(10)
        page.set_text_color(*GREY)
        page.multi_cell(0, 6, document.under, align="L", new_x="LMARGIN", new_y="NEXT")
        page.set_text_color(0)
        page.set_draw_color(*LINE)
        page.set_line_width(0.2)
        _columns(page, document.figures)
        for table in (document.wide, document.remarks):
            if table.rows:
                _start(page, HEAD + 3 * ROW)
                _draw(page, table, page.l_margin, page.epw)
        if _fits(page, document.halves, (page.epw - GUTTER) / 2):
            _columns(page, list(_halved(page, document.halves)))
        else:
            _start(page, HEAD + 3 * ROW)
            _draw(page, document.halves, page.l_margin, page.epw)
        return bytes(page.output())


def _columns(page: FPDF, tables: Sequence[Table]) -> None:
    """Whole tables one below the other, in two columns of about the same height."""
    half = (page.epw - GUTTER) / 2
    heights = [_height(table) for table in tables]
    _start(page, max(heights, default=0.0))
    top = end = page.get_y()
    x, filled = page.l_margin, 0.0
    for table, height in zip(tables, heights, strict=True):
        right = x > page.l_margin
        if not right and filled and filled + height / 2 > sum(heights) / 2:
            x, right = page.l_margin + half + GUTTER, True
            page.set_y(top)
        if page.get_y() + height > page.h - FOOT:  # to the other column, or to a new page
            if right:
                page.add_page()
                top = page.get_y()
            x = page.l_margin if right else page.l_margin + half + GUTTER
            page.set_y(top)
        _draw(page, table, x, half)
        filled += height
        end = max(end if page.get_y() >= top else top, page.get_y())
    page.set_y(end)


def _halved(page: FPDF, table: Table) -> Iterator[Table]:
    """A long table as two of the same height, or more where a page has no room for it."""
    names, rows = table.rows[:1], table.rows[1:]
    room = int((page.h - FOOT - MARGIN - HEAD) / ROW) - 1
    each = max(1, min(room, -(-len(rows) // 2)))
    for at in range(0, len(rows), each):
        heading = "" if at else table.heading
        yield msgspec.structs.replace(table, heading=heading, rows=names + rows[at : at + each])


def _fits(page: FPDF, table: Table, width: float) -> bool:
    """Whether every cell stands in one line of a table so wide."""
    page.set_font_size(TEXT_PT)
    room = [width * share / sum(table.widths) - 3 * PADDING for share in table.widths]
    return all(
        page.get_string_width(cell) <= most
        for row in table.rows
        for cell, most in zip(row, room, strict=True)
    )


def _height(table: Table) -> float:
    return HEAD + len(table.rows) * ROW


def _start(page: FPDF, height: float) -> None:
    """A new page where so much does not fit on this one."""
    if page.get_y() + height > page.h - FOOT:
        page.add_page()


def _draw(page: FPDF, table: Table, x: float, width: float) -> None:
    left = page.l_margin
    page.set_left_margin(x)
    page.set_x(x)
    page.set_font_size(11)
    page.set_y(page.get_y() + GAP)
    page.cell(width, HEAD - GAP, table.heading, new_x="LMARGIN", new_y="NEXT")
    page.set_font_size(TEXT_PT)
    with page.table(
        align="LEFT",
        width=width,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=tuple(table.widths),
        text_align=tuple(table.align),
        first_row_as_headings=table.named,
        headings_style=FontFace(color=GREY),
        line_height=LINE_HEIGHT,
        padding=(PADDING, 0.5),
    ) as drawn:
        for row in table.rows:
            drawn.row(row)
    page.set_left_margin(left)


def _plain(files: list[str], folder: Path) -> Iterator[Path]:
    """The fonts without their compression, as a PDF wants them."""
    for n, name in enumerate(files):
        out = folder / f"{n}.ttf"
        with TTFont(name) as font:
            font.flavor = None
            held = io.BytesIO()
            font.save(held)
        out.write_bytes(held.getvalue())
        yield out


def main() -> None:
    """One document."""
    document = msgspec.json.decode(sys.stdin.buffer.read(), type=Document)
    sys.stdout.buffer.write(render(document))


if __name__ == "__main__":
    main()
