"""The morning report as a printed page: A4, in the pages' own font. Run as a process of its own,
since opening the font is seconds of work: the document as JSON on stdin, the PDF on stdout."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from typing_extensions import override

from server.adapters.report_pages import Document, Table


class _Page(FPDF):
    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot

    @override
    def footer(self) -> None:
        """The company and the page's number."""
        self.set_y(-14)
        self.set_text_color(110)
        self.set_font_size(8)
        self.cell(0, 6, f"{self._foot}  ·  {self.page_no()}", align="R")
        self.set_text_color(0)


def render(document: Document) -> bytes:
    """The PDF."""
    page = _Page(document.foot)
    with tempfile.TemporaryDirectory() as folder:
        for n, file in enumerate(_plain(document.fonts, Path(folder))):
            page.add_font(f"f{n}", fname=str(file))
        page.set_fallback_fonts([f"f{n}" for n in range(1, len(document.fonts))])
        page.set_margins(16, 16, 16)
        page.set_auto_page_break(auto=True, margin=18)
        page.add_page()
        page.set_font("f0", size=18)
        page.cell(0, 10, document.title, new_x="LMARGIN", new_y="NEXT")
        page.set_font_size(10)
        page.set_text_color(90)
        page.multi_cell(0, 6, document.under, new_x="LMARGIN", new_y="NEXT")
        page.set_text_color(0)
        for table in document.tables:
            _draw(page, table)
        if document.remarks:
            page.ln(3)
            for remark in document.remarks:
                page.multi_cell(0, 6, remark, new_x="LMARGIN", new_y="NEXT")
        return bytes(page.output())


def _draw(page: FPDF, table: Table) -> None:
    page.ln(4)
    page.set_font_size(12)
    page.cell(0, 8, table.heading, new_x="LMARGIN", new_y="NEXT")
    page.set_font_size(9)
    with page.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=tuple(table.widths),
        text_align=tuple(table.align),
        first_row_as_headings=False,
        line_height=5.5,
    ) as drawn:
        for n, row in enumerate(table.rows):
            line = drawn.row()
            for cell in row:
                page.set_text_color(90 if table.named and n == 0 else 0)
                line.cell(cell)
    page.set_text_color(0)


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
