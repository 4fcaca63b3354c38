"""Exports in the background: written by a worker, bounded, stopped, begun anew, gone in time."""

from __future__ import annotations

import csv
import io
import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.export import job_files, jobs
from requests_app.export.background import ExportWriting, next_export
from requests_app.models import Export, FalRequest, Membership, Team
from requests_app.upkeep.expired import remove_expired
from requests_app.worker.sweep import sweep
from tests.builders import hear, make_person, make_queued, make_request, make_result
from tests.worker.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    """Requests that no worker has to send."""
    rows = [make_request(team=team, person=owner, input={"n": n}) for n in range(120)]
    FalRequest.objects.update(status="completed", due_at=None, ended_at=timezone.now())
    return rows


def ask(
    team: Team,
    person: User,
    *,
    search: str = "",
    format: str = "csv",
    token: str = "",
    sees: bool = True,
) -> Export:
    return jobs.ask_export(
        team=team, person=person, search=search, format=format, token=token or uuid.uuid4().hex,
        sees=sees, now=timezone.now(),
    )  # fmt: skip


def is_over(loop: Any, export: Export) -> bool:
    loop.run(sweep())
    export.refresh_from_db()
    return export.state != "running"


def files() -> list[str]:
    folder = job_files.place(uuid.uuid4()).parent
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.slow
def test_a_worker_writes_the_file_for_its_owner_alone(
    loop: Any, team: Team, owner: User, rows: list[FalRequest]
) -> None:
    FalRequest.objects.filter(pk=rows[0].pk).update(endpoint_id="acme/other")
    made = [ask(team, owner, search=search, format=kind) for search, kind in (("", "csv"), ("endpoint:acme/img", "csv"), ("", "zip"))]  # fmt: skip
    for export, count in zip(made, (120, 119, 120), strict=True):
        wait_for(lambda export=export: is_over(loop, export), seconds=60)  # type: ignore[misc]
        assert (export.state, export.done, export.total) == ("finished", count, count)
        place = job_files.place(export.public_id)
        assert place.stat().st_size == export.size
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert export.is_open(timezone.now())
    text = b"".join(job_files.pieces(made[1].public_id)).decode()
    assert len(list(csv.DictReader(io.StringIO(text)))) == 119


def test_the_same_page_asks_once_and_a_team_has_a_bounded_number_and_size(
    team: Team, owner: User, settings: Any
) -> None:
    first = ask(team, owner, token="one")
    assert ask(team, owner, token="one") == first
    for _ in range(jobs.MOST - 1):
        ask(team, owner)
    with pytest.raises(jobs.ExportRefused, match="has 10 exports already"):
        ask(team, owner)
    assert jobs.stop(first, now=timezone.now())
    settings.EXPORT_LIMIT_BYTES = 0
    with pytest.raises(jobs.ExportRefused, match="as large as they may be"):
        ask(team, owner)


@pytest.mark.slow
def test_a_file_that_becomes_too_large_ends_with_a_sentence_and_leaves_nothing(
    loop: Any, team: Team, owner: User, rows: list[FalRequest], settings: Any
) -> None:
    settings.EXPORT_LIMIT_BYTES = 1000
    export = ask(team, owner)
    wait_for(lambda: is_over(loop, export), seconds=60)
    assert export.state == "failed"
    assert "narrower search" in export.note
    wait_for(lambda: not files(), seconds=60)  # the worker removes it after it has told


@pytest.mark.slow
def test_a_disk_that_takes_nothing_is_told(
    loop: Any, team: Team, owner: User, rows: list[FalRequest], tmp_path: Path
) -> None:
    (tmp_path / "exports").write_text("in the way")
    export = ask(team, owner)
    wait_for(lambda: is_over(loop, export), seconds=60)
    assert export.state == "failed"
    assert "could not be written" in export.note


@pytest.mark.slow
def test_what_a_dead_worker_left_is_begun_anew_by_another(
    loop: Any, team: Team, owner: User, rows: list[FalRequest]
) -> None:
    export = ask(team, owner)
    held = next_export(timezone.now())
    assert held
    dead = ExportWriting(held)
    dead.advance()
    assert next_export(timezone.now()) is None  # it is leased
    Export.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    wait_for(lambda: is_over(loop, export), seconds=60)
    assert (export.state, export.done) == ("finished", 120)
    assert not dead.note()  # should it come back to life: it goes no further
    dead.fail("late")
    export.refresh_from_db()
    assert export.state == "finished"


@pytest.mark.slow
def test_a_stopped_export_leaves_no_file(team: Team, owner: User, rows: list[FalRequest]) -> None:
    export = ask(team, owner)
    held = next_export(timezone.now())
    assert held
    writing = ExportWriting(held)
    writing.advance()
    assert jobs.stop(export, now=timezone.now())
    assert not writing.note()
    writing.close()
    assert files() == []
    assert not jobs.stop(export, now=timezone.now())


def finished(loop: Any, team: Team, owner: User) -> Export:
    export = ask(team, owner)
    wait_for(lambda: is_over(loop, export), seconds=60)
    assert files() == [str(export.public_id)]
    return export


@pytest.mark.slow
def test_a_file_is_gone_when_its_time_is_over(
    loop: Any, team: Team, owner: User, rows: list[FalRequest]
) -> None:
    export = finished(loop, team, owner)
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    export.refresh_from_db()
    assert not export.is_open(timezone.now())
    remove_expired(timezone.now())
    export.refresh_from_db()
    assert (export.state, export.note, files()) == ("gone", jobs.EXPIRED, [])
    remove_expired(timezone.now() + timedelta(days=31))
    assert not Export.objects.exists()


@pytest.mark.parametrize("how", ["payload", "request"])
def test_files_go_with_the_payloads_they_copy(loop: Any, team: Team, owner: User, how: str) -> None:
    row = make_queued(team=team, person=owner)
    hear(row, make_result())
    export = finished(loop, team, owner)
    if how == "payload":
        assert lifecycle.delete_payload(row.pk, person=owner, now=timezone.now())
    else:
        FalRequest.objects.update(due_at=None)
        assert lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    export.refresh_from_db()
    assert (export.state, export.note) == ("gone", jobs.PAYLOAD_DELETED)
    remove_expired(timezone.now())
    assert files() == []


def test_an_export_that_is_written_meanwhile_begins_anew(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    hear(row, make_result())
    ask(team, owner)
    held = next_export(timezone.now())
    assert held
    writing = ExportWriting(held)
    writing.advance()
    lifecycle.delete_payload(row.pk, person=owner, now=timezone.now())
    assert not writing.note()
    writing.finish()  # as if it had not asked
    assert Export.objects.get().state == "running"
    assert next_export(timezone.now())
    writing.close()


@pytest.mark.parametrize("asked", ["before", "after"])
def test_the_file_of_a_person_who_may_not_see_inputs_has_rows_without_them(
    asked: str, loop: Any, team: Team, owner: User
) -> None:
    """Also when the right was taken from them between their question and the worker's turn."""
    make_queued("one", team=team, person=owner, input={"prompt": "zqsecret"})
    FalRequest.objects.update(due_at=None)
    reader = make_person("reader", team=team)
    export = ask(team, reader, format="jsonl", sees=asked == "after")
    Membership.objects.filter(user=reader).update(sees_payloads=False)
    wait_for(lambda: is_over(loop, export))
    assert export.state == "finished" and export.without_payloads
    text = job_files.place(export.public_id).read_text()
    assert "acme/img" in text and "reader" not in text and "zqsecret" not in text


def test_a_zip_of_outputs_is_not_written_for_them(team: Team, owner: User) -> None:
    with pytest.raises(jobs.ExportRefused, match="may not see inputs"):
        ask(team, owner, format="zip", sees=False)
