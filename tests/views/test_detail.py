"""The request page and its pieces: who sees them, what they fetch, what is saved."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app.fal.reports import Result
from requests_app.models import FalRequest, Frame, LogLine, Membership, Role, Team
from requests_app.presets import saving
from tests.batches.conftest import make_batch
from tests.batches.test_feeding import turn
from tests.builders import (
    hear,
    make_log,
    make_request,
    make_result,
    make_status,
)
from tests.views.request_page import HOSTILE, page, url

PIECES = ["detail", "detail_live", "peek", "logs", "frames", "input", "output", "output_media"]


def test_a_page_that_polls_marks_its_request_for_the_quick_pace(as_owner, row):
    assert as_owner.get(url("detail_live", row)).status_code == 200
    row.refresh_from_db()
    assert row.watched_until > timezone.now()


def add_frames(row: FalRequest, texts: list[str]) -> None:
    start = row.frames.count()
    Frame.objects.bulk_create(
        Frame(request=row, number=start + n, offset_ms=n * 10.0, data=text, size=len(text.encode()))
        for n, text in enumerate(texts, start=1)
    )


# --- who sees it ------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", PIECES)
def test_a_foreign_request_is_as_missing_as_one_that_never_was(piece, as_stranger, row):
    hear(row, make_result())
    foreign = as_stranger.get(url(piece, row))
    row.public_id = uuid.uuid4()
    missing = as_stranger.get(url(piece, row))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_foreign_frame_is_not_there(as_stranger, as_owner, row):
    add_frames(row, ["x"])
    assert as_stranger.get(url("frame", row, 1)).status_code == 404
    assert as_owner.get(url("frame", row, 1)).status_code == 200


@pytest.mark.parametrize("piece", PIECES)
def test_somebody_logged_out_is_asked_to_log_in(piece, client, row):
    assert client.get(url(piece, row)).status_code == 302


@pytest.mark.parametrize("piece", PIECES)
def test_the_pages_only_show(piece, as_owner, row):
    assert as_owner.post(url(piece, row)).status_code == 405


def test_a_viewer_sees_everything_but_the_actions(as_viewer, as_owner, row):
    assert "Cancel</button>" in page(as_owner, row)
    shown = page(as_viewer, row)
    assert "acme/img" in shown
    assert url("cancel", row) not in shown
    assert "?again=" not in shown
    assert '<dialog id="again' not in shown


def test_a_page_is_kept_by_no_cache(as_owner, row):
    for piece in PIECES[:4]:
        assert "no-store" in as_owner.get(url(piece, row))["Cache-Control"]


# --- logs -----------------------------------------------------------------------------------------


def test_log_lines_after_a_line_come_in_order(as_owner, row):
    hear(row, make_status("IN_PROGRESS", logs=tuple(make_log(f"line {n}") for n in range(5))))
    second = LogLine.objects.order_by("id")[1]
    shown = as_owner.get(url("logs", row), {"after": second.pk}).content.decode()
    assert re.findall(r"line \d", shown) == ["line 2", "line 3", "line 4"]
    assert as_owner.get(url("logs", row), {"after": 2**63 - 1}).content.strip() == b""


@pytest.mark.parametrize("piece", ["logs", "frames"])
@pytest.mark.parametrize("after", ["x", "-1", "", "1e3", "²", "9" * 400])
def test_a_place_that_is_no_number_is_a_clear_error(as_owner, row, piece, after):
    assert as_owner.get(url(piece, row), {"after": after}).status_code == 400


@pytest.mark.parametrize("piece", ["logs", "frames"])
def test_a_place_beyond_every_database_is_just_the_end(as_owner, row, piece):
    assert as_owner.get(url(piece, row), {"after": "9" * 19}).status_code == 200


# --- frames -----------------------------------------------------------------------------------


def test_frames_come_in_pages_without_gap_or_repeat(as_owner, row):
    add_frames(row, [f'{{"n": {n}}}' for n in range(1, 1201)])
    hear(row, make_result())
    numbers, after, ended = [], 0, False
    while not ended:
        reply = as_owner.get(url("frames", row), {"after": after}).json()
        numbers += [frame["number"] for frame in reply["frames"]]
        assert len(reply["frames"]) <= 500
        after, ended = reply["last"], reply["ended"]
    assert numbers == list(range(1, 1201))


def test_a_live_stream_has_not_ended_though_nothing_is_left(as_owner, row):
    add_frames(row, ["a"])
    reply = as_owner.get(url("frames", row)).json()
    told = {"number": 1, "offset_ms": 10.0, "event": "", "event_id": "", "data": "a", "size": 1}
    [first] = reply["frames"]
    assert first | told == first
    assert (reply["last"], reply["ended"]) == (1, False)
    assert as_owner.get(url("frames", row), {"after": 1}).json() == {
        "frames": [], "last": 1, "ended": False,
    }  # fmt: skip


def test_a_large_frame_is_named_and_fetched_by_itself(as_owner, row):
    large = "ü" * 70_000
    add_frames(row, [large, "b"])
    frames = as_owner.get(url("frames", row)).json()["frames"]
    assert [(frame["data"], frame["size"]) for frame in frames] == [(None, 140_000), ("b", 1)]
    reply = as_owner.get(url("frame", row, 1))
    assert reply.content.decode() == large
    assert reply["Content-Type"] == "text/plain; charset=utf-8"


def test_one_reply_stays_within_its_bytes(as_owner, row):
    add_frames(row, ["x" * 60_000] * 100)
    reply = as_owner.get(url("frames", row))
    assert len(reply.content) < 2_300_000
    assert 30 < len(reply.json()["frames"]) < 40
    assert reply.json()["ended"] is False


@pytest.mark.parametrize("number", [0, 2, 10**30])
def test_a_frame_that_is_not_there_is_a_404(as_owner, row, number):
    add_frames(row, ["a"])
    assert as_owner.get(url("frame", row, number)).status_code == 404


# --- downloads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sent", "ending"),
    [
        ("application/json", "application/json", "json"),
        ("image/png", "image/png", "png"),
        ("text/html", "application/octet-stream", "bin"),
        ("image/svg+xml", "application/octet-stream", "bin"),
        ("text/plain", "text/plain; charset=utf-8", "txt"),
    ],
)
def test_an_output_is_saved_as_it_came_and_runs_nowhere(as_owner, row, given, sent, ending):
    body = b"\x89PNG<script>alert(1)</script>\x00\xff"
    hear(row, Result(200, {}, given, body, None))
    reply = as_owner.get(url("output", row))
    assert reply.content == body
    assert reply["Content-Type"] == sent
    assert reply["Content-Disposition"] == f'attachment; filename="{row.public_id}.{ending}"'
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"


def test_the_input_is_saved_as_it_was_typed_until_retention_removes_it(as_owner, team, owner, row):
    assert as_owner.get(url("input", row)).content.decode() == row.input_text
    assert url("input", row) in page(as_owner, row)
    FalRequest.objects.filter(pk=row.pk).update(payload_removed_at=row.created_at)
    assert as_owner.get(url("input", row)).status_code == 404
    assert "code-dialog" not in page(as_owner, row)


def test_a_viewer_may_copy_a_request_as_code_and_nothing_more(as_viewer, row):
    shown = page(as_viewer, row)
    assert "Copy as…" in shown
    assert url("cancel", row) not in shown


def test_a_frame_runs_nowhere_either(as_owner, row):
    add_frames(row, [HOSTILE])
    reply = as_owner.get(url("frame", row, 1))
    assert reply["Content-Disposition"].startswith("attachment")
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"


def test_no_output_is_a_404(as_owner, row):
    assert as_owner.get(url("output", row)).status_code == 404


def test_the_billable_units_stand_on_the_page(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(billable_units="1.50")
    page = as_owner.get(url("detail", row)).content.decode()
    assert "Billable units" in page and ">1.50<" in page


# --- its batch --------------------------------------------------------------------------------


def test_a_request_of_a_batch_names_its_row_batch_and_preset(as_owner, team, owner):
    preset, _ = saving.save(
        team=team, person=owner, endpoint_id="acme/img", name="animals", text='{"seed": "{{seed}}"}',
        now=timezone.now(),
    )  # fmt: skip
    batch = make_batch(team, owner, rows=3, name="zoo", preset=preset)
    turn(batch)
    for item in batch.items.all():
        for piece in ("detail", "detail_live"):
            shown = " ".join(as_owner.get(url(piece, item.request)).text.split())
            assert f"Row {item.number} of <a" in shown
            assert (
                f'href="{reverse("requests:batch", args=[batch.public_id])}" >batch zoo</a>'
                in shown
            )
            assert ">animals</a>, version 1" in shown


def test_a_batch_without_name_or_preset_is_named_by_its_id(as_owner, team, owner):
    batch = make_batch(team, owner, rows=1)
    turn(batch)
    shown = page(as_owner, batch.items.get().request)
    assert str(batch.public_id)[:6] in shown
    assert ", version" not in shown


def test_a_request_alone_names_no_batch(as_owner, row):
    assert "Row " not in page(as_owner, row)


def test_its_batch_is_linked_in_the_request_s_team(as_owner, team, owner, stranger):
    other = Team.objects.get(name="Other")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    batch = make_batch(other, stranger, rows=1, name=HOSTILE[:80])
    turn(batch)
    shown = page(as_owner, batch.items.get().request)
    assert f"{reverse('requests:batch', args=[batch.public_id])}?team={other.pk}" in shown
    assert "<script>alert" not in shown
