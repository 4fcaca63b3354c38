"""A canary word in everything that a request can hold: after its deletion it is nowhere.

Swept are all tables, all files under DATA_DIR, the search, and the pages that show requests.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.copies import files as copies
from requests_app.copies import noticing
from requests_app.copies import states as copy_states
from requests_app.error_groups import counting
from requests_app.export.background import ExportWriting, next_export
from requests_app.export.jobs import ask_export
from requests_app.models import (
    BatchItem,
    Delivery,
    ErrorGroup,
    FalRequest,
    Frame,
    ItemState,
    NoticeChannel,
    NoticeRule,
    OutputPart,
    Source,
    Status,
    Team,
)
from requests_app.notices import firing
from requests_app.search import Matches, Scope, parse_search
from requests_app.thumbnails import states
from requests_app.thumbnails.picture import SIZES
from requests_app.upkeep import retention
from requests_app.upkeep.expired import remove_expired
from tests.batches.conftest import make_batch
from tests.builders import (
    fresh,
    hear,
    make_log,
    make_queued,
    make_result,
    make_status,
    make_webhook,
)
from tests.copies.media import switch_on
from tests.copies.test_states import NOW, folder, keep  # noqa: F401 (a fixture)
from tests.views.request_page import page

CANARY = "xylocanary"
MEDIUM = f"https://fal.media/{CANARY}.png"
HOW = ["payload", "request", "payload_days", "rows_days"]


def swept(data: Path) -> Iterator[str]:
    """Each place that has the canary: a column, a file or its name. Of the index: what it finds."""
    for model in apps.get_models():
        for row in model._default_manager.values():
            for column, value in row.items():
                held = bytes(value) if isinstance(value, memoryview) else value
                if CANARY in (held.decode("latin-1") if isinstance(held, bytes) else str(held)):
                    yield f"{model.__name__}.{column}"
    team, words = Team.objects.get(name="Acme"), parse_search(CANARY)
    if Matches(Scope(team.pk, "olga", sees=True), words).newest(9):
        yield "the search"
    for path in data.rglob("*"):
        if CANARY in path.name or (path.is_file() and CANARY.encode() in path.read_bytes()):
            yield str(path.relative_to(data))


def make_full(team: Team, owner: User, place: Path) -> FalRequest:
    """A request that has run, with the word wherever one can be."""
    switch_on(team)
    row = make_queued("req-1", team=team, person=owner, input={"prompt": CANARY, "seed": 7})
    hear(row, make_status("IN_PROGRESS", logs=(make_log(f"drawing {CANARY}"),)))
    hear(row, make_result(output={"images": [{"url": MEDIUM}], "text": CANARY}))
    Frame.objects.create(request=row, number=1, offset_ms=0, data=CANARY, size=9)
    Delivery.objects.create(
        request=row, team=team, received_at=timezone.now(), verdict="accepted", headers={"x": CANARY},
        body=CANARY.encode(), body_size=9, digest="d",
    )  # fmt: skip
    batch = make_batch(team, owner, rows=1, is_started=False)
    BatchItem.objects.filter(batch=batch).update(
        request=row, state=ItemState.COMPLETED, values=f'"{CANARY}"'
    )
    noticing.look_at_due(timezone.now())
    OutputPart.objects.create(request=row, number=1, data=CANARY.encode())
    [taken] = copy_states.take_due(NOW, 9)
    keep(taken, place, CANARY.encode())
    states.want([fresh(row)], timezone.now())
    [wanted] = states.take_wanted(timezone.now(), 1)
    states.keep_made(wanted, dict.fromkeys(SIZES, CANARY.encode()), timezone.now())
    return row


def make_failed(team: Team, owner: User) -> FalRequest:
    """A request whose error quotes its input, told to a channel and grouped."""
    now = timezone.now()
    channel = NoticeChannel.objects.create(
        team=team, kind="webhook", name="hook", encrypted="x", shown="x", created_at=now
    )
    rule = {"team": team, "channel": channel, "event": "failed", "with_error": True, "since": now}
    NoticeRule.objects.create(**rule)
    row = make_queued("req-2", team=team, person=owner, input={"prompt": CANARY})
    hear(row, make_status("COMPLETED"))
    hear(row, make_result(code=400, error=f"Prompt {CANARY} is not allowed", error_type="nsfw"))
    assert firing.look(timezone.now()) == 1
    assert counting.fold()
    return row


def export(team: Team, owner: User) -> None:
    ask_export(
        team=team, person=owner, search="", format="jsonl", token=uuid.uuid4().hex,
        sees=True, now=timezone.now(),
    )  # fmt: skip
    held = next_export(timezone.now())
    assert held
    writing = ExportWriting(held)
    while writing.advance():
        pass
    writing.finish()


def delete(rows: list[FalRequest], team: Team, owner: User, how: str) -> None:
    now = timezone.now()
    FalRequest.objects.update(due_at=None)
    if how.endswith("_days"):
        days = {how: 1} | ({"frames_days": 1} if how == "payload_days" else {})
        Team.objects.filter(pk=team.pk).update(**days)
        list(retention.prune(now + timedelta(days=2), list(Team.objects.filter(pk=team.pk))))
        return
    for row in rows:
        if how == "payload":
            assert lifecycle.delete_payload(row.pk, person=owner, now=now)
        else:
            assert lifecycle.delete_request(row.pk, person=owner, now=now)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_no_word_of_it_is_left_in_tables_files_search_and_pages(
    team: Team,
    owner: User,
    as_owner: Client,
    folder: Path,  # noqa: F811
    tmp_path: Path,
    how: str,
) -> None:
    rows = [make_full(team, owner, folder), make_failed(team, owner)]
    export(team, owner)
    # The net has no holes: what is to be emptied is full.
    before = set(swept(tmp_path))
    assert {
        "FalRequest.input_text", "FalRequest.output", "FalRequest.error", "Observation.note", "LogLine.message",
        "Frame.data", "Delivery.body", "OutputPart.data", "BatchItem.values", "NoticeEvent.line",
        "ErrorGroup.sentence", "MediaCopy.url", "the search",
    } <= before  # fmt: skip
    assert sum("/" in place for place in before) >= 4  # a copy, two sizes of a thumbnail, an export
    delete(rows, team, owner, how)
    counting.fold()
    copies.remove_given_up(timezone.now() + timedelta(days=3))
    remove_expired(timezone.now())
    assert list(swept(tmp_path)) == []
    for name in ("list", "gallery", "errors", "notice_log", "bulk_actions"):
        assert CANARY not in as_owner.get(reverse(f"requests:{name}")).text
    for row in FalRequest.objects.all():
        assert CANARY not in page(as_owner, row)


def test_what_happened_stays_when_its_words_are_gone(team: Team, owner: User) -> None:
    row = make_failed(team, owner)
    kinds = list(row.observations.values_list("kind", flat=True))
    FalRequest.objects.update(due_at=None, cost="0.5")
    lifecycle.delete_payload(row.pk, person=owner, now=timezone.now())
    after = fresh(row)
    assert (after.status, after.error, after.error_code) == (Status.FAILED, "nsfw · HTTP 400", 400)
    assert (after.ended_at, after.cost is None) == (fresh(row).ended_at, False)
    assert [*kinds, "removed"] == list(row.observations.values_list("kind", flat=True))
    group = ErrorGroup.objects.get()
    assert (group.count, group.sentence, group.error_type) == (1, "", "nsfw")


def test_a_group_keeps_its_sentence_while_another_request_has_it(team: Team, owner: User) -> None:
    row = make_failed(team, owner)
    other = make_queued("req-3", team=team, person=owner)
    hear(other, make_status("COMPLETED"))
    hear(other, make_result(code=400, error=f"Prompt {CANARY} is not allowed", error_type="nsfw"))
    counting.fold()
    lifecycle.delete_payload(row.pk, person=owner, now=timezone.now())
    assert CANARY in ErrorGroup.objects.get().sentence
    lifecycle.delete_payload(other.pk, person=owner, now=timezone.now())
    assert ErrorGroup.objects.get().sentence == ""


def test_what_fal_says_later_is_not_kept(team: Team, owner: User, tmp_path: Path) -> None:
    row = make_failed(team, owner)
    lifecycle.delete_payload(row.pk, person=owner, now=timezone.now())
    hear(row, make_status("COMPLETED", logs=(make_log(f"late {CANARY}"),)))
    hear(row, make_result(output={"text": CANARY}))
    late = make_webhook("req-2", payload_bytes=f'"{CANARY}"'.encode(), error=CANARY, status="ERROR")
    hear(row, late, source=Source.WEBHOOK)
    assert list(swept(tmp_path)) == []
