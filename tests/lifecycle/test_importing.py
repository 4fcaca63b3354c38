"""An imported run is a request with nothing left to do, which no figure, group or rule counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.error_groups import history
from requests_app.fal.transport import BEGINNING
from requests_app.models import (
    ErrorTally,
    FalRequest,
    Frame,
    ImportedRun,
    LogLine,
    NoticeChannel,
    NoticeRule,
    OutputPart,
    RuleEvent,
    Team,
)
from requests_app.notices.finding import find, is_over
from requests_app.overview.counting import counted, counted_one
from tests.builders import hear, make_queued, make_result
from tests.runfile.test_reading import files_of, in_request, read, signed
from tests.runfile.test_writing import ended

__all__ = ["ended"]  # the fixture


@pytest.fixture
def elsewhere(db: None) -> Team:
    return Team.objects.create(name="Elsewhere")


def imported(files: dict[str, bytes], team: Team, person: Any) -> FalRequest:
    row, _ = lifecycle.import_run(read(files), team=team, person=person, now=timezone.now())
    return FalRequest.objects.get(pk=row.pk)


def test_it_has_what_was_in_the_file_and_nothing_to_do(ended: FalRequest, elsewhere: Team) -> None:
    row = imported(files_of(ended), elsewhere, ended.person)
    before = FalRequest.objects.get(pk=ended.pk)
    assert (row.status, row.origin) == ("completed", "imported")
    assert row.input_text == before.input_text
    assert bytes(row.output or b"") == bytes(before.output or b"")
    assert not lifecycle.can_reread(row)
    assert (row.due_at, row.sent_at, row.started_at, row.cost) == (None, None, None, None)
    assert (row.fal_request_id, row.billable_units, row.input_digest) == ("", "", "")
    assert row.created_at == row.ended_at and row.created_at > before.created_at
    assert [one.message for one in LogLine.objects.filter(request=row)] == [
        "first <b>line</b>",
        "second",
    ]
    assert Frame.objects.filter(request=row).count() == 2
    assert row.deliveries.count() == 1
    assert lifecycle.tagging.own_tags(row.pk) == ["draft"]
    told = ImportedRun.objects.get(request=row)
    assert (told.original_id, told.person) == (ended.public_id, "olga")
    assert told.fal_request_id == before.fal_request_id
    assert told.made_at == before.created_at


def test_the_same_run_is_there_once_in_a_team(ended: FalRequest, elsewhere: Team) -> None:
    files = files_of(ended)
    for team in (elsewhere, ended.team):
        first = imported(files, team, ended.person)
        again, is_new = lifecycle.import_run(
            read(files), team=team, person=ended.person, now=timezone.now()
        )
        assert (again.pk, is_new) == (first.pk, False)
    assert FalRequest.objects.filter(origin="imported").count() == 2


def test_a_large_output_is_kept_in_parts(ended: FalRequest, elsewhere: Team) -> None:
    body = b'{"a": "' + b"x" * (2 * BEGINNING) + b'"}'
    files = signed(files_of(ended) | {"output.json": body}, in_request(output_size=len(body)))
    row = imported(files, elsewhere, ended.person)
    assert OutputPart.objects.filter(request=row).count() == 2
    assert files_of(row)["output.json"] == body


def test_a_run_without_payload_stays_without(ended: FalRequest, elsewhere: Team) -> None:
    lifecycle.remove_payload(ended.pk, days=1, now=timezone.now())
    row = imported(files_of(ended), elsewhere, ended.person)
    assert row.payload_removed_at is not None
    assert (row.input_text, row.output) == ("", None)


def test_a_failure_elsewhere_is_none_of_this_team(ended: FalRequest, elsewhere: Team) -> None:
    now = timezone.now()
    words = {"status": "failed", "error": "out of memory", "error_type": "given_up"}
    row = imported(signed(files_of(ended), in_request(**words)), elsewhere, ended.person)
    assert (row.status, row.error, row.is_lost) == ("failed", "out of memory", False)
    lifecycle.add_note(row.pk, "seen", person=ended.person, now=now)
    ErrorTally.objects.all().delete()
    assert not history.group_piece()
    assert FalRequest.objects.get(pk=row.pk).error_key is None
    assert not ErrorTally.objects.exists()
    hour = timedelta(hours=1)
    assert counted(elsewhere.pk, now - hour, now + hour) == {}
    assert counted_one(row) == {}
    channel = NoticeChannel.objects.create(
        team=elsewhere, kind="email", name="ops", encrypted="x", shown="x", created_at=now - hour
    )
    rule = NoticeRule.objects.create(
        team=elsewhere, channel=channel, event=RuleEvent.FAILED, since=now - hour, minutes=60, percent=0, least=1,
    )  # fmt: skip
    assert find(rule, now - hour, now) == []
    assert not is_over(rule, now)[0]
    assert lifecycle.delete_request(row.pk, person=ended.person, now=timezone.now())
    assert not ImportedRun.objects.exists()


def test_one_that_has_ended_here_is_still_counted(team: Any, owner: Any) -> None:
    row = make_queued(team=team, person=owner)
    hear(row, make_result())
    now, hour = timezone.now(), timedelta(hours=1)
    assert counted(team.pk, now - hour, now + hour)
