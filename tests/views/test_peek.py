"""A request beside the list: its fragment, and the list that comes with it."""

from __future__ import annotations

import uuid

import pytest

from tests.views.request_page import HOSTILE, url


def test_the_fragment_is_the_page_without_its_frame(as_owner, row):
    reply = as_owner.get(url("peek", row))
    assert reply.status_code == 200
    assert "no-store" in reply["Cache-Control"]
    shown = reply.text
    assert "<html" not in shown
    assert f'data-live="{url("detail_live", row)}?peek=1"' in shown
    assert "Cancel" in shown and 'id="panel-input"' in shown
    assert 'id="code-dialog"' not in shown
    live = as_owner.get(url("detail_live", row), {"peek": "1"}).text
    head = shown.partition('<header id="part-head"')[2].partition("</header>")[0]
    assert "<h1" not in head and "<h2" in head
    live_head = live.partition('<header id="part-head"')[2].partition("</header>")[0]
    assert "<h2" in live_head and "<h1" not in live_head


def test_the_list_comes_with_the_panel_its_address_names(as_owner, row):
    shown = as_owner.get("/requests/", {"q": "status:active", "peek": row.public_id}).text
    assert f'data-request="{row.public_id}"' in shown
    assert f'href="{url("detail", row)}?q=status%3Aactive"' in shown
    assert shown.count("<h1") == 1
    closed = as_owner.get("/requests/").text
    assert 'id="request-page"' not in closed


@pytest.mark.parametrize("asked", [str(uuid.UUID(int=1)), "x", "", "\0", HOSTILE, "a" * 5000])
def test_one_that_is_not_there_is_told_beside_the_list(as_owner, row, asked):
    reply = as_owner.get("/requests/", {"peek": asked})
    assert reply.status_code == 200
    assert ("not there any more" in reply.text) == bool(asked)
    assert f'id="request-{row.public_id}"' in reply.text
    assert "<script>alert" not in reply.text


def test_a_foreign_one_is_as_missing_as_one_that_never_was(as_stranger, row):
    def panel(asked: object) -> str:
        shown = as_stranger.get("/requests/", {"peek": asked}).text
        return shown.partition('id="peek"')[2].partition("</aside>")[0]

    assert panel(row.public_id) == panel(uuid.uuid4())
    foreign = as_stranger.get(url("peek", row))
    assert foreign.status_code == 404


def test_a_viewer_sees_it_without_the_actions(as_viewer, row):
    shown = as_viewer.get(url("peek", row)).text
    assert "acme/img" in shown
    assert url("cancel", row) not in shown
