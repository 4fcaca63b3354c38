"""Search in a team's requests: the language of the search box, and the full-text index behind it.

language.py     text -> terms and, in sentences, what cannot be read
moments.py      2d, 2026-11-01, >30s
filters.py      terms -> conditions on rows
narrowing.py    terms -> an expression for the index
matches.py      the rows that match: pages of them, counts
sorting.py      the same rows in another order
completion.py   how a term that is being typed may go on
scope.py        whose rows; what of the index can be used
words.py, documents.py, expressions.py   what is indexed, and how each database is asked
index.py        writes entries, for the lifecycle alone
history.py      indexes the rows of before the index, in the background
"""

from __future__ import annotations

from requests_app.search.language import (
    MAX_LENGTH,
    NOT_SEARCHED,
    Search,
    Term,
    parse_search,
    told_search,
)
from requests_app.search.matches import Matches, numbers_of
from requests_app.search.scope import Scope
from requests_app.search.sorting import Sorted

__all__ = [
    "MAX_LENGTH",
    "NOT_SEARCHED",
    "Matches",
    "Scope",
    "Search",
    "Sorted",
    "Term",
    "numbers_of",
    "parse_search",
    "told_search",
]
