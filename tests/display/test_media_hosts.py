"""From where a page may show something; the browser test asks a browser about the same table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from requests_app.display.media_hosts import MAX_DATA_URI, is_showable

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("media_cases.json").read_text())


@pytest.mark.parametrize("url", CASES["shown"])
def test_the_configured_sources_and_small_inline_files_may_be_shown(url: str) -> None:
    assert is_showable(url, CASES["sources"])


@pytest.mark.parametrize("url", CASES["text"])
def test_everything_else_stays_text(url: str) -> None:
    assert not is_showable(url, CASES["sources"])


def test_an_inline_file_over_two_megabytes_stays_text() -> None:
    head = "data:image/png;base64,"
    assert is_showable(head + "A" * (MAX_DATA_URI - len(head)), [])
    assert not is_showable(head + "A" * (MAX_DATA_URI - len(head) + 1), [])


def test_a_wildcard_does_not_stand_for_its_own_parent() -> None:
    assert not is_showable("https://fal.media/x", ["https://*.fal.media"])


def test_a_star_alone_stands_for_every_host_of_its_scheme() -> None:
    assert is_showable("https://cdn.example/x", ["https://*"])
    assert not is_showable("http://cdn.example/x", ["https://*"])


@pytest.mark.parametrize(
    "source", ["fal.media", "https:", "*", "", "'self'", "https://fal.media/x"]
)
def test_a_source_that_is_no_host_shows_nothing(source: str) -> None:
    assert not is_showable("https://fal.media/x", [source])
