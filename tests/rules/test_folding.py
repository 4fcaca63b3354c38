"""The searchable form of a text: what is the same to a reader is the same text."""

# ruff: noqa: RUF001 - letters that look alike are the subject

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.rules.folding import fold

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("École", "ecole"),
        ("E\u0301COLE", "école"),
        ("NAI\u0308VE", "naïve"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("ﬁne ﬂow", "FINE FLOW"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("Việt", "viet"),
        ("\u212bngström", "angstrom"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("МОСКВА", "москва"),
        ("И\u0306од", "йод"),
        ("ｶﾞ", "ガ"),
        ("가", "\u1100\u1161"),
        ("co\u00adop", "coop"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("❤\ufe0f", "❤"),
        (" red\n\tcar\u00a0 ", "red car"),
        ("x²", "X2"),
    ],
)
def test_it_is_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("йод", "иод"),
        ("が", "か"),
        ("ø", "o"),
        ("red car", "redcar"),
        ("שָׁלוֹם", "שלום"),
        ("கொ", "க"),
        ("\u0301", ""),
        ("a-b", "a b"),
    ],
)
def test_it_is_not_the_same(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(max_size=20))
def test_folding_again_changes_nothing_and_no_unicode_form_makes_a_difference(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(text.casefold()) == folded
    assert {fold(unicodedata.normalize(form, text)) for form in FORMS} == {folded}
