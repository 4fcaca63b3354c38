"""What a tag is."""

from __future__ import annotations

import pytest

from requests_app.rules.tag_names import BadTags, pairs_of, tag_name, tag_names, typed_tags


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Draft", "draft"),
        ("  Client   A ", "client-a"),
        ("project=demo", "project=demo"),
        ("\uff26\uff35LL", "full"),
        ("Größe", "grösse"),
        ("夏", "夏"),
        ("v1.2/final", "v1.2/final"),
        ("a\u200bb", "ab"),
    ],
)
def test_case_width_and_spaces_make_no_difference(typed, kept):
    assert tag_name(typed) == kept
    assert tag_name(kept) == kept


@pytest.mark.parametrize(
    "typed", ["", "  ", "\u200b", "-draft", "a*", 'a"b', "a,b", "---", "x" * 41, "a\x00*", "😀"]
)
def test_what_is_no_tag_is_refused_in_words(typed):
    with pytest.raises(BadTags, match="tag"):
        tag_name(typed)


def test_each_is_kept_once_and_their_number_is_bounded():
    assert typed_tags("draft, Draft ,, hero") == ("draft", "hero")
    with pytest.raises(BadTags, match="at most 20"):
        tag_names(map(str, range(21)))


def test_what_fal_is_told_is_taken_pair_by_pair():
    assert pairs_of({"tags": "a=1,b=2,a=1"}) == ("a=1", "b=2")
    assert pairs_of({}) == pairs_of({"tags": ""}) == ()
