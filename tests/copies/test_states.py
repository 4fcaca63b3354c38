"""What becomes of a copy: leases, retries, one file for a content in a team, the quota, and files given up."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.copies import files, noticing, rules, states
from requests_app.copies.fetching import Cause, NotFetched
from requests_app.copies.files import OverQuota
from requests_app.copies.states import Fetched, LeaseLost, TakenCopy
from requests_app.copies.store import copy_store
from requests_app.models import (
    CopyLook,
    CopyRules,
    CopyState,
    FalRequest,
    KeptFile,
    MediaCopy,
    Team,
)
from requests_app.upkeep import retention
from tests.copies.media import (
    make_noticed,
    make_old,
    make_with_media,
    switch_on,
)
from tests.copies.media import (
    states as states_of,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now() + timedelta(hours=1)
CAT, DOG = "https://fal.media/cat.png", "https://fal.media/dog.png"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files are."""
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}
    return tmp_path / "copies"


def stored(folder: Path) -> list[bytes]:
    """The content of every file in the store."""
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def fetched(folder: Path, content: bytes) -> Fetched:
    path = folder / f"coming-{hashlib.md5(content).hexdigest()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Fetched(path, hashlib.sha256(content).hexdigest(), len(content), "image/png")


def keep(taken: TakenCopy, folder: Path, content: bytes) -> None:
    came = fetched(folder, content)
    try:
        file = states.reserve(taken, came, NOW)
        if file.stored_at is None:
            copy_store().put(file.name, came.path)
        states.confirm(taken, file, came, NOW)
    finally:
        came.path.unlink(missing_ok=True)


def used(team: Team) -> int:
    return CopyRules.objects.get(pk=team.pk).used_bytes


def test_nothing_is_noticed_before_a_team_has_switched_copies_on(team: Team, owner: User) -> None:
    make_with_media(team, owner, CAT)
    rules_off = switch_on(team, is_on=False)
    make_with_media(team, owner, CAT)
    assert not CopyLook.objects.exists()
    rules_off.is_on = True
    rules_off.save()
    row = make_noticed(team, owner, CAT, DOG)
    assert states_of(row) == ["waiting", "waiting"]


def test_older_requests_are_noticed_from_the_newest_down_a_few_at_a_time(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "AT_ONCE", 2)
    old = [make_old(team, owner, CAT) for _ in range(5)]
    rules.choose(team, choice(), NOW)
    seen = []
    for _ in range(4):
        noticing.note_older(NOW)
        seen.append(MediaCopy.objects.count())
        noticing.look_at_due(NOW)
        MediaCopy.objects.update(due_at=None)
    assert MediaCopy.objects.count() == len(old)
    assert seen == [0, 2, 4, 5]
    assert CopyRules.objects.get(pk=team.pk).history_below is None


def choice(**changes: Any) -> rules.CopyChoice:
    values = {
        "is_on": True, "images": True, "videos": True, "audios": True, "others": True,
        "quota_gb": 1, "largest_mb": 100,
    }  # fmt: skip
    return rules.CopyChoice(**(values | changes))


def test_only_the_kinds_that_a_team_chose_are_noticed(team: Team, owner: User) -> None:
    switch_on(team, videos=False, others=False)
    row = make_noticed(team, owner, CAT, "https://fal.media/a.mp4", "https://fal.media/a.glb")
    assert [copy.number for copy in MediaCopy.objects.filter(request=row)] == [1]


def test_a_copy_goes_to_one_worker_until_its_lease_has_expired(team: Team, owner: User) -> None:
    switch_on(team)
    make_noticed(team, owner, CAT, DOG)
    first = states.take_due(NOW, 1)
    second = states.take_due(NOW, 9)
    assert {taken.url for taken in first + second} == {CAT, DOG}
    assert states.take_due(NOW + states.LEASE / 2, 9) == []
    assert states.renew(first[0], NOW + states.LEASE / 2)
    assert [taken.url for taken in states.take_due(NOW + states.LEASE * 1.2, 9)] == [DOG]


def test_who_has_lost_the_lease_keeps_nothing(team: Team, owner: User, folder: Path) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT)
    [late] = states.take_due(NOW, 1)
    [other] = states.take_due(NOW + 2 * states.LEASE, 1)
    with pytest.raises(LeaseLost):
        states.reserve(late, fetched(folder, b"cat"), NOW)
    assert not KeptFile.objects.exists()
    assert used(team) == 0
    states.note_problem(late, NotFetched("too late", Cause.REFUSED), NOW)
    assert states_of(row) == ["waiting"]
    keep(other, folder, b"cat")
    assert states_of(row) == ["kept"]
    assert stored(folder) == [b"cat"]


def test_the_same_content_is_one_file_in_a_team_and_another_one_in_another_team(
    team: Team, owner: User, stranger: User, folder: Path
) -> None:
    other = Team.objects.get(name="Other")
    switch_on(team), switch_on(other)
    rows = [make_noticed(t, p, url) for t, p, url in ((team, owner, CAT), (team, owner, DOG), (other, stranger, CAT))]  # fmt: skip
    for taken in states.take_due(NOW, 9):
        keep(taken, folder, b"cat")
    assert [states_of(row) for row in rows] == [["kept"]] * 3
    assert stored(folder) == [b"cat", b"cat"]
    assert (used(team), used(other)) == (3, 3)
    assert {file.name.split("/")[0] for file in KeptFile.objects.all()} == {str(team.pk), str(other.pk)}  # fmt: skip


def test_a_file_goes_with_the_last_request_that_needs_it(
    team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    one, two, three = (make_noticed(team, owner, CAT) for _ in range(3))
    for taken in states.take_due(NOW, 9):
        keep(taken, folder, b"cat")
    assert lifecycle.delete_payload(one.pk, person=owner, now=NOW)
    assert lifecycle.remove_payload(two.pk, days=1, now=NOW)
    assert files.remove_given_up(timezone.now()) == 0
    assert stored(folder) == [b"cat"]
    FalRequest.objects.filter(pk=three.pk).update(due_at=None)
    assert lifecycle.delete_request(three.pk, person=owner, now=timezone.now())
    assert used(team) == 0
    assert files.remove_given_up(timezone.now()) == 1
    assert stored(folder) == []
    assert not KeptFile.objects.exists()


def test_what_is_over_the_quota_is_not_kept_until_there_is_room(
    team: Team, owner: User, folder: Path
) -> None:
    switch_on(team, quota_bytes=5)
    small, large = make_noticed(team, owner, CAT), make_noticed(team, owner, DOG)
    first, second = states.take_due(NOW, 2)
    keep(first, folder, b"cat")
    with pytest.raises(OverQuota) as over:
        keep(second, folder, b"a dog")
    states.note_problem(second, over.value, NOW)
    assert states_of(large) == ["over_quota"]
    with pytest.raises(OverQuota):
        states.room_for(team.pk, 3)
    assert rules.figures(team).is_over
    lifecycle.delete_payload(small.pk, person=owner, now=NOW)
    assert states_of(large) == ["waiting"]
    [again] = states.take_due(NOW + timedelta(hours=1), 9)
    keep(again, folder, b"a dog")
    assert states_of(large) == ["kept"]
    assert used(team) == 5


def failures(row: FalRequest, cause: Cause, *, ended_ago: timedelta = timedelta()) -> list[str]:
    """What a copy says after each try, until there is none left."""
    FalRequest.objects.filter(pk=row.pk).update(ended_at=NOW - ended_ago)
    said, now = [], NOW
    while taken := states.take_due(now, 1):
        states.note_problem(taken[0], NotFetched("The file did not come.", cause), now)
        copy = MediaCopy.objects.get(request=row)
        said.append(copy.state)
        now = copy.due_at or now + timedelta(days=99)
    return said


@pytest.mark.parametrize(
    ("cause", "ended_ago", "said"),
    [
        (Cause.FAILED, 0, ["waiting"] * 4 + ["failed"]),
        (Cause.GONE, 2, ["expired"]),
        (Cause.GONE, 0, ["waiting"] * 3 + ["expired"]),
        (Cause.REFUSED, 0, ["failed"]),
        (Cause.LARGE, 0, ["too_large"]),
    ],
)
def test_only_what_may_get_better_is_tried_again_and_not_for_ever(
    team: Team, owner: User, cause: Cause, ended_ago: int, said: list[str]
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT)
    assert failures(row, cause, ended_ago=timedelta(hours=ended_ago)) == said


def test_switched_off_what_is_kept_stays_and_nothing_waits(
    team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    make_noticed(team, owner, CAT, DOG)
    [taken] = states.take_due(NOW, 1)
    keep(taken, folder, b"cat")
    [reserved] = states.take_due(NOW, 1)
    states.reserve(reserved, fetched(folder, b"a dog"), NOW)
    rules.choose(team, choice(is_on=False), NOW)
    assert [copy.state for copy in MediaCopy.objects.all()] == [CopyState.KEPT]
    assert used(team) == 3
    rules.choose(team, choice(), NOW)
    assert CopyRules.objects.get(pk=team.pk).history_below


def test_more_room_has_what_was_too_large_tried_again(team: Team, owner: User) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT)
    MediaCopy.objects.update(state=CopyState.TOO_LARGE, due_at=None, tries=1)
    rules.choose(team, choice(largest_mb=200), NOW)
    assert states_of(row) == ["waiting"]
    assert states.take_due(NOW, 1)[0].most == 200_000_000
    rules.choose(team, choice(images=False), NOW)
    assert states_of(row) == []


def test_a_file_that_the_store_has_lost_is_fetched_again(
    team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT)
    [taken] = states.take_due(NOW, 1)
    keep(taken, folder, b"cat")
    states.note_lost(KeptFile.objects.get().pk, NOW)
    assert states_of(row) == ["waiting"]
    assert used(team) == 0
    [again] = states.take_due(NOW, 1)
    keep(again, folder, b"cat")
    assert states_of(row) == ["kept"]


def test_retention_counts_and_removes_the_media_that_no_other_request_needs(
    team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    one, two, alone = (make_noticed(team, owner, CAT) for _ in range(3))
    for taken, content in zip(states.take_due(NOW, 9), (b"cat", b"cat", b"a dog"), strict=True):
        keep(taken, folder, content)
    team.rows_days = 10
    old = FalRequest.objects.filter(pk__in=[one.pk, alone.pk])
    old.update(ended_at=NOW - timedelta(days=11))
    planned = {share.kind: (share.count, share.size) for share in retention.plan(NOW, [team])}
    assert planned["copies"] == (1, 5)
    gone = {share.kind: share.count for share in retention.prune(NOW, [team])}
    assert (gone["rows"], gone["copies"]) == (2, 1)
    assert files.remove_given_up(NOW) == 1
    assert stored(folder) == [b"cat"]
    assert used(team) == 3
    assert states_of(two) == ["kept"]
