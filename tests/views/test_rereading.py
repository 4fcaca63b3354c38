"""The button that has fal asked again."""

from __future__ import annotations

from tests.builders import hear, make_result
from tests.views.request_page import url


def test_an_ended_request_is_read_again_from_fal(as_owner, as_viewer, as_stranger, row):
    assert "cannot be asked" in as_owner.post(url("reread", row), follow=True).text
    hear(row, make_result())
    page = as_owner.post(url("reread", row), follow=True).text
    assert "fal is asked" in page and "olga asked to read it again from fal." in page
    assert as_viewer.post(url("reread", row)).status_code == 403
    assert as_stranger.post(url("reread", row)).status_code == 404
