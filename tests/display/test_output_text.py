"""The text that an output is about."""

from __future__ import annotations

import pytest

from requests_app.display.output_text import LIMIT, text_of
from requests_app.fal.exactjson import parse_exact

WORDS = "lighthouses stand alone"


@pytest.mark.parametrize(
    ("output", "path"),
    [
        (f'"{WORDS}"', "output"),
        (f'{{"output": "{WORDS}", "partial": false}}', "output"),
        (f'{{"seed": 1, "caption": "{WORDS}"}}', "caption"),
        (f'{{"text": "{WORDS}", "output": "x"}}', "text"),
        ('{"output": "short"}', None),
        ('{"output": "https://v3.fal.media/files/a.png"}', None),
        ('{"output": "data:image/png;base64,AAAAAAAA"}', None),
        (f'{{"prompt": "{WORDS}"}}', None),
        (f'[{{"output": "{WORDS}"}}]', None),
        ("1234567890123456", None),
        ("null", None),
    ],
)
def test_it_is_found_under_the_usual_names(output, path):
    found = text_of(parse_exact(output))
    assert (found and found.path) == path


def test_a_long_one_is_cut_and_says_so():
    found = text_of(parse_exact(f'{{"output": "{"x" * (LIMIT + 1)}"}}'))
    assert found.is_cut and len(found.text) == LIMIT
    assert not text_of("y" * LIMIT).is_cut
