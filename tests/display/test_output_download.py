"""Reading outputs only as far as needed."""

from __future__ import annotations

import pytest

from requests_app.display import output_download
from requests_app.models import FalRequest
from tests.builders import hear, make_queued, make_result


@pytest.fixture
def row(team, owner):
    row = make_queued(team=team, person=owner)
    hear(row, make_result(output={"text": "ü" * 500}))
    return FalRequest.objects.defer("output").get(pk=row.pk)


def test_a_small_output_is_read_whole(row):
    assert output_download.output_for_page(row) == output_download.output_column(row)
    assert len(output_download.output_for_page(row)) == row.output_size


def test_of_a_large_output_only_the_beginning_leaves_the_database(row, monkeypatch):
    monkeypatch.setattr(output_download, "PARSE_LIMIT", 100)
    monkeypatch.setattr(output_download, "PAGE_LIMIT", 10)
    assert output_download.output_for_page(row) == (output_download.output_column(row) or b"")[:10]


def test_no_output_is_not_an_empty_one(team, owner):
    row = make_queued(team=team, person=owner)
    assert output_download.output_column(row) is None
    assert output_download.output_for_page(row) == b""


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("application/json; charset=utf-8", ("application/json", "json")),
        ("IMAGE/PNG", ("image/png", "png")),
        ("text/html", ("application/octet-stream", "bin")),
        ("image/svg+xml", ("application/octet-stream", "bin")),
        ("application/pdf", ("application/octet-stream", "bin")),
        ("text/plain\r\nx-evil: 1", ("application/octet-stream", "bin")),
        ("", ("application/octet-stream", "bin")),
    ],
)
def test_only_harmless_types_are_told_to_a_browser(given, sent):
    assert output_download.plain_type(given) == sent
