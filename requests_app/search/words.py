"""Pure: text -> the words that are indexed and asked for. Both sides pass through here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from requests_app.rules.folding import fold

MOST_LETTERS = 64  # of a word: longer ones are keys and hashes, found by their beginning

# Scripts that put no spaces between words, and symbols: each sign is a word, and a text of several a phrase.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\u2600-\u27bf\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_ALONE}]|\d+(?:\.\d+)+(?![^\W_])|[^\W_{_ALONE}]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.ASCII)
_IN_A_NAME = re.compile(r"[^\w-]+")


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a text, folded."""
    for match in _WORD.finditer(fold(text)):
        word = match[0][:MOST_LETTERS]
        yield word.rstrip("0").rstrip(".") if "." in word else word  # 7.50 is 7.5


def field_name(name: str) -> str:
    """Return the name of a field as part of an indexed word."""
    return _IN_A_NAME.sub("_", fold(name))[:MOST_LETTERS]


def number_word(text: str) -> str:
    """Return the one word for a number however it is written (7.50, 7.5); empty for anything else."""
    text = text.strip().lower()
    if not _NUMBER.fullmatch(text) or len(text) > MOST_LETTERS:
        return ""
    if "e" in text or "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def id_word(text: str) -> str:
    """Return an id as one word: letter for letter, so that its beginning stays a beginning."""
    return "".join(_id_letter(letter) for letter in text[:200])


def _id_letter(letter: str) -> str:
    return letter.lower() if letter.isascii() and (letter.isalnum() or letter in "-.") else "_"
