"""Decide when two names are the same: compared without case, width, invisible and look-alike
letters.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from confusable_homoglyphs import utils
from confusable_homoglyphs.categories import alias

# Scripts that are written together (Unicode TR 39, "highly restrictive").
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "HANGUL"},
    {"LATIN", "HAN", "BOPOMOFO"},
)
_NO_SCRIPT = {"COMMON", "INHERITED", "Unknown"}
# Invisible characters outside the format category: fillers, joiners, variation selectors.
_FILLERS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
INVISIBLE = frozenset({*_FILLERS, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)})


def keys_of(name: str) -> frozenset[str]:
    """Return the keys the name claims: two names are equal when they share a key.

    A name in another script may have two, for it may look like one name in small letters and like
    another in capitals: Greek alpha, nu, nu, alpha resembles "avva" or "ANNA".
    """
    folded = fold(name)
    return frozenset({_prototype(folded), _prototype(folded.upper())})


def fold(name: str) -> str:
    """Return the name without case, width and invisible characters."""
    letters = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(letter for letter in letters if not _is_invisible(letter))
    # Capital I with a dot (Turkish) becomes i and a second dot.
    return " ".join(unicodedata.normalize("NFKC", seen).replace("i\u0307", "i").split())


def fault_of(name: str) -> str | None:
    """Say why the name is not allowed: it mixes scripts, so that it can look like another one."""
    scripts = {alias(letter) for letter in name if letter.isalpha()} - _NO_SCRIPT
    if len(scripts) <= 1 or any(scripts <= together for together in _TOGETHER):
        return None
    mixed = " and ".join(sorted(script.title() for script in scripts))
    return f"This name mixes {mixed} letters, some of which look alike. Use one alphabet."


def _is_invisible(letter: str) -> bool:
    """Whether it is a format or control character, a surrogate, or the like."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs") or ord(letter) in INVISIBLE


def _prototype(text: str) -> str:
    """Replace letters by those they look like, ASCII where possible."""
    if text.isascii():
        return text.casefold()
    prototypes = _prototypes()
    return "".join(prototypes.get(letter, letter) for letter in text).casefold()


@cache
def _prototypes() -> dict[str, str]:
    """Map each letter to the one it looks like: Unicode's table, without multi-letter entries."""
    table = {
        letter: [found["c"] for found in similar if len(found["c"]) == 1]
        for letter, similar in utils.load("confusables.json").items()
        if len(letter) == 1
    }
    return {
        letter: _nearest(letter, similar, table)
        for letter, similar in table.items()
        if similar and not letter.isascii()
    }


def _nearest(letter: str, similar: list[str], table: dict[str, list[str]]) -> str:
    plain = [other for other in similar if other.isascii() and other.isalpha()]
    if plain:
        return min(plain, key=lambda other: (other.isupper() != letter.isupper(), other))
    # The table joins each letter to one hub: the one with the most neighbours.
    return max((letter, *similar), key=lambda other: (len(table.get(other, ())), -ord(other)))
