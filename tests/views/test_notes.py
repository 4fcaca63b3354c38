"""Notes: words of a user in a request's history, for the team alone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from requests_app.models import FalRequest, Status
from tests.builders import fresh
from tests.views.request_page import HOSTILE


def at(name: str, row: FalRequest) -> str:
    return reverse(f"requests:{name}", args=[row.public_id])


def notes(row: FalRequest) -> list[str]:
    return list(row.observations.filter(kind="note").values_list("note", flat=True))


@pytest.mark.parametrize("status", [Status.IN_QUEUE, Status.UNCERTAIN, Status.COMPLETED])
def test_a_note_is_kept_with_its_author_and_changes_nothing_else(as_owner, row, status):
    FalRequest.objects.filter(pk=row.pk).update(status=status)
    before = fresh(row)
    reply = as_owner.post(at("note", row), {"text": "too dark,\r\nsee the brief"}, follow=True)
    assert notes(row) == ["olga: too dark,\nsee the brief"]
    assert "olga: too dark," in reply.text
    after = fresh(row)
    assert after.seq > before.seq  # open pages show it
    assert (after.status, after.due_at, after.tries) == (status, before.due_at, before.tries)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "Type the note first."), ("  ", "Type the note first."), ("x" * 1001, "at most 1,000")],
)
def test_what_is_no_note_is_said(as_owner, row, text, sentence):
    assert sentence in as_owner.post(at("note", row), {"text": text}, follow=True).text
    assert notes(row) == []


@pytest.mark.parametrize("text", [HOSTILE, "<b>", "&amp;", "{{ row }}"])
def test_a_note_is_shown_as_text(as_owner, row, text):
    page = as_owner.post(at("note", row), {"text": text.replace("\x00", "")}, follow=True).text
    assert "<script>alert" not in page and "<img src=x" not in page


def test_viewers_read_notes_and_strangers_find_nothing(as_owner, as_viewer, as_stranger, row):
    as_owner.post(at("note", row), {"text": "for the team"})
    shown = as_viewer.get(at("detail", row)).text
    assert "for the team" in shown and "note-form" not in shown
    assert as_viewer.post(at("note", row), {"text": "x"}).status_code == 403
    assert as_stranger.post(at("note", row), {"text": "x"}).status_code == 404
    assert notes(row) == ["olga: for the team"]
