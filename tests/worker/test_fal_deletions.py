"""Deletion at fal by the worker: every answer is told, and what gives none is asked again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from requests_app import lifecycle
from requests_app.keys import keeping
from requests_app.models import AuditEntry, FalDeletion, FalKey, FalRequest, Membership, Team
from requests_app.teams import deleting
from requests_app.upkeep import team_deletion
from requests_app.worker.fal_deletions import eraser
from tests.builders import fresh, hear, make_queued, make_request, make_result
from tests.fal.conftest import REQUEST_ID
from tests.fal.peer import html, says
from tests.worker.conftest import PeerThread, ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def emptied(peer: PeerThread, settings: Any, team: Team, owner: User) -> FalRequest:
    """A request that was emptied here, with fal to be asked: the peer."""
    settings.FAL_API_URL = f"{peer.url}/api"
    row = make_queued(REQUEST_ID, team=team, person=owner, input={"prompt": "a lake"})
    hear(row, make_result())
    assert lifecycle.delete_payload(row.pk, person=owner, now=timezone.now(), at_fal=True)
    return fresh(row)


def erase(loop: Any) -> FalDeletion:
    FalDeletion.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    loop.run(eraser.erase_due(), timeout_s=30)
    return FalDeletion.objects.get()


def told(row: FalRequest) -> list[str]:
    return list(row.observations.filter(kind="fal_deletion").values_list("note", flat=True))


@pytest.mark.slow
def test_the_sandbox_deletes_a_request_that_it_ran(
    at_sandbox: Any, loop: Any, until: Any, team: Team, owner: User
) -> None:
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 5}
    )
    row = until(row, ended)
    assert lifecycle.delete_payload(row.pk, person=owner, now=timezone.now(), at_fal=True)
    done = erase(loop)
    assert (done.state, done.due_at) == ("done", None)
    assert "fal has deleted input, output and 1 file of the output" in done.note
    # It is asked once, and knows nothing of it any more.
    assert not lifecycle.delete_at_fal(row.pk, person=owner, now=timezone.now())


PLATFORM = {"error": {"type": "authorization_error", "message": "Missing permission"}}


@pytest.mark.parametrize(
    ("step", "state", "note"),
    [
        (says(200, {"cdn_delete_results": []}), "done", "deleted input and output"),
        (says(403, PLATFORM), "refused", "Missing permission"),
        (says(404, PLATFORM), "unknown", "knows no request with this id"),
        (html(502), "waiting", "502"),
        (says(429, PLATFORM, retry_after="200"), "waiting", "429"),
    ],
)
def test_each_answer_is_told_on_the_row_and_an_end_in_the_trail(
    loop: Any, peer: PeerThread, emptied: FalRequest, step: Any, state: str, note: str
) -> None:
    peer.will(step)
    before = timezone.now()
    asked = erase(loop)
    assert (asked.state, note in asked.note) == (state, True)
    assert note in told(emptied)[-1]
    trail = AuditEntry.objects.filter(act="request.delete_at_fal")
    assert trail.count() == (state != "waiting")
    assert (asked.due_at is not None) == (state == "waiting")
    if "429" in note:
        assert asked.due_at >= before + timedelta(seconds=200)
    assert fresh(emptied).status == emptied.status


def test_what_gives_no_answer_is_asked_again_with_the_same_key_of_the_call_until_days_are_over(
    loop: Any, peer: PeerThread, emptied: FalRequest
) -> None:
    peer.will(html(502), html(503), html(504))
    first, second = erase(loop), erase(loop)
    assert (first.tries, second.tries) == (1, 2)
    assert len(told(emptied)) == 1  # not once more for each try
    calls = {request.header("idempotency-key") for request in peer.requests}
    assert len(peer.requests) == 2 and len(calls) == 1
    FalDeletion.objects.update(asked_at=F("asked_at") - timedelta(days=4))
    last = erase(loop)
    assert (last.state, last.due_at) == ("unreachable", None)
    assert "may still keep" in told(emptied)[-1]
    # Asked for again it begins anew, by a call of its own.
    owner = emptied.person
    assert lifecycle.delete_at_fal(emptied.pk, person=owner, now=timezone.now())
    peer.will(says(200, {}))
    assert erase(loop).state == "done"
    assert len({request.header("idempotency-key") for request in peer.requests}) == 3


def test_a_key_that_was_removed_is_no_answer_and_another_key_is_not_taken(
    loop: Any, peer: PeerThread, emptied: FalRequest
) -> None:
    now = timezone.now()
    key = FalKey.objects.create(
        team=emptied.team, name="old", created_at=now, changed_at=now, removed_at=now
    )
    FalDeletion.objects.update(fal_key=key)
    asked = erase(loop)
    assert (asked.state, "was removed" in asked.note, peer.requests) == ("waiting", True, [])


def test_of_a_deleted_request_the_answer_stands_in_the_trail_alone(
    loop: Any, peer: PeerThread, emptied: FalRequest
) -> None:
    FalDeletion.objects.all().delete()
    person = emptied.person
    assert lifecycle.delete_request(emptied.pk, person=person, now=timezone.now(), at_fal=True)
    peer.will(says(200, {"cdn_delete_results": []}))
    FalDeletion.objects.update(due_at=timezone.now())
    loop.run(eraser.erase_due(), timeout_s=30)
    assert not FalDeletion.objects.exists()
    entry = AuditEntry.objects.get(act="request.delete_at_fal")
    assert (entry.object_id, '"answer":"done"' in entry.details) == (str(emptied.public_id), True)


def test_two_workers_ask_once(loop: Any, peer: PeerThread, emptied: FalRequest) -> None:
    peer.will(says(200, {}))

    async def both() -> None:
        await asyncio.gather(eraser.erase_due(), type(eraser)().erase_due())

    loop.run(both(), timeout_s=30)
    assert len(peer.requests) == 1


@pytest.fixture
def leaving(
    emptied: FalRequest, owner: User, stranger: User, tmp_path: Any, settings: Any
) -> Membership:
    """The owner of a team that goes; the deletion that waits needs one of its two keys."""
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []
    mine = Membership.objects.get(team=emptied.team, user=owner)
    for name, pattern in (("needed", "acme/*"), ("other", "")):
        made = {"name": name, "pattern": pattern, "secret": f"{name}:secret"}
        keeping.add(mine.team, by=owner, now=timezone.now(), **made)
    FalDeletion.objects.update(fal_key=FalKey.objects.get(name="needed"))
    return mine


def remove_team(mine: Membership, now: Any = None) -> None:
    at = now or timezone.now()
    if mine.team.deleting_at is None:
        assert deleting.contents_of(mine.team, at).waiting_at_fal == 1
        deleting.begin(mine, mine.team.name, cancels=False, now=at)
        mine.team.refresh_from_db()
    while team_deletion.delete_piece(at):
        pass


@pytest.mark.parametrize(("step", "answer"), [(says(200, {}), "done"), (says(404, {}), "unknown")])
def test_a_deleted_team_waits_for_fals_answer_with_the_one_key_that_it_needs(
    loop: Any, peer: PeerThread, emptied: FalRequest, leaving: Membership, step: Any, answer: str
) -> None:
    peer.will(html(503), step)
    remove_team(leaving)
    assert erase(loop).state == "waiting"
    remove_team(leaving)
    assert not FalRequest.objects.filter(team=emptied.team_id).exists()
    assert [key.name for key in FalKey.objects.filter(team=emptied.team_id)] == ["needed"]
    FalDeletion.objects.update(due_at=timezone.now())
    loop.run(eraser.erase_due(), timeout_s=30)
    assert [request.header("authorization") for request in peer.requests] == 2 * [
        "Key needed:secret"
    ]
    remove_team(leaving)
    assert not Team.objects.filter(pk=emptied.team_id).exists()
    assert not FalKey.objects.exists() and not FalDeletion.objects.exists()
    entry = AuditEntry.objects.get(act="request.delete_at_fal")
    assert (entry.chain, f'"answer":"{answer}"' in entry.details) == (emptied.team_id, True)


def test_a_team_does_not_wait_for_ever(emptied: FalRequest, leaving: Membership) -> None:
    remove_team(leaving)
    remove_team(leaving, timezone.now() + timedelta(days=3))
    assert Team.objects.filter(pk=emptied.team_id).exists()
    remove_team(leaving, timezone.now() + timedelta(days=4))
    assert not Team.objects.filter(pk=emptied.team_id).exists()
