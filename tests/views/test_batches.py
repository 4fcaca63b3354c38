"""The pages of batches: made from checked rows, started on purpose, shown to the team alone."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from requests_app.models import Batch, BatchItem, BatchState, FalRequest
from requests_app.presets import saving
from tests.batches.conftest import counts, make_batch
from tests.batches.test_control import give_up_first
from tests.batches.test_feeding import end, end_open, turn
from tests.views.request_page import HOSTILE
from tests.views.test_pages import ids

BATCHES = reverse("requests:batches")
NEW = reverse("requests:new_batch")
HX = {"HX-Request": "true"}
INPUT = '{"prompt": "a {{subject}}", "seed": "{{seed}}"}'
CSV = "subject,seed\na cat,9007199254740993\na dog,1.50\n"


def typed(**values: Any) -> dict[str, Any]:
    usual = {
        "endpoint_id": "acme/img", "mode": "queue", "input": INPUT, "source": "text", "text": CSV,
        "concurrency": "5",
    }  # fmt: skip
    return usual | values


def at(name: str, batch: Batch) -> str:
    return reverse(f"requests:{name}", args=[batch.public_id])


def upload(text: str | bytes, name: str = "rows.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    "source",
    [
        {"source": "text", "text": CSV},
        {"source": "file", "file": upload(CSV)},
        {"source": "text", "text": '{"subject": "a cat", "seed": 9007199254740993}\n{"subject": "a dog", "seed": 1.50}'},
        {"source": "file", "file": upload('{"subject":"a cat","seed":9007199254740993}\n{"subject":"a dog","seed":1.50}', "r.jsonl")},
    ],
)  # fmt: skip
def test_a_batch_is_stored_previewed_and_started(as_owner, team, owner, source):
    if "file" in source:
        source["file"].seek(0)
    made = as_owner.post(NEW, typed(name="zoo", priority="low", **source))
    batch = Batch.objects.get()
    assert made["Location"].startswith(at("batch", batch))
    assert (batch.team, batch.person, batch.state) == (team, owner, BatchState.READY)
    assert (batch.name, batch.concurrency, batch.options) == ("zoo", 5, {"priority": "low"})
    shown = as_owner.get(at("batch", batch)).text
    assert "2 requests will be made" in shown
    assert "{&quot;prompt&quot;: &quot;a a cat&quot;, &quot;seed&quot;: 9007199254740993}" in shown
    assert "&quot;seed&quot;: 1.50" in shown
    assert not FalRequest.objects.exists()
    as_owner.post(at("start_batch", batch))
    turn(batch)
    assert counts(batch) == {"open": 2}
    assert '"seed": 1.50' in FalRequest.objects.latest("id").input_text


def test_a_grid_is_every_combination(as_owner):
    as_owner.post(NEW, typed(source="grid", grid="subject: a cat | a dog\nseed: 1 | 2 | 3"))
    assert Batch.objects.get().total == 6


def test_with_javascript_it_leads_to_the_batch_and_a_refusal_is_a_part(as_owner):
    made = as_owner.post(NEW, typed(), headers=HX)
    assert made.status_code == 204
    assert made["HX-Redirect"].startswith(at("batch", Batch.objects.get()))
    refused = as_owner.post(NEW, typed(text="subject\nx\n"), headers=HX)
    assert refused.status_code == 422
    assert "no column for the variable seed" in refused.text
    assert "<form" not in refused.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"text": "subject,seed\nx\n"}, "Row 1 (line 2): It has 1 value"),
        ({"text": "subject\nx\n"}, "no column for the variable seed"),
        ({"text": " "}, "Paste the rows"),
        ({"source": "file"}, "Choose a CSV"),
        ({"source": "file", "file": b""}, "empty"),
        ({"source": "file", "file": b"subject,seed\n\xe9,1\n"}, "Line 2 is not UTF-8"),
        ({"source": "file", "file": b"PK\x03\x04xlsx"}, "workbook"),
        ({"source": "grid", "grid": ""}, "no variables"),
        ({"source": "other"}, "other"),
        ({"input": '{"prompt": "plain"}'}, "has no variables"),
        ({"input": '{"{{a}}": 1}'}, "in a name"),
        ({"input": "{"}, "Not JSON"),
        ({"endpoint_id": "nonsense"}, "Endpoint"),
        ({"endpoint_id": ""}, "Give the endpoint id"),
        ({"concurrency": "0"}, "greater than or equal to 1"),
        ({"concurrency": "101"}, "less than or equal to 100"),
        ({"mode": "realtime"}, "realtime"),
        ({"name": "x" * 81}, "at most 80"),
        ({"headers": "no colon"}, "Line 1"),
    ],
)
def test_what_cannot_be_sent_is_named_and_nothing_is_stored(as_owner, wrong, sentence):
    if isinstance(wrong.get("file"), bytes):
        wrong = wrong | {"file": upload(wrong["file"])}
    for headers in ({}, HX):
        if "file" in wrong:
            wrong["file"].seek(0)
        reply = as_owner.post(NEW, typed(**wrong), headers=headers)
        assert reply.status_code == 422
        assert sentence in reply.text
    assert not Batch.objects.exists()
    assert not BatchItem.objects.exists()


def test_what_was_typed_stays_in_a_refused_form(as_owner):
    shown = as_owner.post(NEW, typed(name="my zoo", text="subject\nmy row\n")).text
    assert 'value="my zoo"' in shown
    assert "my row" in shown
    assert "{{subject}}" in shown


def test_a_preset_fills_the_form_and_is_remembered(as_owner, team, owner):
    preset, _ = saving.save(
        team=team, person=owner, endpoint_id="acme/img", name="zoo", text=INPUT, now=timezone.now()
    )
    shown = as_owner.get(NEW, {"preset": preset.public_id}).text
    assert "{{subject}}" in shown
    as_owner.post(NEW, typed(preset=preset.public_id))
    assert (Batch.objects.get().preset, Batch.objects.get().preset_version) == (preset, 1)


@pytest.mark.parametrize(
    ("typed_count", "is_started"), [("", False), ("100", False), ("101", True), (" 101 ", True)]
)
def test_a_large_batch_is_started_by_typing_its_number(
    as_owner, team, owner, typed_count, is_started
):
    batch = make_batch(team, owner, rows=101, is_started=False)
    assert "Type <strong>101</strong>" in as_owner.get(at("batch", batch)).text
    as_owner.post(at("start_batch", batch), {"count": typed_count})
    batch.refresh_from_db()
    assert (batch.state == BatchState.RUNNING) is is_started


def test_each_action_does_what_it_says(as_owner, team, owner):
    batch = make_batch(team, owner)
    for act, state in [
        ("pause_batch", "paused"), ("resume_batch", "running"), ("start_batch", "running"),
        ("discard_batch", "running"), ("cancel_batch", "cancelling"), ("resume_batch", "cancelling"),
        ("retry_batch", "cancelling"),
    ]:  # fmt: skip
        as_owner.post(at(act, batch))
        batch.refresh_from_db()
        assert (act, batch.state) == (act, state)


def test_a_retry_says_what_waits_in_a_paused_batch_and_what_is_left_out(as_owner, team, owner):
    batch = make_batch(team, owner, rows=3)
    give_up_first(batch, owner)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PAUSED)
    shown = as_owner.post(at("retry_batch", batch), follow=True).content.decode()
    assert "The batch is paused: 2 rows wait until it is resumed." in shown
    assert "Failed rows left out, since fal may have run them: 1." in shown


def test_the_concurrency_is_changed_within_its_bounds(as_owner, team, owner):
    batch = make_batch(team, owner)
    for value, stored in (("7", 7), ("0", 7), ("101", 7), ("x", 7), ("100", 100)):
        as_owner.post(at("set_batch_concurrency", batch), {"concurrency": value})
        batch.refresh_from_db()
        assert batch.concurrency == stored


def test_a_batch_that_was_not_started_is_discarded_with_its_rows(as_owner, team, owner):
    batch = make_batch(team, owner, is_started=False)
    assert "Discarded" in as_owner.post(at("discard_batch", batch), follow=True).text
    assert not Batch.objects.exists()
    assert not BatchItem.objects.exists()


def test_the_page_shows_progress_and_rows_by_state(as_owner, as_viewer, team, owner):
    batch = make_batch(team, owner, concurrency=2)
    turn(batch)
    end_open(batch, error="no balance")
    turn(batch)
    for client in (as_owner, as_viewer):
        shown = client.get(at("batch", batch)).text
        assert "2 of 5" in shown
        assert "no balance" in shown
        assert " s5<" in shown
        assert " s5<" not in client.get(at("batch", batch), {"state": "failed"}).text
        assert " s1<" not in client.get(at("batch", batch), {"after": "2"}).text
        for nonsense in ({"state": "x"}, {"after": "x"}, {"after": "9" * 40}):
            assert client.get(at("batch", batch), nonsense).status_code == 200
    live = as_owner.get(at("batch_live", batch), {"was": "running"})
    assert "2 of 5" in live.text
    assert as_owner.get(at("batch_live", batch), {"was": "paused"})["HX-Refresh"] == "true"


def test_before_the_start_the_chosen_options_are_shown(as_owner):
    made = as_owner.post(NEW, typed(priority="low", headers="x-trace: 7", concurrency="3"))
    shown = as_owner.get(made["Location"]).text
    for label, text in (("Priority", "low"), ("x-trace", "7"), ("Mode", "queue")):
        assert f"<dt>{label}</dt><dd>{text}</dd>" in shown
    assert '<dt>Requests at once</dt><dd class="number">3</dd>' in shown
    plain = as_owner.get(as_owner.post(NEW, typed())["Location"]).text
    assert "Priority" not in plain


def test_the_newest_results_are_pictures_or_how_the_row_ended(as_owner, team, owner, settings):
    settings.FAL_MEDIA_HOSTS = ["https://*.fal.media"]
    batch = make_batch(team, owner, rows=4, concurrency=3)
    assert "No row has ended yet." in as_owner.get(at("batch", batch)).text
    turn(batch)
    outputs = [
        {"images": [{"url": f"https://{host}/a.png"}]} for host in ("v3.fal.media", "evil.test")
    ]
    for row, output in zip(FalRequest.objects.order_by("id"), [*outputs, None], strict=True):
        end(row, output=output, error=None if output else "no balance")
    turn(batch)
    shown = as_owner.get(at("batch_live", batch), {"was": "running"}).text
    assert "No row has ended yet." not in shown
    assert shown.count("data-thumbnail=") == 1
    assert "evil.test" not in shown
    strip = shown[shown.index("run-list") : shown.index("</ol>")]
    assert re.findall(r"Row (\d)", strip) == ["3", "2", "1"]
    assert strip.count("badge-completed") == 1
    assert 'title="no balance"' in strip


def test_a_batch_that_ended_with_nothing_has_no_results(as_owner, team, owner):
    batch = make_batch(team, owner)
    as_owner.post(at("cancel_batch", batch))
    turn(batch)
    assert "Newest results" not in as_owner.get(at("batch", batch)).text


def test_the_page_leads_to_its_requests_in_the_list(as_owner, team, owner):
    batch = make_batch(team, owner, rows=2, name="zoo")
    make_batch(team, owner, rows=2)
    turn(batch)
    [address] = re.findall(
        r'href="([^"]+)">Show in the list', as_owner.get(at("batch", batch)).text
    )
    listed = as_owner.get(unescape(address)).text
    assert ids(listed) == [str(item.request.public_id) for item in batch.items.order_by("-number")]
    unstarted = make_batch(team, owner, is_started=False)
    assert "Show in the list" not in as_owner.get(at("batch", unstarted)).text


def finished(team, owner, rows: int = 3) -> Batch:
    batch = make_batch(team, owner, rows=rows)
    turn(batch)
    end_open(batch)
    turn(batch)
    return batch


async def whole(response: Any) -> bytes:
    return b"".join([piece async for piece in response.streaming_content])


def download(client: Any, batch: Batch, kind: str) -> bytes:
    from asgiref.sync import async_to_sync

    reply = client.get(at("batch_results", batch), {"format": kind})
    assert f"batch-{batch.public_id}.{kind}" in reply["Content-Disposition"]
    return async_to_sync(whole)(reply)


@pytest.mark.django_db(transaction=True)
def test_results_are_downloaded_in_three_forms(as_owner, team, owner):
    batch = finished(team, owner)
    lines = download(as_owner, batch, "csv").decode().splitlines()
    assert lines[0] == "subject,seed,row,state,request_id,error,media_urls,output"
    assert lines[1].startswith("s1,1,1,completed,")
    assert lines[1].endswith('"{""text"": ""done""}"')
    records = [json.loads(line) for line in download(as_owner, batch, "jsonl").splitlines()]
    assert [record["values"] for record in records] == [
        {"subject": f"s{n}", "seed": f"{n}"} for n in (1, 2, 3)
    ]
    assert records[0]["output"] == {"text": "done"}
    with zipfile.ZipFile(io.BytesIO(download(as_owner, batch, "zip"))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "README.txt", "results.csv", "results.jsonl", "outputs/1.json", "outputs/2.json", "outputs/3.json",
        ]  # fmt: skip
        assert archive.read("outputs/2.json") == b'{"text": "done"}'
    assert as_owner.get(at("batch_results", batch), {"format": "xml"}).status_code == 404


ACTS = (
    "start_batch", "pause_batch", "resume_batch", "cancel_batch", "retry_batch",
    "set_batch_concurrency", "discard_batch",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("is_started", [True, False])
def test_viewers_change_nothing(as_viewer, team, owner, act, is_started):
    batch = make_batch(team, owner, is_started=is_started)
    before = list(Batch.objects.values())
    assert as_viewer.post(at(act, batch), {"concurrency": "3"}).status_code == 403
    assert as_viewer.post(NEW, typed()).status_code == 403
    assert as_viewer.get(NEW).status_code == 403
    assert list(Batch.objects.values()) == before
    shown = as_viewer.get(at("batch", batch)).text
    for word in ("Pause<", ">Start<", "Discard", "Cancel batch", "At once"):
        assert word not in shown


@pytest.mark.parametrize("name", [*ACTS, "batch", "batch_live", "batch_results"])
def test_a_foreign_batch_is_as_missing_as_one_that_never_was(as_stranger, team, owner, name):
    batch = make_batch(team, owner)
    before = list(Batch.objects.values())
    send = as_stranger.post if name in ACTS else as_stranger.get
    missing = reverse(f"requests:{name}", args=[uuid.uuid4()])
    replies = [send(address) for address in (at(name, batch), missing)]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].content == replies[1].content
    assert list(Batch.objects.values()) == before
    assert str(batch.public_id) not in as_stranger.get(BATCHES).text


def test_a_foreign_preset_makes_no_batch(as_stranger, team, owner):
    preset, _ = saving.save(
        team=team, person=owner, endpoint_id="acme/img", name="zoo", text=INPUT, now=timezone.now()
    )
    for said in (preset.public_id, uuid.uuid4(), "x"):
        assert as_stranger.get(NEW, {"preset": said}).status_code == 404
        assert as_stranger.post(NEW, typed(preset=said)).status_code == 404


def test_names_values_and_errors_are_escaped(as_owner, team, owner):
    made = as_owner.post(
        NEW, typed(source="grid", name=HOSTILE[:80], grid=f"subject: {HOSTILE}\nseed: 1")
    )
    for page in (BATCHES, made["Location"]):
        assert "<script>alert" not in as_owner.get(page).text


def test_a_first_visit_says_what_a_batch_is(as_owner, as_viewer):
    assert "No batch yet" in as_owner.get(BATCHES).text
    assert "New batch" not in as_viewer.get(BATCHES).text
