"""Typed addresses to buildings of the register: one writing, a book of names, score and reasons."""

from dispatch_core.addresses.book import Alias, Book, BookRow
from dispatch_core.addresses.found import Candidate, Match
from dispatch_core.addresses.match import Matcher
from dispatch_core.addresses.suggest import suggest
from dispatch_core.addresses.teach import lessons

__all__ = ["Alias", "Book", "BookRow", "Candidate", "Match", "Matcher", "lessons", "suggest"]
