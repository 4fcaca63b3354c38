"""Pure: fold text for search. Both the indexed text and the query pass through `fold`.

Case, width, ligatures, composed or decomposed accents, invisible characters and the kind of white space do
not matter. Accents on Latin and Greek letters do not matter either (`ecole` finds `École`, and the other
way round); marks of other scripts are letters of their own (й is not и, が is not か).

Folded text is NFC with single spaces, so that a tokeniser of a full-text index sees the same words on
every database and needs no settings of its own.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from requests_app.models.names import INVISIBLE

_ACCENTS = range(0x0300, 0x0370)  # Combining Diacritical Marks
_UNACCENTED_SCRIPTS = ("LATIN ", "GREEK ")


def fold(text: str) -> str:
    """Return the searchable form of a text. Idempotent."""
    if not text.isascii():
        text = _fold_letters(text)
    return " ".join(text.casefold().split())


def _fold_letters(text: str) -> str:
    visible = "".join(char for char in text if not _is_invisible(char))
    # Case folding can decompose, and decomposing can give capitals (ᴬ, ǰ), so both are done twice.
    whole = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", visible).casefold())
    whole = unicodedata.normalize("NFKD", whole.casefold())
    return unicodedata.normalize("NFC", _without_accents(whole))


def _without_accents(decomposed: str) -> str:
    kept: list[str] = []
    base = ""
    for char in decomposed:
        if not unicodedata.combining(char):
            base = char
        elif ord(char) in _ACCENTS and base and _loses_accents(base):
            continue
        kept.append(char)
    return "".join(kept)


def _is_invisible(char: str) -> bool:
    return ord(char) > 127 and (unicodedata.category(char) == "Cf" or ord(char) in INVISIBLE)


@lru_cache(maxsize=2048)
def _loses_accents(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNACCENTED_SCRIPTS)
