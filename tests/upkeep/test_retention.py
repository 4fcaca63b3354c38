"""What is past its time goes, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app import lifecycle
from requests_app.models import (
    ApiToken,
    AuditAct,
    AuditEntry,
    Delivery,
    FalDeletion,
    FalRequest,
    Frame,
    FurtherThumbnail,
    IdempotencyKey,
    LogLine,
    Observation,
    Status,
    Team,
    Thumbnail,
)
from requests_app.thumbnails import states
from requests_app.thumbnails.further import want_further
from requests_app.thumbnails.picture import SIZES
from requests_app.upkeep import retention
from tests.builders import (
    fresh,
    hear,
    make_log,
    make_queued,
    make_request,
    make_result,
    make_status,
)
from tests.views.request_page import page, url

pytestmark = pytest.mark.django_db
NOW = timezone.now()
SECRET = "a violet lighthouse"


def make_ended(
    team: Team, owner: User, *, days: float, request_id: str = "req-1", **draft: Any
) -> FalRequest:
    """A completed request with every kind of evidence, which ended so many days ago."""
    row = make_queued(request_id, team=team, person=owner, input={"prompt": SECRET}, **draft)
    hear(row, make_status("IN_PROGRESS", logs=(make_log(f"drawing {SECRET}"),)))
    hear(row, make_result(output={"images": [{"url": f"https://fal.media/{SECRET}.png"}]}))
    Frame.objects.create(request=row, number=1, offset_ms=0, data=SECRET, size=len(SECRET))
    Delivery.objects.create(
        request=row, received_at=NOW, verdict="accepted", headers={"x": SECRET},
        body=SECRET.encode(), body_size=len(SECRET), digest="d",
    )  # fmt: skip
    FalRequest.objects.filter(pk=row.pk).update(ended_at=NOW - timedelta(days=days))
    return fresh(row)


def keep(team: Team, **days: int | None) -> Team:
    Team.objects.filter(pk=team.pk).update(**{f"{kind}_days": n for kind, n in days.items()})
    team.refresh_from_db()
    return team


def prune(*teams: Team) -> dict[str, int]:
    """How much went of each kind; of batches only if any was there."""
    gone = {share.kind: share.count for share in retention.prune(NOW, list(teams))}
    return {kind: count for kind, count in gone.items() if count or kind != retention.VALUES}


def everything_stored(row: FalRequest) -> str:
    """Whatever the database holds of it, as text."""
    found: list[Any] = list(FalRequest.objects.filter(pk=row.pk).values())
    for model in (LogLine, Frame, Delivery, Observation):
        found += model.objects.filter(request=row).values()  # type: ignore[attr-defined]
    return repr([{k: bytes(v) if isinstance(v, memoryview) else v for k, v in f.items()} for f in found])  # fmt: skip


def test_everything_is_kept_for_ever_until_a_team_says_otherwise(team: Team, owner: User) -> None:
    row = make_ended(team, owner, days=4000)
    before = everything_stored(row)
    assert prune(team) == {}
    assert everything_stored(row) == before


def test_a_payload_past_its_time_is_nowhere_any_more(team: Team, owner: User) -> None:
    row = make_ended(team, owner, days=31)
    assert SECRET in everything_stored(row)
    assert prune(keep(team, payload=30, frames=30)) == {"payload": 1, "frames": 1}
    assert SECRET not in everything_stored(row)
    assert "lighthouse" not in everything_stored(row)


def test_what_happened_is_still_told_when_the_payload_is_gone(team: Team, owner: User) -> None:
    row = make_ended(team, owner, days=31)
    told = list(row.observations.values_list("pk", flat=True))
    prune(keep(team, payload=30))
    after = fresh(row)
    assert list(row.observations.values_list("pk", flat=True))[:-1] == told
    assert "retention" in row.observations.last().note  # type: ignore[union-attr]
    assert (after.status, after.ended_at) == (row.status, row.ended_at)
    assert after.output_size == row.output_size > 0
    assert after.seq > row.seq
    assert row.deliveries.get().verdict == "accepted"
    assert row.frames.count() == 1


@pytest.mark.parametrize("kind", ["payload", "rows"])
def test_a_thumbnail_goes_with_the_payload_and_with_the_row(
    team: Team, owner: User, settings: Any, tmp_path: Path, kind: str
) -> None:
    settings.DATA_DIR = tmp_path
    row = make_ended(team, owner, days=31)
    states.want([row], NOW)
    [wanted] = states.take_wanted(NOW, 1)
    states.keep_made(wanted, dict.fromkeys(SIZES, b"webp"), NOW)
    want_further([(row.pk, 3)], NOW)
    [further] = states.take_wanted(NOW, 1)
    states.keep_made(further, dict.fromkeys(SIZES, b"webp"), NOW)
    assert len(list(tmp_path.rglob("*.webp"))) == len(SIZES) + 1
    prune(keep(team, **{kind: 30}))
    assert not list(tmp_path.rglob("*.webp"))
    assert not Thumbnail.objects.exists()
    assert not FurtherThumbnail.objects.exists()


def test_frames_go_by_their_own_days(team: Team, owner: User) -> None:
    row = make_ended(team, owner, days=31)
    assert prune(keep(team, frames=30)) == {"frames": 1}
    assert not row.frames.exists()
    after = fresh(row)
    assert after.frames_removed_at and after.output and after.input_text


@pytest.mark.parametrize(("days", "gone"), [(29.9, 0), (30.1, 1)])
def test_the_days_count_from_the_end(team: Team, owner: User, days: float, gone: int) -> None:
    make_ended(team, owner, days=days)
    assert prune(keep(team, payload=30)) == {"payload": gone}


def test_a_row_goes_with_all_its_evidence_and_no_other(team: Team, owner: User) -> None:
    old = make_ended(team, owner, days=91)
    young = make_ended(team, owner, days=1, request_id="req-2")
    repeat = make_request(team=team, person=owner, again_of=old)
    IdempotencyKey.objects.create(team=team, key="k", body_digest="b", request=old)
    young_before = everything_stored(young)
    assert prune(keep(team, rows=90, payload=30)) == {"rows": 1, "payload": 0}
    assert set(FalRequest.objects.all()) == {young, repeat}
    assert everything_stored(young) == young_before
    assert fresh(repeat).again_of is None
    assert not IdempotencyKey.objects.exists()
    for model in (LogLine, Frame, Delivery):
        assert model.objects.count() == 1  # type: ignore[attr-defined]


def test_more_rows_than_one_transaction_takes_all_go(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        make_ended(team, owner, days=9, request_id=f"req-{number}")
    assert prune(keep(team, rows=8)) == {"rows": 5}


@pytest.mark.parametrize("status", sorted({*Status} - {"completed", "failed", "cancelled"}))
def test_what_lives_is_never_touched(team: Team, owner: User, status: str) -> None:
    row = make_queued(team=team, person=owner)
    long_ago = NOW - timedelta(days=900)
    FalRequest.objects.filter(pk=row.pk).update(status=status, ended_at=long_ago)
    before = everything_stored(row)
    assert not any(prune(keep(team, payload=1, frames=1, rows=1)).values())
    assert not lifecycle.remove_payload(row.pk, days=1, now=NOW)
    assert not lifecycle.remove_frames(row.pk, days=1, now=NOW)
    assert everything_stored(row) == before


def test_a_plan_changes_nothing_and_counts_what_prune_then_removes(team: Team, owner: User) -> None:
    row = make_ended(team, owner, days=31)
    before = everything_stored(row)
    share, _ = retention.plan(NOW, [keep(team, payload=30)])
    assert everything_stored(row) == before
    assert share.count == 1
    assert share.size == len(row.input_text) + row.output_size
    assert prune(team) == {"payload": 1}
    assert prune(team) == {"payload": 0}


def test_one_teams_days_are_not_anothers(team: Team, owner: User, stranger: User) -> None:
    other = Team.objects.get(name="Other")
    mine = make_ended(team, owner, days=31)
    theirs = make_ended(other, stranger, days=31, request_id="req-2")
    prune(keep(team, payload=30), other)
    assert fresh(mine).payload_removed_at
    assert fresh(theirs).payload_removed_at is None


# --- what is shown of it ---------------------------------------------------------------------------


def test_the_page_and_the_list_say_why_the_payload_is_missing(
    team: Team, owner: User, as_owner: Client
) -> None:
    row = make_ended(team, owner, days=31)
    prune(keep(team, payload=30, frames=30))
    html = page(as_owner, row)
    assert html.count("Input, output, logs and webhook bodies were removed: the team keeps") >= 2
    assert url("output", row) not in html
    assert "The output is empty" not in html
    assert "input removed" in as_owner.get("/requests/").content.decode()


def test_its_output_is_not_there_and_it_cannot_be_run_again_by_itself(
    team: Team, owner: User, as_owner: Client
) -> None:
    row = make_ended(team, owner, days=31)
    prune(keep(team, payload=30))
    assert as_owner.get(url("output", row)).status_code == 404
    reply = as_owner.post(url("again", row), {"token": "t" * 32})
    assert "/requests/new/?again=" in reply["Location"]
    assert as_owner.get(reply["Location"]).status_code == 200
    assert FalRequest.objects.count() == 1


def test_the_api_says_when_it_was_removed(team: Team, owner: User, client: Client) -> None:
    row = make_ended(team, owner, days=31)
    prune(keep(team, payload=30))
    token = {"Authorization": f"Bearer {ApiToken.issue(owner, team)}"}
    reply = client.get(f"/api/v1/requests/{row.public_id}/", headers=token)
    body = json.loads(reply.content)
    assert (body["input"], body["output"], body["logs"]) == (None, None, [])
    assert body["payload_removed_at"]
    assert body["frames_removed_at"] is None


# --- at fal too


def uuid(number: int) -> str:
    return f"0000000{number}-1111-4222-8333-444444444444"


@pytest.fixture
def several(team: Team, owner: User, settings: Any) -> dict[str, FalRequest]:
    """Ended twenty days ago; fal can be asked about the first three by their ids."""
    settings.LOCAL_APPS = {"acme/mine": LocalApp("acme/mine", "http://127.0.0.1:9")}
    ids = {"one": uuid(1), "done": uuid(2), "refused": uuid(3), "imported": uuid(4), "local": uuid(5), "odd": "req-9"}  # fmt: skip
    rows = {
        name: make_ended(
            team, owner, days=20, request_id=request_id,
            endpoint_id="acme/mine/run" if name == "local" else "acme/img",
        )
        for name, request_id in ids.items()
    }  # fmt: skip
    FalRequest.objects.filter(pk=rows["imported"].pk).update(origin="imported")
    for name, state in (("done", "done"), ("refused", "refused")):
        assert lifecycle.ask_fal_to_delete(rows[name], now=NOW - timedelta(days=5))
        FalDeletion.objects.filter(public_id=rows[name].public_id).update(state=state, due_at=None)
    return {name: fresh(row) for name, row in rows.items()}


def asked() -> set[str]:
    return {one.fal_request_id for one in FalDeletion.objects.filter(asked_at=NOW)}


def test_fal_can_be_asked_about_the_same_rows_one_by_one_and_all_at_once(several: Any) -> None:
    one_by_one = {name for name, row in several.items() if not lifecycle.why_not_at_fal(row)}
    assert one_by_one == {"one", "done", "refused"}
    found = set(lifecycle.askable(FalRequest.objects.all()).values_list("pk", flat=True))
    assert found == {several[name].pk for name in one_by_one - {"done"}}


@pytest.mark.parametrize("kind", ["payload", "rows"])
@pytest.mark.parametrize("is_on", [False, True])
def test_fal_is_asked_about_what_goes_if_the_team_says_so(
    kind: str, is_on: bool, team: Team, several: Any
) -> None:
    keep(team, **{kind: 10})
    retention.set_at_fal(team, is_on=is_on)
    team.refresh_from_db()
    planned = {share.kind: share.at_fal for share in retention.plan(NOW, [team])}
    assert planned[kind] == (2 if is_on else 0) and not asked()
    assert prune(team)[kind] == len(several)
    assert {uuid(1), uuid(3)} <= asked() if is_on else not asked()
    assert not asked() & {uuid(4), uuid(5), "req-9"}
    told = AuditEntry.objects.filter(act=AuditAct.PRUNED, details__contains='"at_fal":2')
    assert told.exists() is is_on
    if kind == "payload":
        says = several["one"].observations.filter(note__contains="fal is asked to delete")
        assert says.exists() is is_on


def test_frames_alone_are_not_deleted_at_fal(team: Team, several: Any) -> None:
    retention.set_at_fal(keep(team, frames=10), is_on=True)
    assert prune(team)["frames"] == len(several) and not asked()


def test_a_switch_at_fal_is_in_the_trail_once(team: Team) -> None:
    for _ in range(2):
        retention.set_at_fal(team, is_on=True)
    [entry] = AuditEntry.objects.filter(act=AuditAct.SETTING_CHANGED)
    assert "at fal too" in entry.label and '"after":true' in entry.details
