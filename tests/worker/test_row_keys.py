"""At the wire: each team's calls carry its own key, from the submit to the result."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.keys import keeping
from requests_app.models import FalKey, FalRequest, Status, Team
from tests.builders import fresh, make_person, make_request
from tests.fal.peer import Step, events, says
from tests.worker.conftest import PeerThread, ended, look, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]
HERS, HIS, FLUX = "hers:aaaa-1111", "his:bbbb-2222", "flux:cccc-3333"


class Fal(deque[Step]):
    """Answers every call, for any number of them; a request is done at its second poll."""

    def __init__(self, peer: PeerThread) -> None:
        super().__init__()
        self.peer, self.polls = peer, dict[str, int]()
        self.numbers = itertools.count()

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Step:
        asked = self.peer.requests[-1]
        if asked.path.endswith("/stream"):
            return events(b'data: {"done": 1}\n\n')
        if asked.method == "POST":
            is_run = asked.path.startswith("/run")
            return says(200, {"out": 1} if is_run else {"request_id": f"r-{next(self.numbers)}"})
        if asked.path.endswith("/status"):
            polls = self.polls[asked.path] = self.polls.get(asked.path, 0) + 1
            return says(200, {"status": "COMPLETED" if polls > 1 else "IN_PROGRESS"})
        if asked.path.endswith("/cancel"):
            return says(202, {"status": "CANCELLATION_REQUESTED"})
        return says(200, {"out": 1})

    def keys(self, path: str = "") -> set[str | None]:
        """The keys of the calls so far whose path has this in it."""
        return {one.header("authorization") for one in self.peer.requests if path in one.path}


@pytest.fixture
def fal(peer: PeerThread) -> Fal:
    peer.script = Fal(peer)
    return peer.script


def give(team: Team, secret: str, by: User, pattern: str = "") -> FalKey:
    now = timezone.now()
    return keeping.add(team, name=secret[:4], pattern=pattern, secret=secret, by=by, now=now)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
def test_two_teams_and_the_installation_never_use_each_others_key(
    mode: str, fal: Fal, team: Team, owner: User, stranger: User, until: Until
) -> None:
    other, third = stranger.memberships.get().team, Team.objects.create(name="Third")
    give(team, HERS, owner)
    give(team, FLUX, owner, "acme/flux*")
    give(other, HIS, stranger)
    people = {"acme/hers": (team, owner), "acme/flux-dev": (team, owner), "acme/his": (other, stranger), "acme/none": (third, make_person("cleo", team=third))}  # fmt: skip
    for _ in range(3):
        rows = [
            make_request(team=of, person=person, endpoint_id=endpoint, mode=mode)
            for endpoint, (of, person) in people.items()
        ]
        if mode == "queue":
            lifecycle.ask_cancel(rows[0].pk, person=owner, now=timezone.now())
        for row in rows:
            assert until(row, ended).status in (Status.COMPLETED, Status.CANCELLED)
    told = {endpoint: fal.keys(endpoint) for endpoint in people}
    assert told == {
        "acme/hers": {f"Key {HERS}"} if mode != "queue" else set(told["acme/hers"]),
        "acme/flux-dev": {f"Key {FLUX}"},
        "acme/his": {f"Key {HIS}"},
        "acme/none": {"Key id:secret"},
    }
    assert told["acme/hers"] <= {f"Key {HERS}"}


@pytest.mark.slow
def test_a_request_is_followed_with_the_key_it_was_sent_with(
    fal: Fal, team: Team, owner: User, loop: Any, until: Until
) -> None:
    give(team, HERS, owner)
    row = make_request(team=team, person=owner)
    look(loop, row)
    keeping.remove(team, FalKey.objects.get().pk, now=timezone.now())
    give(team, HIS, owner)
    sent = fresh(row)
    assert sent.status == Status.IN_QUEUE and sent.fal_key_id == FalKey.objects.earliest("pk").pk
    before = len(fal.peer.requests)
    for _ in range(lifecycle.TOLD_AT + 1):
        waits = look(loop, row)
    assert len(fal.peer.requests) == before  # nothing was asked with another key
    assert not waits.is_ended
    told = waits.observations.order_by("-id")[0].note
    assert "“hers”" in told and "was removed" in told and HERS not in told
    # Given again, it is followed to its end; the team's new key is for new requests.
    keeping.replace(team, sent.fal_key_id, HERS, now=timezone.now())
    assert until(row, ended).status == Status.COMPLETED
    assert fal.keys() == {f"Key {HERS}"}
    second = make_request(team=team, person=owner, endpoint_id="acme/second")
    until(second, ended)
    assert fal.keys("acme/second") == {f"Key {HIS}"}


@pytest.mark.slow
def test_a_replaced_key_follows_what_was_sent_with_the_old_one(
    fal: Fal, team: Team, owner: User, loop: Any, until: Until
) -> None:
    key = give(team, HERS, owner)
    row = make_request(team=team, person=owner)
    look(loop, row)
    keeping.replace(team, key.pk, HIS, now=timezone.now())
    assert until(row, ended).status == Status.COMPLETED
    assert fal.keys("/status") == {f"Key {HIS}"}


def test_a_key_that_cannot_be_decrypted_sends_nothing_and_loses_no_request(
    fal: Fal, team: Team, owner: User, loop: Any, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = ["one secret of the installation"]
    give(team, HERS, owner)
    settings.ENCRYPTION_KEYS = ["another one"]
    for mode in ("queue", "run"):
        row = look(loop, make_request(team=team, person=owner, mode=mode))
        assert row.status == Status.PENDING
        assert "cannot be decrypted" in row.observations.order_by("-id")[0].note
    assert not fal.peer.requests


def test_use_and_refusals_of_a_key_are_noted_and_no_secret_in_them(
    peer: PeerThread, team: Team, owner: User, loop: Any
) -> None:
    key = give(team, HERS, owner)
    peer.will(says(401, {"detail": "invalid key credentials"}))
    assert look(loop, make_request(team=team, person=owner)).status == Status.FAILED
    wait_for(lambda: FalKey.objects.get(pk=key.pk).last_error)
    noted = FalKey.objects.get(pk=key.pk)
    assert noted.last_used_at and "invalid key credentials" in noted.last_error
