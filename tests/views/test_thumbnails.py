"""Thumbnails on pages: one team's are no other's; the browser keeps them; a list costs no query more."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.models import FalRequest, FurtherThumbnail, Membership, Team, Thumbnail
from requests_app.thumbnails import states
from requests_app.thumbnails.picture import make_small
from tests.builders import make_request
from tests.thumbnails.pictures import png

CAT = "https://fal.media/files/cat.png"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def pictured(team: Team, owner: User) -> FalRequest:
    """A request with a picture."""
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=CAT)
    return row


def make(row: FalRequest) -> str:
    """Make it as a worker does; the address of the small one."""
    states.want([row], timezone.now())
    [wanted] = states.take_wanted(timezone.now(), 1)
    states.keep_made(wanted, make_small(png()), timezone.now())
    version = Thumbnail.objects.get(pk=row.pk).version
    return f"/requests/{row.public_id}/thumbnail/96/?v={version}"


def ask(client: Client, *rows: FalRequest) -> Any:
    ids = ",".join(str(row.public_id) for row in rows)
    return client.get(f"/requests/thumbnails/?ids={ids}").json()


def test_a_page_asks_and_is_told_where_the_picture_is(
    as_owner: Client, pictured: FalRequest
) -> None:
    assert "data-thumbnail=" in as_owner.get("/requests/").text
    assert ask(as_owner, pictured) == {str(pictured.public_id): {}}
    address = make(pictured)
    told = ask(as_owner, pictured)[str(pictured.public_id)]
    assert address == f"{told['path']}96/?v={told['version']}"
    page = as_owner.get("/requests/").text
    assert f'src="{address}"' in page
    assert "data-thumbnail=" not in page


def test_a_reason_is_told_and_not_asked_about_again(as_owner: Client, pictured: FalRequest) -> None:
    ask(as_owner, pictured)
    [wanted] = states.take_wanted(timezone.now(), 1)
    why = states.NoThumbnail("The picture is <too> large.", is_final=True)
    states.note_failed(wanted, why, timezone.now())
    assert ask(as_owner, pictured) == {str(pictured.public_id): {"problem": str(why)}}
    page = as_owner.get("/requests/").text
    assert 'title="The picture is &lt;too&gt; large."' in page
    assert "data-thumbnail=" not in page


def test_the_browser_keeps_it_for_ever_and_no_proxy_does(
    as_owner: Client, pictured: FalRequest
) -> None:
    reply = as_owner.get(make(pictured))
    assert reply["Content-Type"] == "image/webp"
    assert reply["Cache-Control"] == "private, max-age=31536000, immutable"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply.content.startswith(b"RIFF")


def test_another_teams_thumbnail_does_not_exist(
    as_stranger: Client, client: Client, pictured: FalRequest
) -> None:
    address = make(pictured)
    foreign, none = as_stranger.get(address), as_stranger.get(f"/requests/{uuid4()}/thumbnail/96/")
    assert (foreign.status_code, none.status_code) == (404, 404)
    assert foreign.content == none.content
    assert ask(as_stranger, pictured) == {}
    assert client.get(address).status_code == 302


def test_a_foreign_question_makes_no_work(as_stranger: Client, pictured: FalRequest) -> None:
    ask(as_stranger, pictured)
    assert not Thumbnail.objects.exists()


@pytest.mark.parametrize("size", ["0", "95", "320000000000000000000"])
def test_another_size_does_not_exist(as_owner: Client, pictured: FalRequest, size: str) -> None:
    make(pictured)
    reply = as_owner.get(f"/requests/{pictured.public_id}/thumbnail/{size}/")
    assert reply.status_code == 404


def test_a_file_that_is_lost_is_wanted_again(
    as_owner: Client, pictured: FalRequest, tmp_path: Path
) -> None:
    address = make(pictured)
    for path in tmp_path.rglob("*.webp"):
        path.unlink()
    assert as_owner.get(address).status_code == 404
    assert "data-thumbnail=" in as_owner.get("/requests/").text


def test_nonsense_is_answered_with_nothing(as_owner: Client) -> None:
    assert as_owner.get("/requests/thumbnails/?ids=a,%00,").json() == {}
    assert as_owner.get("/requests/thumbnails/").json() == {}


@pytest.fixture
def four(pictured: FalRequest) -> FalRequest:
    """A request with four pictures."""
    urls = [CAT, *(f"https://fal.media/files/{number}.png" for number in range(3))]
    items = [{"url": url, "kind": "image", "path": "images"} for url in urls]
    media = {"media": {"items": items, "seed": ""}, "media_kinds": "image"}
    FalRequest.objects.filter(pk=pictured.pk).update(**media)
    return FalRequest.objects.get(pk=pictured.pk)


def ask_for(client: Client, row: FalRequest, *numbers: object) -> Any:
    ids = ",".join(f"{row.public_id}.{number}" for number in numbers)
    return client.get(f"/requests/thumbnails/?ids={ids}").json()


def test_the_gallery_shows_small_pictures_of_all_media(as_owner: Client, four: FalRequest) -> None:
    page = as_owner.get("/requests/gallery/").text
    assert page.count("data-thumbnail=") == 4
    assert f'data-thumbnail="{four.public_id}"' in page
    assert f'data-thumbnail="{four.public_id}.3"' in page
    assert ask_for(as_owner, four, 1, 2) == {f"{four.public_id}.{n}": {} for n in (1, 2)}
    for wanted in states.take_wanted(timezone.now(), 9):
        states.keep_made(wanted, make_small(png()), timezone.now())
    told = ask_for(as_owner, four, 1)[f"{four.public_id}.1"]
    assert told["number"] == 1
    address = f"{told['path']}320/?v={told['version']}&n=1"
    assert f'src="{address.replace("&", "&amp;")}"' in as_owner.get("/requests/gallery/").text
    reply = as_owner.get(address)
    assert (reply.status_code, reply["Content-Type"]) == (200, "image/webp")
    for odd in ("320/?n=0", "320/?n=3", "320/?n=-1", "320/?n=", "320/?n=1e1", "96/?n=1"):
        assert as_owner.get(f"{told['path']}{odd}").status_code == 404, odd
    assert as_owner.get(address).status_code == 200, "an odd question removes nothing"


def test_what_is_no_further_picture_is_not_made(
    as_owner: Client, as_stranger: Client, four: FalRequest
) -> None:
    assert ask_for(as_owner, four, 0, 4, 99, "x", "", "-1", "1.2") == {}
    assert ask_for(as_stranger, four, 1, 2) == {}
    assert not FurtherThumbnail.objects.exists()


def test_who_may_not_see_outputs_gets_none_of_their_pictures(
    as_owner: Client, owner: User, four: FalRequest
) -> None:
    address = f"/requests/{four.public_id}/thumbnail/320/?n=1"
    told = f"/requests/thumbnails/?ids={four.public_id},{four.public_id}.1"
    assert len(as_owner.get(told).json()) == 2
    for wanted in states.take_wanted(timezone.now(), 9):
        states.keep_made(wanted, make_small(png()), timezone.now())
    assert as_owner.get(address).status_code == 200
    Membership.objects.filter(user=owner).update(role="member", sees_payloads=False)
    assert [as_owner.get(one).status_code for one in (address, told)] == [403, 403]
    other = Team.objects.create(name="Where it is seen")
    Membership.objects.create(team=other, user=owner, role="owner")
    assert as_owner.get(f"{told}&team={other.pk}").json() == {}
    assert as_owner.get(f"{address}&team={other.pk}").status_code == 403


def test_a_list_of_pictures_takes_no_query_more(
    as_owner: Client, team: Team, owner: User, django_assert_max_num_queries: Any
) -> None:
    as_owner.get("/requests/")
    make_request(team=team, person=owner)
    with django_assert_max_num_queries(100) as few:
        as_owner.get("/requests/")
    for number in range(10):
        row = make_request(team=team, person=owner)
        FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=CAT)
        if number % 2:
            make(row)
    with django_assert_max_num_queries(len(few)):
        as_owner.get("/requests/")
    endpoint = "/requests/new/runs/?endpoint=acme/img"
    with django_assert_max_num_queries(8):
        assert as_owner.get(endpoint).text.count("row-thumb") == 10
