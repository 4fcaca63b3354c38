"""Further pictures of an output: which have thumbnails, how many, and that they go with their request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from requests_app.display.kept_media import INLINE, WHOLE
from requests_app.display.summary import IN_OUTPUT
from requests_app.models import FalRequest, FurtherThumbnail, Team
from requests_app.thumbnails import states
from requests_app.thumbnails.files import read_file
from requests_app.thumbnails.further import MOST, further_looks, own_number, want_further
from requests_app.thumbnails.picture import CARD, SIZES
from requests_app.thumbnails.problems import NoThumbnail
from tests.builders import make_request

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HOST = "https://fal.media/files"
SMALL = {size: b"webp" * size for size in SIZES}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files are."""
    settings.DATA_DIR = tmp_path
    return tmp_path / "thumbnails"


@pytest.fixture
def pictured(team: Team, owner: User) -> Any:
    """pictured(url, …): a request with these pictures; `own` is the one that lists show."""

    def make(*urls: str, own: str = "", kind: str = "image") -> FalRequest:
        row = make_request(team=team, person=owner)
        items = [{"url": url, "kind": kind, "path": f"images[{n}]"} for n, url in enumerate(urls)]
        FalRequest.objects.filter(pk=row.pk).update(
            thumbnail_url=own or urls[0], media={"items": items, "seed": ""}
        )
        return FalRequest.objects.get(pk=row.pk)

    return make


def shown(row: FalRequest, now: datetime = NOW) -> dict[int, states.ThumbnailLook]:
    return {number: look for (_, number), look in further_looks([row], now).items()}


def made(row: FalRequest, now: datetime = NOW) -> None:
    """Make the row's first picture and the others."""
    states.want([row], now)
    want_further(further_looks([row], now), now)
    for wanted in states.take_wanted(now, 99):
        states.keep_made(wanted, SMALL, now)


def test_every_picture_but_the_rows_own_has_one(pictured: Any) -> None:
    a, b, foreign = f"{HOST}/a.png", f"{HOST}/b.png", "https://evil.example/c.png"
    cases: list[tuple[tuple[str, ...], str, int | None, list[int]]] = [
        ((a,), a, 0, []),
        ((a, b), a, 0, [1]),
        ((INLINE, a, b), a, 1, [0, 2]),
        ((INLINE, INLINE), IN_OUTPUT, 0, [1]),
        ((WHOLE,), IN_OUTPUT, 0, []),
        ((a, foreign, b), a, 0, [2]),
        (tuple(f"{HOST}/{n}.png" for n in range(40)), f"{HOST}/0.png", 0, list(range(1, MOST))),
    ]
    for urls, own, number, further in cases:
        row = pictured(*urls, own=own)
        assert own_number(row) == number, urls
        assert list(shown(row)) == further, urls
    assert shown(pictured(a, b, kind="video")) == {}


def test_they_are_wanted_taken_once_and_shown_by_their_number(pictured: Any, folder: Path) -> None:
    row = pictured(*(f"{HOST}/{name}.png" for name in "abc"))
    assert shown(row) == {1: states.ThumbnailLook(), 2: states.ThumbnailLook()}
    want_further([(row.pk, 1), (row.pk, 2)], NOW)
    want_further([(row.pk, 1)], NOW)
    states.want([row], NOW)
    taken = states.take_wanted(NOW, 9)
    assert [(one.number, one.url[-5:]) for one in taken] == [(None, "a.png"), (1, "b.png"), (2, "c.png")]  # fmt: skip
    assert states.take_wanted(NOW, 9) == []
    states.keep_made(taken[1], SMALL, NOW)
    states.note_failed(taken[2], NoThumbnail("It is no picture.", is_final=True), NOW)
    assert shown(row)[1].version
    assert shown(row)[2].problem == "It is no picture."
    assert read_file(row.public_id, CARD, 1) == SMALL[CARD]
    assert [path.name for path in folder.rglob("*.webp")] == [f"{row.public_id}.1-{CARD}.webp"]
    assert states.look_at(FalRequest.objects.get(pk=row.pk), NOW) == states.ThumbnailLook()


def test_they_go_with_the_request_and_not_with_another(pictured: Any, folder: Path) -> None:
    one, other = (pictured(f"{HOST}/a.png", f"{HOST}/b.png") for _ in range(2))
    made(one)
    made(other)
    states.forget([one.pk])
    assert {path.name[:36] for path in folder.rglob("*.webp")} == {str(other.public_id)}
    assert [known.request_id for known in FurtherThumbnail.objects.all()] == [other.pk]
    wanted = states.WantedThumbnail(one.pk, one.public_id, "", 1)
    states.keep_made(wanted, SMALL, NOW)  # by a worker that was about to
    assert not list(folder.rglob(f"{one.public_id}*"))


def test_the_limit_counts_them_and_the_oldest_go_first(pictured: Any, folder: Path) -> None:
    for hours in range(5):
        made(pictured(f"{HOST}/a.png", f"{HOST}/b.png"), NOW + timedelta(hours=hours))
    size = sum(path.stat().st_size for path in folder.rglob("*.webp"))
    assert states.keep_within(size) == 0
    assert states.keep_within(size // 2) in (5, 6)
    left = sum(path.stat().st_size for path in folder.rglob("*.webp"))
    assert left <= size // 2
    assert not FurtherThumbnail.objects.filter(made_at=NOW).exists()
    assert FurtherThumbnail.objects.filter(made_at=NOW + timedelta(hours=4)).exists()


def test_switched_off_there_are_none(pictured: Any, settings: Any) -> None:
    settings.THUMBNAIL_LIMIT_BYTES = 0
    assert shown(pictured(f"{HOST}/a.png", f"{HOST}/b.png")) == {}
