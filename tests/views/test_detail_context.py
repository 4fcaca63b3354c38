"""What the request page says in every state, and that nothing in the data can act."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal.errors import NotSent, Refused
from requests_app.fal.reports import Result
from requests_app.models import FalRequest, LogLine, Observation, Source, Status
from tests.builders import (
    hear,
    make_log,
    make_queued,
    make_request,
    make_result,
    make_status,
    make_webhook,
)
from tests.views.request_page import HOSTILE, page, refused, url

# --- what it says in every state -----------------------------------------------------------------


def test_a_waiting_request_opens_its_logs_and_can_be_cancelled(as_owner, row):
    shown = page(as_owner, row)
    assert re.search(r'id="tab-logs"[^>]* aria-controls="panel-logs"\s+aria-selected="true"', shown)
    assert "in queue 3" in shown
    assert url("cancel", row) in shown


def test_a_tab_opens_without_javascript(as_owner, row):
    shown = page(as_owner, row, tab="raw")
    assert re.search(r'aria-controls="panel-raw"\s+aria-selected="true"', shown)
    assert re.search(r'<section id="panel-logs"[^>]* hidden>', shown)
    nonsense = page(as_owner, row, tab="nonsense")
    assert re.search(r'aria-controls="panel-logs"\s+aria-selected="true"', nonsense)


def test_a_completed_request_leads_with_what_can_be_looked_at(as_owner, row, settings):
    settings.FAL_MEDIA_HOSTS = ["https://*.fal.media"]
    output = {
        "images": [{"url": "https://v3.fal.media/a.png", "width": 8, "height": 6}],
        "evil": {"url": "javascript:alert(1)", "content_type": "image/png"},
        "other": {"url": "https://evil.example/a.png"},
    }
    hear(row, make_result(output=output))
    shown = page(as_owner, row)
    assert re.search(r'<img src="https://v3\.fal\.media/a\.png"\s+alt="images\[0\]"', shown)
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
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the line went dead", now=timezone.now())
    shown = page(as_owner, row)
    assert "It is unknown whether fal took this request" in shown
    assert "the line went dead" in shown
    assert "Submit again (may cost twice)" in shown
    assert f"/requests/new/?again={row.public_id}" in shown
    assert url("give_up", row) in shown
    assert url("again", row) not in page(as_owner, row).split("<dialog")[0]
    repeat = make_request(team=team, person=owner, again_of=row)
    assert url("detail", repeat) in page(as_owner, row)


def test_an_uncertain_request_tells_of_the_search_for_it(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the line went dead", now=timezone.now())
    shown = page(as_owner, row)
    assert "looked for in fal&#x27;s list of finished requests" in shown
    assert "Next look: <time" in shown
    [seconds] = re.findall(r'data-looks-in="([0-9.]+)"', shown)
    assert 0 <= float(seconds) <= 2
    refusal = Refused("fal refused (403): no admin scope", status_code=403)
    before = version_of_output(shown)
    lifecycle.note_list_unreadable(row.pk, refusal, now=timezone.now())
    shown = page(as_owner, row)
    assert '<p class="explanation-found">' in shown
    assert "no admin scope" in shown
    assert version_of_output(shown) != before
    FalRequest.objects.filter(pk=row.pk).update(due_at=None)
    assert "data-looks-in" not in page(as_owner, row)


def version_of_output(shown: str) -> str:
    return re.findall(r'id="part-output"[^>]* data-version="([^"]+)"', shown)[0]


def test_cancelling_shows_fals_real_answer_and_claims_no_more(as_owner, row, owner):
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    assert "no answer yet" in page(as_owner, row)
    assert "cancelling" in page(as_owner, row)
    lifecycle.note_cancel_answer(row.pk, "requested", now=timezone.now())
    assert "a running model may still finish" in page(as_owner, row)
    hear(row, make_result())
    shown = page(as_owner, row)
    assert "but it completed first" in shown
    assert "cancelled when fal says so" not in shown


def test_a_request_that_could_not_be_sent_says_why_and_what_happens_next(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    assert "tried again" not in page(as_owner, row)
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    away = NotSent("fal could not be reached.")
    lifecycle.note_not_sent(row.pk, away, lease=attempt.lease, now=timezone.now())
    shown = page(as_owner, row)
    assert "fal could not be reached. It was not sent, and is tried again." in shown
    assert "It goes on by itself until you cancel it." in shown


def test_log_lines_that_came_are_told_in_words(as_owner, row):
    hear(row, make_status("IN_PROGRESS", logs=(make_log("a"), make_log("b"))))
    hear(row, make_status("IN_PROGRESS", logs=(make_log("a"), make_log("b"), make_log("c"))))
    shown = page(as_owner, row, tab="events")
    assert "2 more log lines" in shown and "1 more log line<" in shown
    assert "added" not in shown


def test_too_late_to_cancel_is_said(as_owner, row, owner):
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    lifecycle.note_cancel_answer(row.pk, "already_completed", now=timezone.now())
    assert "it had already finished" in page(as_owner, row)


def test_how_we_know_the_end_is_told(as_owner, row):
    hear(row, make_webhook(), source=Source.WEBHOOK)
    assert "webhook" in page(as_owner, row)


def test_the_options_are_shown_as_the_headers_that_were_sent(as_owner, team, owner):
    row = make_request(team=team, person=owner, priority="low", headers={"x-fal-tags": "a=b"})
    shown = page(as_owner, row)
    assert "X-Fal-Queue-Priority" in shown
    assert "a=b" in shown
    FalRequest.objects.filter(pk=row.pk).update(options={"headers": {"host": "x"}})
    page(as_owner, row)  # stored before a rule became stricter: still a page


@pytest.mark.slow
@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
def test_every_state_has_a_page_and_a_live_part(as_owner, team, owner, status, mode):
    row = make_request(team=team, person=owner, mode=mode)
    FalRequest.objects.filter(pk=row.pk).update(status=status)
    page(as_owner, row)
    parts = as_owner.get(url("detail_live", row)).content.decode()
    full = ["part-full"] if mode == "stream" else []
    assert re.findall(r'id="(part-\w+)"', parts) == [
        "part-head", "part-tags", "part-side", *full, "part-progress", "part-output", "part-events", "part-webhooks", "part-raw",
    ]  # fmt: skip


def test_log_lines_leave_the_progress_as_it_is_and_a_new_place_in_the_queue_does_not(as_owner, row):
    def version() -> str:
        shown = as_owner.get(url("detail_live", row)).content.decode()
        found = re.search(r'id="part-progress"[^>]*data-version="([^"]+)"', shown)
        assert found
        return found[1]

    hear(row, make_status("IN_PROGRESS"))
    before = version()
    hear(row, make_status("IN_PROGRESS", logs=(make_log("1/30 steps"),)))
    assert version() == before
    hear(row, make_status("IN_QUEUE", queue_position=1))
    assert version() != before


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
    with django_assert_max_num_queries(20):
        page(as_owner, row)


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
    assert len(shown) < 320_000


def test_a_picture_as_the_whole_output_is_offered_as_a_file(as_owner, row):
    hear(row, Result(200, {}, "image/png", b"\x89PNG\r\n\x1a\n\0\0", None))
    shown = page(as_owner, row)
    assert "image/png" in shown
    assert "Download" in shown
    assert "�" not in shown


def test_a_full_record_is_told_above_it_with_the_moment(as_owner, team, owner):
    row = make_request(team=team, person=owner, mode="stream")
    assert "full after" not in page(as_owner, row)
    now, data = timezone.now(), {"frame": 2, "bytes": 2, "offset_ms": 7.5}
    lifecycle.note_record_full(row.pk, "The record became full after 7.5 s.", now=now, data=data)
    heard_at = row.observations.get(kind="capped").heard_at  # a moment after `now`
    for shown in (page(as_owner, row), as_owner.get(url("detail_live", row)).content.decode()):
        part = shown.partition('id="part-full"')[2].partition("</div>")[0]
        assert "The record became full after 7.5 s." in part
        assert f"{heard_at:%Y-%m-%d %H:%M:%S}" in part


def test_who_watches_a_session_is_told_that_watching_ends_with_the_record(as_owner, team, owner):
    for mode, is_told in (("realtime", True), ("stream", False)):
        row = make_request(team=team, person=owner, mode=mode)
        data = {"frame": 2, "bytes": 2, "offset_ms": 7.5}
        lifecycle.note_record_full(row.pk, "The record became full.", now=timezone.now(), data=data)
        assert ("Watching has stopped here" in page(as_owner, row)) is is_told


def test_what_was_given_up_keeps_its_warning_and_shows_what_comes_after(as_owner, team, owner):
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the connection broke", now=timezone.now())
    as_owner.post(url("give_up", row))
    shown = as_owner.get(url("detail", row)).content.decode()
    assert "Given up, outcome unknown" in shown
    assert "Run again (may cost twice)" in shown
    assert "It failed at fal" not in shown
    assert (
        "may cost twice"
        in as_owner.get(reverse("requests:new"), {"again": str(row.public_id)}).content.decode()
    )
    lifecycle.observe(row.pk, make_webhook("r-9"), source=Source.WEBHOOK, asked_at=timezone.now())
    shown = as_owner.get(url("detail", row)).content.decode()
    assert "It completed at fal" in shown
    assert "?tab=webhooks" in shown
    assert "r-9" in shown
