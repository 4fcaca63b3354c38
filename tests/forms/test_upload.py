from __future__ import annotations

import pytest

from requests_app.forms.upload import NAME_LENGTH, UploadForm


def form(**given: object) -> UploadForm:
    return UploadForm({"name": "a.png", "content_type": "image/png", "size": 5, **given})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\fake\\b.png", "C_fake_b.png"),
        ("Foto äöü 写真.jpg", "Foto äöü 写真.jpg"),
        ("gnp\u202e.exe", "gnp_.exe"),
        ("line\nbreak.png", "line_break.png"),
        ("...", "file"),
        ("x" * 500 + ".png", "x" * (NAME_LENGTH - 4) + ".png"),
    ],
)
def test_a_name_keeps_its_ending_and_loses_what_no_file_system_takes(given, kept):
    checked = form(name=given)
    assert checked.is_valid(), checked.errors
    assert checked.cleaned_data["name"] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("image/png", "image/png"),
        ("Text/Plain; charset=utf-8", "text/plain"),
        ("", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("a/b\r\nX: y", "application/octet-stream"),
    ],
)
def test_an_unreadable_type_is_unknown(given, kept):
    checked = form(content_type=given)
    assert checked.is_valid()
    assert checked.cleaned_data["content_type"] == kept


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"name": ""}, "no name"), ({"size": ""}, "missing"), ({"size": "x"}, "no number"),
     ({"size": -1}, "greater"), ({"name": "x" * 1001}, "1000"), ({"name": "a\0b"}, "ull")],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(wrong, words):
    checked = form(**wrong)
    assert not checked.is_valid()
    assert words in checked.sentence
