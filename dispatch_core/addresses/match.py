"""From a typed address to a building of the book: score, reasons, and never a guess between two."""

from __future__ import annotations

from dispatch_core.addresses.book import Book
from dispatch_core.addresses.found import NOTHING, Match
from dispatch_core.addresses.names import Hit
from dispatch_core.addresses.places import ASIDE, Places, without_subdistricts
from dispatch_core.addresses.search import Search
from dispatch_core.addresses.talk import left_to_a_person, names_several, without_things
from dispatch_core.addresses.text import write


class Matcher:
    """Matches texts against one book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._places = Places(book.city, book.districts, book.names)
        self._taught = sorted({len(t) for t in book.taught}, reverse=True)

    def match(self, text: str) -> Match:
        """The building, unit and flat that `text` names, with score and reasons."""
        written = write(text)
        if not written.text:
            if written.household:
                return NOTHING._replace(household=written.household, reasons=("household_number",))
            return NOTHING._replace(reasons=("empty",))
        written = written._replace(text=without_things(written.text))
        placed = self._places.aside(written.text, written.cuts)
        search = Search(self.book, self.taught, written, placed)
        found = search.run()._replace(household=written.household)
        return left_to_a_person(found) if names_several(written.text) else found

    def read(self, text: str) -> tuple[str, list[Hit]]:
        """A text in the one writing without city and districts, and the names in it."""
        written = write(text)
        placed = self._places.aside(written.text, written.cuts)
        rest = without_subdistricts(placed.text).replace(ASIDE, "")
        return rest, self.book.names.find(rest)

    def taught(self, text: str, start: int) -> tuple[list[int], int] | None:
        """The buildings that a taught wording at `start` of `text` means, and its length."""
        for size in self._taught:
            end = start + size
            found = self.book.taught.get(text[start:end]) if end <= len(text) else None
            if found and not (text[end - 1].isdigit() and text[end : end + 1].isdigit()):
                return found, size
        return None
