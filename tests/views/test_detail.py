"""The request page and its pieces: who sees them, what they say in every state, what stays inert."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal.reports import ErrorBody, Result
from requests_app.models import FalRequest, Frame, LogLine, Observation, Source, Status
from tests.builders import (
    hear,
    make_log,
    make_queued,
    make_request,
    make_result,
    make_status,
    make_webhook,
)

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><!--<script>"
PIECES = ["detail", "detail_live", "logs", "frames", "output"]


def url(name: str, row: FalRequest, *more: object) -> str:
    return reverse(f"requests:{name}", args=[row.public_id, *more])


def page(client, row, **query) -> str:
    reply = client.get(url("detail", row), query)
    assert reply.status_code == 200
    return reply.content.decode()


@pytest.fixture
def row(team, owner):
    return make_queued(team=team, person=owner)


def add_frames(row: FalRequest, texts: list[str]) -> None:
    start = row.frames.count()
    Frame.objects.bulk_create(
        Frame(request=row, number=start + n, offset_ms=n * 10.0, data=text, size=len(text.encode()))
        for n, text in enumerate(texts, start=1)
    )


def refused(*fields: dict[str, object], code: int = 422) -> Result:
    body = json.dumps({"detail": list(fields)}).encode()
    return Result(code, {}, "application/json", body, ErrorBody("wrong input", (), None))


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


# --- what it says in every state -----------------------------------------------------------------


def test_a_waiting_request_opens_its_logs_and_can_be_cancelled(as_owner, row):
    shown = page(as_owner, row)
    assert (
        'id="tab-logs" class="tab" role="tab" href="?tab=logs" aria-controls="panel-logs" aria-selected="true"'
        in shown
    )
    assert "in queue 3" in shown
    assert url("cancel", row) in shown


def test_a_tab_opens_without_javascript(as_owner, row):
    shown = page(as_owner, row, tab="input")
    assert 'aria-controls="panel-input" aria-selected="true"' in shown
    assert re.search(r'<section id="panel-logs"[^>]* hidden>', shown)
    assert 'aria-controls="panel-logs" aria-selected="true"' in page(as_owner, row, tab="nonsense")


def test_a_completed_request_leads_with_what_can_be_looked_at(as_owner, row, settings):
    settings.FAL_MEDIA_HOSTS = ["https://*.fal.media"]
    output = {
        "images": [{"url": "https://v3.fal.media/a.png", "width": 8, "height": 6}],
        "evil": {"url": "javascript:alert(1)", "content_type": "image/png"},
        "other": {"url": "https://evil.example/a.png"},
    }
    hear(row, make_result(output=output))
    shown = page(as_owner, row)
    assert '<img src="https://v3.fal.media/a.png" alt="images[0]"' in shown
    assert 'width="8" height="6"' in shown
    assert not re.search(r'(src|href)="(javascript:|https://evil)', shown)
    assert "javascript:alert(1)" in shown  # as text
    assert "completed" in shown
    assert f"{url('again', row)}" in shown


def test_a_refused_input_leads_with_the_fields(as_owner, row):
    hear(row, refused({"loc": ["body", "prompt"], "msg": "too short", "type": "string_too_short"}))
    shown = page(as_owner, row)
    assert "explanation-yours" in shown
    assert "<code>prompt</code><span>too short</span>" in shown
    assert shown.index("too short") < shown.index("json-output")


def test_a_crash_is_fals_not_ours_to_mend(as_owner, row):
    hear(row, make_result(code=500, error="boom", error_type="runner_server_error"))
    shown = page(as_owner, row)
    assert "explanation-theirs" in shown
    assert "The model crashed" in shown
    assert "boom" in shown


def test_an_uncertain_request_shows_the_evidence_and_both_ways_out(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    lifecycle.claim(row.pk, now=timezone.now())
    lifecycle.uncertain(row.pk, "the line went dead", now=timezone.now())
    shown = page(as_owner, row)
    assert "Nobody knows whether fal took this request" in shown
    assert "the line went dead" in shown
    assert "Submit again (may cost twice)" in shown
    assert f"/requests/new/?again={row.public_id}" in shown
    assert url("give_up", row) in shown
    assert url("again", row) not in page(as_owner, row).split("<dialog")[0]


def test_cancelling_shows_fals_real_answer_and_claims_no_more(as_owner, row, owner):
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    assert "no answer yet" in page(as_owner, row)
    assert "cancelling" in page(as_owner, row)
    lifecycle.cancel_answered(row.pk, "requested", now=timezone.now())
    assert "a running model may still finish" in page(as_owner, row)
    hear(row, make_result())
    shown = page(as_owner, row)
    assert "but it completed first" in shown
    assert "cancelled when fal says so" not in shown


def test_too_late_to_cancel_is_said(as_owner, row, owner):
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    lifecycle.cancel_answered(row.pk, "already_completed", now=timezone.now())
    assert "it had already finished" in page(as_owner, row)


def test_how_we_know_the_end_is_told(as_owner, row):
    hear(row, make_webhook(), source=Source.WEBHOOK)
    assert "a signed webhook" in page(as_owner, row)


def test_the_options_are_shown_as_the_headers_that_were_sent(as_owner, team, owner):
    row = make_request(team=team, person=owner, priority="low", headers={"x-fal-tags": "a=b"})
    shown = page(as_owner, row)
    assert "X-Fal-Queue-Priority" in shown
    assert "a=b" in shown
    FalRequest.objects.filter(pk=row.pk).update(options={"headers": {"host": "x"}})
    page(as_owner, row)  # stored before a rule became stricter: still a page


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
def test_every_state_has_a_page_and_a_live_part(as_owner, team, owner, status, mode):
    row = make_request(team=team, person=owner, mode=mode)
    FalRequest.objects.filter(pk=row.pk).update(status=status)
    page(as_owner, row)
    parts = as_owner.get(url("detail_live", row)).content.decode()
    assert re.findall(r'id="(part-\w+)"', parts) == [
        "part-head", "part-side", "part-output", "part-events", "part-webhooks", "part-raw",
    ]  # fmt: skip


def test_the_live_parts_are_those_of_the_page_with_a_newer_version(as_owner, row):
    def version(text: str) -> int:
        found = re.search(r'id="part-head"[^>]*data-version="(\d+)"', text)
        assert found
        return int(found[1])

    before = version(page(as_owner, row))
    hear(row, make_status("IN_PROGRESS"))
    live = as_owner.get(url("detail_live", row)).content.decode()
    assert version(live) > before
    assert version(page(as_owner, row)) == version(live)


def test_an_output_that_did_not_change_keeps_its_version(as_owner, row):
    def version() -> str:
        parts = as_owner.get(url("detail_live", row)).content.decode()
        return re.search(r'id="part-output"[^>]*data-version="([^"]*)"', parts)[1]

    before = version()
    lifecycle.ask_cancel(row.pk, person=row.person, now=timezone.now())
    assert version() == before
    hear(row, make_result())
    assert version() != before


def test_the_page_asks_the_database_a_fixed_number_of_questions(
    as_owner, row, django_assert_max_num_queries
):
    for number in range(30):
        hear(row, make_status("IN_QUEUE", queue_position=number + 10))
    lines = [make_log(f"line {n}") for n in range(50)]
    hear(row, make_status("IN_PROGRESS", logs=tuple(lines)))
    hear(row, make_result())
    with django_assert_max_num_queries(14):
        page(as_owner, row)


def test_a_page_is_kept_by_no_cache(as_owner, row):
    for piece in PIECES[:4]:
        assert "no-store" in as_owner.get(url(piece, row))["Cache-Control"]


# --- nothing in the data can act ----------------------------------------------------------------


def test_hostile_words_stay_words_wherever_they_came_from(as_owner, team, owner):
    row = make_queued(
        team=team,
        person=owner,
        input={"prompt": HOSTILE, HOSTILE: HOSTILE},
        runner_hint="x<script>y",
    )
    hear(row, make_status("IN_PROGRESS", logs=(make_log(HOSTILE, timestamp=HOSTILE),)))
    LogLine.objects.update(level=HOSTILE[:20], source=HOSTILE[:40])
    hear(row, refused({"loc": [HOSTILE], "msg": HOSTILE, "type": HOSTILE}))
    row.deliveries.create(
        received_at=timezone.now(), verdict="<script>a", note=HOSTILE, headers={HOSTILE: HOSTILE},
        body=HOSTILE.encode(), body_size=9, digest="x",
    )  # fmt: skip
    FalRequest.objects.filter(pk=row.pk).update(
        endpoint_id=f"acme/{HOSTILE}", error=HOSTILE, error_type=HOSTILE[:80], metrics={HOSTILE: HOSTILE},
        output_type=HOSTILE, fal_request_id=HOSTILE, status_url=HOSTILE,
    )  # fmt: skip
    Observation.objects.filter(request=row).update(
        note=HOSTILE, kind="<script>", data={"a": HOSTILE}
    )
    for target in ("detail", "detail_live", "logs"):
        shown = as_owner.get(url(target, row)).content.decode()
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "<!--" not in shown


def test_hostile_output_stays_text(as_owner, row):
    hear(row, make_result(output={"html": HOSTILE, HOSTILE: [HOSTILE], "url": HOSTILE}))
    for target in ("detail", "detail_live"):
        shown = as_owner.get(url(target, row)).content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_a_huge_output_gives_a_small_page(as_owner, row):
    hear(row, make_result(output={"text": ["<&\"'" * 200] * 20_000}))
    assert FalRequest.objects.get().output_size > 12_000_000
    shown = as_owner.get(url("detail", row)).content
    assert len(shown) < 300_000


def test_a_picture_as_the_whole_output_is_offered_as_a_file(as_owner, row):
    hear(row, Result(200, {}, "image/png", b"\x89PNG\r\n\x1a\n\0\0", None))
    shown = page(as_owner, row)
    assert "image/png" in shown
    assert "Download" in shown
    assert "�" not in shown


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
    assert reply["frames"] == [
        {"number": 1, "offset_ms": 10.0, "event": "", "event_id": "", "data": "a", "size": 1}
    ]
    assert (reply["last"], reply["ended"]) == (1, False)
    assert as_owner.get(url("frames", row), {"after": 1}).json() == {
        "frames": [], "last": 1, "ended": False,
    }  # fmt: skip


def test_a_large_frame_is_named_and_fetched_by_itself(as_owner, row):
    large = "ü" * 40_000
    add_frames(row, [large, "b"])
    frames = as_owner.get(url("frames", row)).json()["frames"]
    assert [(frame["data"], frame["size"]) for frame in frames] == [(None, 80_000), ("b", 1)]
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


def test_a_frame_runs_nowhere_either(as_owner, row):
    add_frames(row, [HOSTILE])
    reply = as_owner.get(url("frame", row, 1))
    assert reply["Content-Disposition"].startswith("attachment")
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"


def test_no_output_is_a_404(as_owner, row):
    assert as_owner.get(url("output", row)).status_code == 404
