"""The search box: what is understood, and what is said about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.search import MAX_LENGTH, Term, parse_search


def test_it_reads_fields_words_phrases_and_negation() -> None:
    search = parse_search('status:failed endpoint:acme/* -by:jo sunset "red car" -fox -mode:run')
    assert search.problems == ()
    assert search.terms == (
        Term("status", "failed"),
        Term("endpoint", "acme/*"),
        Term("by", "jo", negated=True),
        Term("", "sunset"),
        Term("", "red car"),
        Term("", "fox", negated=True),
        Term("mode", "run", negated=True),
    )


def test_it_keeps_quoted_values_and_colons() -> None:
    assert parse_search('by:"jo ann"').terms == (Term("by", "jo ann"),)
    assert parse_search('"a: b"').terms == (Term("", "a: b"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status:brilliant", "There is no status brilliant"),
        ("mode:fast", "There is no mode fast"),
        ("colour:red", "There is no filter colour:"),
        ("status:", "status: needs a value"),
        ('by:""', "by: needs a value"),
        ('sunset "red', "A quotation mark is not closed"),
        ("endpoint:a*b", "a * stands at the beginning or the end"),
        ("endpoint:*", "a * stands at the beginning or the end"),
        ("lighthousestatus:failed", "There is no filter lighthousestatus:"),
        ("-colour:red", "There is no filter colour:"),
        (
            "batches:zoo",
            "status, endpoint, by, mode, id, batch, after, before, duration, cost, error, tag, source, key, seed, starred, has, group, and",
        ),
        ("batch:", "batch: needs a value"),
        ("sunset \u200b", "There is nothing visible to search for"),
        ('"\ufeff\u00ad"', "There is nothing visible to search for"),
        ("%", "no letter or digit in %: words and numbers are searched"),
        ("a*", "needs at least 2 letters"),
        ("input:42", "input: needs the name of a field, as in input.seed:42"),
        ("output.:42", "output: needs the name of a field"),
        ("input.seed:", "input.seed: needs a value"),
        ("logs.seed:4", "There is no filter logs.seed:"),
        ("after:soon", "soon is no time. There are 2d, 12h"),
        ("before:2026-13-01", "2026-13-01 is no time"),
        ("before:9999999w", "is no time"),
        ("after:0001-01-01T00:00+23:59", "is no time"),
        ("duration:>fast", ">fast is no duration. There are >30s"),
        ("duration:30", "30 is no duration"),
        ("source:mail", "There is no source mail. There are page, api"),
        ("cost:cheap", "cheap is no amount. There are >0.5"),
        ("cost:-1", "-1 is no amount"),
        ("error:", "error: needs a value"),
        ("error:*", "no letter or digit in *"),
        ("OR sunset", "OR stands between two terms"),
        ("sunset OR", "OR stands between two terms"),
        ("sunset OR OR fox", "OR stands between two terms"),
        ("sunset OR status:failed", "not sunset OR status:failed"),
        ("sunset OR status:odd", "There is no status odd"),
        ("x" * (MAX_LENGTH + 1), f"Only the first {MAX_LENGTH} characters"),
    ],
)
def test_it_says_in_words_what_it_does_not_understand(text: str, words: str) -> None:
    assert words in " ".join(parse_search(text).problems)


def test_a_wrong_term_is_left_out_and_the_others_count() -> None:
    assert parse_search("status:brilliant sunset").terms == (Term("", "sunset"),)


@given(st.text(max_size=300))
def test_any_text_is_read_and_the_canonical_text_means_the_same(text: str) -> None:
    search = parse_search(text)
    again = parse_search(str(search))
    if len(str(search)) <= MAX_LENGTH:
        assert again.terms == search.terms
        assert again.problems == ()


def test_setting_a_field_replaces_it_and_keeps_the_rest() -> None:
    search = parse_search("status:failed sunset")
    assert str(search.setting("status", "completed")) == "status:completed sunset"
    assert str(search.setting("status")) == "sunset"
    assert str(search.without(Term("", "sunset"))) == "status:failed"
    assert search.value("status") == "failed"
    assert parse_search("status:failed status:completed").value("status") == ""


def test_terms_with_or_between_them_are_one_term() -> None:
    search = parse_search('status:failed fox OR "red car" OR fox by:me "OR"')
    assert search.problems == ()
    fox, car = Term("", "fox"), Term("", "red car")
    assert [(term.key, term.parts) for term in search.terms] == [
        ("status", ()), ("OR", (fox, car)), ("by", ()), ("", ()),
    ]  # fmt: skip
    assert str(search) == 'status:failed fox OR "red car" by:me "OR"'
